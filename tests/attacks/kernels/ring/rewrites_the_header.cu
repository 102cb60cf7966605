// attack: ring: destroys the ring's header and its sequence numbers
// task: leaky_relu
// expect: INCORRECT_NUMERICAL, REJECTED, RUNTIME_ERROR, TIMEOUT output_not_written|protocol|host_exit
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
  for (int i = 0; i < 64; ++i) ring[i] = 0xffffffffu;
  const uint64_t one = 1;
  if (write(4, &one, sizeof one) < 0) return;
}
