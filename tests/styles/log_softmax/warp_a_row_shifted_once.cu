// style: one warp a row; the maximum and ln(sum) are joined, x - (m + ln sum) is stored.
#include <cmath>
#include <cstdint>

__global__ void log_softmax_warps(const float* x, float* y, int64_t rows, int64_t cols) {
  const int64_t row = (int64_t)blockIdx.x * 4 + threadIdx.y;
  if (row >= rows) return;
  const float* in = x + row * cols;
  float largest = -INFINITY;
  for (int64_t i = threadIdx.x; i < cols; i += 32) largest = fmaxf(largest, in[i]);
  for (int step = 16; step > 0; step /= 2) {
    largest = fmaxf(largest, __shfl_xor_sync(0xffffffffu, largest, step));
  }
  float sum = 0.0f;
  for (int64_t i = threadIdx.x; i < cols; i += 32) sum += expf(in[i] - largest);
  for (int step = 16; step > 0; step /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, step);
  const float lse = largest + logf(sum);
  for (int64_t i = threadIdx.x; i < cols; i += 32) y[row * cols + i] = in[i] - lse;
}

extern "C" void run(const float* x, float* y, int64_t rows, int64_t cols, cudaStream_t stream) {
  log_softmax_warps<<<(unsigned)((rows + 3) / 4), dim3(32, 4), 0, stream>>>(x, y, rows, cols);
}
