// expect: RUNTIME_ERROR misaligned
#include <cstdint>
__device__ __forceinline__ float Gelu(float v) { return 0.5f * v * erfcf(-v * 0.70710678f); }
__global__ void gelu(const float* x, float* y, int64_t n) {
  const int64_t i = ((int64_t)blockIdx.x * 256 + threadIdx.x) * 4 + 1;
  if (blockIdx.x == 0 && threadIdx.x == 0) y[0] = Gelu(x[0]);
  if (i + 3 < n) {
    const float4 v = *reinterpret_cast<const float4*>(x + i);
    y[i] = Gelu(v.x), y[i + 1] = Gelu(v.y), y[i + 2] = Gelu(v.z), y[i + 3] = Gelu(v.w);
  } else {
    for (int64_t j = i; j < n; ++j) y[j] = Gelu(x[j]);
  }
}
extern "C" void run(const float* x, float* y, int64_t n, cudaStream_t stream) {
  gelu<<<(unsigned)((n + 1023) / 1024), 256, 0, stream>>>(x, y, n);
}
