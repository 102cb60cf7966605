// task: row_sum rows=2048 cols=1024
#include <cstdint>
__global__ void row_sum(const float* x, float* y, int64_t rows, int64_t cols) {
  const int64_t row = (int64_t)blockIdx.x * 32 + threadIdx.x;
  if (row >= rows) return;
  float s = 0.0f;
  for (int64_t i = 0; i < cols; ++i) s += x[row * cols + i];
  y[row] = s;
}
extern "C" void run(const float* x, float* y, int64_t rows, int64_t cols, cudaStream_t stream) {
  row_sum<<<(unsigned)((rows + 31) / 32), 32, 0, stream>>>(x, y, rows, cols);
}
