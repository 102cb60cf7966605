// legal: records events around its launches and asks for the time
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
  static cudaEvent_t before = nullptr, after = nullptr;
  if (!before) cudaEventCreate(&before), cudaEventCreate(&after);
  cudaEventRecord(before, stream);
  Honest(x, slope, y, n, stream);
  cudaEventRecord(after, stream);
  cudaEventSynchronize(after);
  float ms = 0.0f;
  cudaEventElapsedTime(&ms, before, after);
}
