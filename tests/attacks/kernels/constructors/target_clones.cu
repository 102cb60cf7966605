// attack: constructors: a function in versions, whose resolver the compiler writes
// task: leaky_relu
// expect: RUNTIME_ERROR, COMPILE_ERROR make it an ordinary function|compile_error
#include <cstdint>

__global__ void leaky(const float* x, float slope, float* y, int64_t n) {
  const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = x[i] >= 0.0f ? x[i] : slope * x[i];
}

extern "C" __attribute__((target_clones("avx2", "default"))) unsigned Blocks(int64_t n) {
  return (unsigned)((n + 255) / 256);
}
extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  leaky<<<Blocks(n), 256, 0, stream>>>(x, slope, y, n);
}
