// task: row_sum rows=2048 cols=1024
#include <cstdint>
__global__ void row_sum(const float* x, float* y, int64_t rows, int64_t cols) {
  const int64_t row = (int64_t)blockIdx.x * 8 + threadIdx.x / 32;
  if (row >= rows) return;
  float s = 0.0f;
  for (int64_t i = threadIdx.x % 32; i < cols; i += 32) s += x[row * cols + i];
  for (int d = 16; d > 0; d /= 2) s += __shfl_down_sync(0xffffffffu, s, d);
  if (threadIdx.x % 32 == 0) y[row] = s;
}
extern "C" void run(const float* x, float* y, int64_t rows, int64_t cols, cudaStream_t stream) {
  row_sum<<<(unsigned)((rows + 7) / 8), 256, 0, stream>>>(x, y, rows, cols);
}
