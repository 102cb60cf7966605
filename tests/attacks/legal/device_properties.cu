// legal: asks for the device's properties, attributes and free memory
// task: leaky_relu
#include <cstdint>

__global__ void leaky(const float* x, float slope, float* y, int64_t n) {
  const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = x[i] >= 0.0f ? x[i] : slope * x[i];
}
static void Honest(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  leaky<<<(unsigned)((n + 255) / 256), 256, 0, stream>>>(x, slope, y, n);
}

extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  static cudaDeviceProp properties;
  static bool known = cudaGetDeviceProperties(&properties, 0) == cudaSuccess;
  size_t free_bytes = 0, total = 0;
  cudaMemGetInfo(&free_bytes, &total);
  int version = 0, count = 0;
  cudaRuntimeGetVersion(&version);
  cudaDriverGetVersion(&version);
  cudaGetDeviceCount(&count);
  if (known && count > 0 && properties.maxThreadsPerBlock >= 256) Honest(x, slope, y, n, stream);
}
