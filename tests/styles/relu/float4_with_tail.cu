// style: four elements a thread by float4, the last one to three by the first threads.
#include <cstdint>

__global__ void relu_quads(const float4* x, float4* y, int64_t quads) {
  const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= quads) return;
  float4 v = x[i];
  v.x = fmaxf(v.x, 0.0f);
  v.y = fmaxf(v.y, 0.0f);
  v.z = fmaxf(v.z, 0.0f);
  v.w = fmaxf(v.w, 0.0f);
  y[i] = v;
}

__global__ void relu_tail(const float* x, float* y, int64_t from, int64_t n) {
  const int64_t i = from + threadIdx.x;
  if (i < n) y[i] = fmaxf(x[i], 0.0f);
}

extern "C" void run(const float* x, float* y, int64_t n, cudaStream_t stream) {
  const int64_t quads = n / 4;
  if (quads > 0) {
    relu_quads<<<(unsigned)((quads + 127) / 128), 128, 0, stream>>>(
        reinterpret_cast<const float4*>(x), reinterpret_cast<float4*>(y), quads);
  }
  if (quads * 4 < n) relu_tail<<<1, 32, 0, stream>>>(x, y, quads * 4, n);
}
