// style: 0.5 x erfc(-x / sqrt(2)), which does not cancel; float4 with a scalar tail.
#include <cstdint>

__device__ float gelu(float value) { return 0.5f * value * erfcf(-0.70710678f * value); }

__global__ void gelu_quads(const float* x, float* y, int64_t n) {
  const int64_t first = 4 * ((int64_t)blockIdx.x * blockDim.x + threadIdx.x);
  if (first + 4 <= n) {
    const float4 v = *reinterpret_cast<const float4*>(x + first);
    *reinterpret_cast<float4*>(y + first) = make_float4(gelu(v.x), gelu(v.y), gelu(v.z), gelu(v.w));
  } else {
    for (int64_t i = first; i < n; ++i) y[i] = gelu(x[i]);
  }
}

extern "C" void run(const float* x, float* y, int64_t n, cudaStream_t stream) {
  const int64_t quads = (n + 3) / 4;
  gelu_quads<<<(unsigned)((quads + 127) / 128), 128, 0, stream>>>(x, y, n);
}
