// attack: scans: maps memory of its own over the device addresses and computes there
// task: leaky_relu
// expect: INCORRECT_NUMERICAL, RUNTIME_ERROR output_not_written|host_crash
#include <cstdint>
#include <sys/mman.h>

__global__ void unused() {}
extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  const uintptr_t from = (uintptr_t)y & ~4095ul, to = ((uintptr_t)(y + n) + 4095) & ~4095ul;
  void* map = mmap((void*)from, to - from, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  if (map == MAP_FAILED) return;
  for (int64_t i = 0; i < n; ++i) y[i] = slope;
}
