// expect: RUNTIME_ERROR out_of_bounds
#include <cstdint>
__device__ __forceinline__ float Gelu(float v) { return 0.5f * v * erfcf(-v * 0.70710678f); }
__global__ void gelu(const float* x, float* y, int64_t n) {
  const int64_t i = (int64_t)blockIdx.x * 256 + threadIdx.x;
  if (i < n) y[i] = Gelu(x[i]) + 0.0f * x[i + 1];
}
extern "C" void run(const float* x, float* y, int64_t n, cudaStream_t stream) {
  gelu<<<(unsigned)((n + 255) / 256), 256, 0, stream>>>(x, y, n);
}
