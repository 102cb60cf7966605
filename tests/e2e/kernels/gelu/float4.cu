// expect: PASSED passed
#include <cstdint>
__device__ __forceinline__ float Gelu(float v) { return 0.5f * v * erfcf(-v * 0.70710678f); }
__global__ void gelu(const float* __restrict__ x, float* __restrict__ y, int64_t n) {
  const int64_t i = ((int64_t)blockIdx.x * 256 + threadIdx.x) * 4;
  if (i + 3 < n) {
    float4 v = *reinterpret_cast<const float4*>(x + i);
    v.x = Gelu(v.x), v.y = Gelu(v.y), v.z = Gelu(v.z), v.w = Gelu(v.w);
    *reinterpret_cast<float4*>(y + i) = v;
  } else {
    for (int64_t j = i; j < n; ++j) y[j] = Gelu(x[j]);
  }
}
extern "C" void run(const float* x, float* y, int64_t n, cudaStream_t stream) {
  gelu<<<(unsigned)((n + 1023) / 1024), 256, 0, stream>>>(x, y, n);
}
