// task: silu_and_mul rows=1024 cols=1024
#include <cstdint>
__global__ void fused(const float* x, float* y, int64_t rows, int64_t cols) {
  const int64_t i = (int64_t)blockIdx.x * 256 + threadIdx.x;
  if (i >= rows * cols) return;
  const int64_t row = i / cols, col = i % cols;
  const float gate = x[row * 2 * cols + col];
  y[i] = gate / (1.0f + expf(-gate)) * x[row * 2 * cols + cols + col];
}
extern "C" void run(const float* x, float* y, int64_t rows, int64_t cols, cudaStream_t stream) {
  fused<<<(unsigned)((rows * cols + 255) / 256), 256, 0, stream>>>(x, y, rows, cols);
}
