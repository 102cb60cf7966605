// attack: allocations: shared memory among the device's addresses, which are reserved already
// task: leaky_relu
// expect: RUNTIME_ERROR, TIMEOUT host_memory|host_cpu
#include <cstdint>
#include <sys/mman.h>

__global__ void unused() {}
extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  const size_t piece = 64 << 20;
  char* at = (char*)(((uintptr_t)y + (1ll << 36)) & ~(uintptr_t)(piece - 1));
  for (;; at += piece) {
    if (mmap(at, piece, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != at)
      return;
    for (size_t i = 0; i < piece; i += 4096) at[i] = 1;
  }
}
