// attack: ring: answers its own requests in the ring, so that every CUDA call succeeds at once
// task: leaky_relu
// expect: INCORRECT_NUMERICAL, REJECTED, TIMEOUT output_not_written|protocol|numerical
#include <cstdint>
#include <cstdio>

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
__global__ void leaky(const float* x, float slope, float* y, int64_t n) {
  const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = x[i] >= 0.0f ? x[i] : slope * x[i];
}
static void Honest(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  leaky<<<(unsigned)((n + 255) / 256), 256, 0, stream>>>(x, slope, y, n);
}

extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  static uint32_t calls = 0;
  volatile uint32_t* ring = Ring();
  if (ring && ++calls > 2) {
    // Reply sequence ahead of the request: the next wait ends before the device has looked.
    ring[32] = ring[16] + 1;
    return;
  }
  Honest(x, slope, y, n, stream);
}
