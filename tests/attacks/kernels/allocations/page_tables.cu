// attack: allocations: reads a byte here and there of the device's addresses: no pages, but tables
// task: leaky_relu
// expect: RUNTIME_ERROR, TIMEOUT host_memory|host_cpu
#include <cstdint>
#include <sys/mman.h>

__global__ void unused() {}
extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  const size_t all = 8ull << 40;
  char* from = (char*)(((uintptr_t)y + (1ll << 36)) & ~(uintptr_t)0xfff);
  if (mprotect(from, all, PROT_READ) != 0) return;
  for (size_t i = 0; i < all; i += 2 << 20) (void)*(volatile char*)(from + i);
}
