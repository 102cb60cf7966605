// One thread an element of the output.
#include <cstdint>

__global__ void gelu_and_mul_elements(const float* x, float* y, int64_t rows, int64_t cols) {
  const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= rows * cols) return;
  const int64_t row = i / cols;
  const int64_t col = i % cols;
  const float gate = x[row * 2 * cols + col];
  const float up = x[row * 2 * cols + cols + col];
  y[i] = 0.5f * gate * (1.0f + erff(gate / sqrtf(2.0f))) * up;
}

extern "C" void run(const float* x, float* y, int64_t rows, int64_t cols, cudaStream_t stream) {
  const int threads = 256;
  const unsigned blocks = (unsigned)((rows * cols + threads - 1) / threads);
  gelu_and_mul_elements<<<blocks, threads, 0, stream>>>(x, y, rows, cols);
}
