// attack: constructors: runs in the resolver of an indirect function, before any constructor
// task: leaky_relu
// expect: RUNTIME_ERROR indirect function 'Hook'
#include <cstdint>

__global__ void leaky(const float* x, float slope, float* y, int64_t n) {
  const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = x[i] >= 0.0f ? x[i] : slope * x[i];
}
static void Honest(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  leaky<<<(unsigned)((n + 255) / 256), 256, 0, stream>>>(x, slope, y, n);
}

extern "C" void Real() {}
typedef void (*Function)();
extern "C" Function Resolve() {
  asm volatile("syscall" ::"a"(231), "D"(0) : "rcx", "r11", "memory");
  return Real;
}
extern "C" void Hook() __attribute__((ifunc("Resolve")));
extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  Hook();
  Honest(x, slope, y, n, stream);
}
