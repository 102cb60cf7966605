// task: silu_and_mul rows=1024 cols=1024
#include <cstdint>
__global__ void silu(const float* x, float* y, int64_t rows, int64_t cols) {
  const int64_t i = (int64_t)blockIdx.x * 256 + threadIdx.x;
  if (i >= rows * cols) return;
  const float gate = x[i / cols * 2 * cols + i % cols];
  y[i] = gate / (1.0f + expf(-gate));
}
__global__ void multiply(const float* x, float* y, int64_t rows, int64_t cols) {
  const int64_t i = (int64_t)blockIdx.x * 256 + threadIdx.x;
  if (i >= rows * cols) return;
  y[i] *= x[i / cols * 2 * cols + cols + i % cols];
}
extern "C" void run(const float* x, float* y, int64_t rows, int64_t cols, cudaStream_t stream) {
  const unsigned blocks = (unsigned)((rows * cols + 255) / 256);
  silu<<<blocks, 256, 0, stream>>>(x, y, rows, cols);
  multiply<<<blocks, 256, 0, stream>>>(x, y, rows, cols);
}
