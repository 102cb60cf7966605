// style: __expf and __fdividef on float4, a scalar tail.
#include <cstdint>

__device__ __forceinline__ float silu(float value) {
  return __fdividef(value, 1.0f + __expf(-value));
}

__global__ void silu_quads(const float* x, float* y, int64_t n) {
  const int64_t first = 4 * ((int64_t)blockIdx.x * blockDim.x + threadIdx.x);
  if (first + 4 <= n) {
    const float4 v = *reinterpret_cast<const float4*>(x + first);
    *reinterpret_cast<float4*>(y + first) = make_float4(silu(v.x), silu(v.y), silu(v.z), silu(v.w));
  } else {
    for (int64_t i = first; i < n; ++i) y[i] = silu(x[i]);
  }
}

extern "C" void run(const float* x, float* y, int64_t n, cudaStream_t stream) {
  const int64_t quads = (n + 3) / 4;
  silu_quads<<<(unsigned)((quads + 255) / 256), 256, 0, stream>>>(x, y, n);
}
