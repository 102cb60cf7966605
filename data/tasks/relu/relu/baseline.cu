// One thread an element.
#include <cstdint>

__global__ void relu_elements(const float* x, float* y, int64_t n) {
  const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  const float value = x[i];
  y[i] = value > 0.0f ? value : 0.0f;
}

extern "C" void run(const float* x, float* y, int64_t n, cudaStream_t stream) {
  const int threads = 256;
  const unsigned blocks = (unsigned)((n + threads - 1) / threads);
  relu_elements<<<blocks, threads, 0, stream>>>(x, y, n);
}
