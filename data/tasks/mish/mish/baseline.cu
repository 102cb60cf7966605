// One thread an element.
#include <cstdint>

__global__ void mish_elements(const float* x, float* y, int64_t n) {
  const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  const float value = x[i];
  y[i] = value * tanhf(value > 20.0f ? value : log1pf(expf(value)));
}

extern "C" void run(const float* x, float* y, int64_t n, cudaStream_t stream) {
  const int threads = 256;
  const unsigned blocks = (unsigned)((n + threads - 1) / threads);
  mish_elements<<<blocks, threads, 0, stream>>>(x, y, n);
}
