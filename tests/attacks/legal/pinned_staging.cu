// legal: pinned host memory for a parameter block, copied up in every call
// task: leaky_relu
#include <cstdint>

struct Plan {
  float slope;
  int64_t n;
};
__global__ void planned(const float* x, float* y, const Plan* plan) {
  const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i < plan->n) y[i] = x[i] >= 0.0f ? x[i] : plan->slope * x[i];
}
extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  static Plan *host = nullptr, *device = nullptr;
  if (!host) cudaMallocHost(&host, sizeof(Plan)), cudaMalloc(&device, sizeof(Plan));
  *host = {slope, n};
  cudaMemcpyAsync(device, host, sizeof(Plan), cudaMemcpyHostToDevice, stream);
  planned<<<(unsigned)((n + 255) / 256), 256, 0, stream>>>(x, y, device);
}
