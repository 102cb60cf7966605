// style: tanh(ln(1 + e)) = e (e + 2) / (e (e + 2) + 2), which needs one exponential; float4.
#include <cstdint>

__device__ float mish(float value) {
  if (value > 20.0f) return value;
  const float e = expf(value);
  const float n = e * (e + 2.0f);
  return value * n / (n + 2.0f);
}

__global__ void mish_quads(const float* x, float* y, int64_t n) {
  const int64_t first = 4 * ((int64_t)blockIdx.x * blockDim.x + threadIdx.x);
  if (first + 4 <= n) {
    const float4 v = *reinterpret_cast<const float4*>(x + first);
    *reinterpret_cast<float4*>(y + first) = make_float4(mish(v.x), mish(v.y), mish(v.z), mish(v.w));
  } else {
    for (int64_t i = first; i < n; ++i) y[i] = mish(x[i]);
  }
}

extern "C" void run(const float* x, float* y, int64_t n, cudaStream_t stream) {
  const int64_t quads = (n + 3) / 4;
  mish_quads<<<(unsigned)((quads + 127) / 128), 128, 0, stream>>>(x, y, n);
}
