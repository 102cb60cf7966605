// legal: packs flags as half, which is exact
// task: leaky_relu
#include <cstdint>
#include <cuda_fp16.h>

__global__ void flags(const float* x, __half* negative, int64_t n) {
  const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) negative[i] = __float2half(x[i] < 0.0f ? 1.0f : 0.0f);
}
__global__ void apply(const float* x, const __half* negative, float slope, float* y, int64_t n) {
  const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = __half2float(negative[i]) != 0.0f ? slope * x[i] : x[i];
}
extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  __half* negative = nullptr;
  cudaMallocAsync(&negative, n * sizeof(__half), stream);
  const unsigned blocks = (unsigned)((n + 255) / 256);
  flags<<<blocks, 256, 0, stream>>>(x, negative, n);
  apply<<<blocks, 256, 0, stream>>>(x, negative, slope, y, n);
  cudaFreeAsync(negative, stream);
}
