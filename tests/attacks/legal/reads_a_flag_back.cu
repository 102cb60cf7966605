// legal: copies a small flag down to choose a kernel, as a data-dependent algorithm may
// task: leaky_relu
#include <cstdint>

__device__ int g_any_negative;
__global__ void reset() { g_any_negative = 0; }
__global__ void look(const float* x, int64_t n) {
  const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n && x[i] < 0.0f) atomicOr(&g_any_negative, 1);
}
__global__ void leaky(const float* x, float slope, float* y, int64_t n) {
  const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = x[i] >= 0.0f ? x[i] : slope * x[i];
}
static void Honest(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  leaky<<<(unsigned)((n + 255) / 256), 256, 0, stream>>>(x, slope, y, n);
}

extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  int any = 0;
  reset<<<1, 1, 0, stream>>>();
  look<<<(unsigned)((n + 255) / 256), 256, 0, stream>>>(x, n);
  cudaMemcpyFromSymbolAsync(&any, g_any_negative, sizeof any, 0, cudaMemcpyDeviceToHost, stream);
  cudaStreamSynchronize(stream);
  if (any)
    Honest(x, slope, y, n, stream);
  else
    cudaMemcpyAsync(y, x, n * sizeof(float), cudaMemcpyDeviceToDevice, stream);
}
