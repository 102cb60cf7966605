// attack: ring: writes random requests into the ring and rings the bell
// task: leaky_relu
// expect: REJECTED protocol
#include <cstdint>
#include <cstdio>
#include <unistd.h>

static volatile uint32_t* Ring() {
  FILE* maps = fopen("/proc/self/maps", "r");
  char line[512];
  uint64_t found = 0;
  while (maps && fgets(line, sizeof line, maps)) {
    uint64_t from = 0, to = 0;
    char rights[5] = "";
    if (sscanf(line, "%lx-%lx %4s", &from, &to, rights) == 3 && rights[3] == 's' &&
        to - from > 4096)
      found = from;
  }
  if (maps) fclose(maps);
  return (volatile uint32_t*)found;
}
__global__ void unused() {}
extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  volatile uint32_t* ring = Ring();
  if (!ring) return;
  uint32_t state = 12345;
  for (int round = 0; round < 50; ++round) {
    for (int i = 17; i < 32; ++i) ring[i] = state = state * 1664525u + 1013904223u;
    ring[16] = ring[16] + 1;
    const uint64_t one = 1;
    if (write(4, &one, sizeof one) < 0) return;
    usleep(200);
  }
}
