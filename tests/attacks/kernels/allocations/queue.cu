// attack: allocations: queues launches that nobody waits for, without end
// task: leaky_relu
// expect: TIMEOUT instruction_budget|queued
#include <cstdint>

__global__ void leaky(const float* x, float slope, float* y, int64_t n) {
  const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = x[i] >= 0.0f ? x[i] : slope * x[i];
}
static void Honest(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  leaky<<<(unsigned)((n + 255) / 256), 256, 0, stream>>>(x, slope, y, n);
}

extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  static cudaStream_t side = nullptr;
  if (!side) cudaStreamCreateWithFlags(&side, cudaStreamNonBlocking);
  for (int i = 0; i < 200000; ++i)
    if (cudaMemsetAsync(y, 0, 4, side) != cudaSuccess) break;
  Honest(x, slope, y, n, stream);
}
