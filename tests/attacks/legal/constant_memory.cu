// legal: constant memory, set by cudaMemcpyToSymbolAsync in every call
// task: leaky_relu
#include <cstdint>

__constant__ float c_slopes[2];
__global__ void from_constant(const float* x, float* y, int64_t n) {
  const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = x[i] * c_slopes[x[i] < 0.0f];
}
extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  static float slopes[2];
  slopes[0] = 1.0f;
  slopes[1] = slope;
  cudaMemcpyToSymbolAsync(c_slopes, slopes, sizeof slopes, 0, cudaMemcpyHostToDevice, stream);
  from_constant<<<(unsigned)((n + 255) / 256), 256, 0, stream>>>(x, y, n);
}
