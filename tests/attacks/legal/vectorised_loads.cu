// legal: float4 loads and stores with a scalar tail
// task: leaky_relu
#include <cstdint>

__device__ float One(float v, float slope) { return v >= 0.0f ? v : slope * v; }
__global__ void wide(const float* __restrict__ x, float slope, float* __restrict__ y, int64_t n) {
  const int64_t i = ((int64_t)blockIdx.x * blockDim.x + threadIdx.x) * 4;
  if (i + 4 <= n) {
    float4 v = __ldg(reinterpret_cast<const float4*>(x + i));
    v.x = One(v.x, slope), v.y = One(v.y, slope), v.z = One(v.z, slope), v.w = One(v.w, slope);
    *reinterpret_cast<float4*>(y + i) = v;
  } else {
    for (int64_t j = i; j < n; ++j) y[j] = One(x[j], slope);
  }
}
extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  wide<<<(unsigned)((n + 1023) / 1024), 256, 0, stream>>>(x, slope, y, n);
}
