// task: leaky_relu n=4194304
#include <cstdint>
__device__ float Leaky(float v, float slope) { return v > 0.0f ? v : v * slope; }
__global__ void leaky(const float* __restrict__ x, float slope, float* __restrict__ y, int64_t n) {
  const int64_t i = ((int64_t)blockIdx.x * 256 + threadIdx.x) * 4;
  if (i + 3 < n) {
    float4 v = *reinterpret_cast<const float4*>(x + i);
    v.x = Leaky(v.x, slope), v.y = Leaky(v.y, slope);
    v.z = Leaky(v.z, slope), v.w = Leaky(v.w, slope);
    *reinterpret_cast<float4*>(y + i) = v;
  } else {
    for (int64_t j = i; j < n; ++j) y[j] = Leaky(x[j], slope);
  }
}
extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  leaky<<<(unsigned)((n + 1023) / 1024), 256, 0, stream>>>(x, slope, y, n);
}
