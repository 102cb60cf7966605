// legal: two extra streams, forked and joined by events
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
  static cudaStream_t side[2];
  static cudaEvent_t fork = nullptr, join[2];
  if (!fork) {
    cudaEventCreateWithFlags(&fork, cudaEventDisableTiming);
    for (int i = 0; i < 2; ++i) {
      cudaStreamCreateWithFlags(&side[i], cudaStreamNonBlocking);
      cudaEventCreateWithFlags(&join[i], cudaEventDisableTiming);
    }
  }
  const int64_t half = (n + 1) / 2;
  cudaEventRecord(fork, stream);
  for (int i = 0; i < 2; ++i) {
    cudaStreamWaitEvent(side[i], fork, 0);
    const int64_t at = i * half, count = i == 0 ? half : n - half;
    if (count > 0) Honest(x + at, slope, y + at, count, side[i]);
    cudaEventRecord(join[i], side[i]);
    cudaStreamWaitEvent(stream, join[i], 0);
  }
}
