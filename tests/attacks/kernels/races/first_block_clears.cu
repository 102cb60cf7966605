// attack: races: the first block of a row clears the output that all of them add to
// task: row_sum
// expect: REJECTED, INCORRECT_NUMERICAL global_race|numerical
#include <cstdint>

__global__ void hopeful(const float* x, float* y, int64_t cols) {
  const int64_t row = blockIdx.x;
  float sum = 0.0f;
  for (int64_t i = blockIdx.y * 32 + threadIdx.x; i < cols; i += 128) sum += x[row * cols + i];
  for (int step = 16; step > 0; step /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, step);
  if (threadIdx.x != 0) return;
  if (blockIdx.y == 0) y[row] = 0.0f;
  atomicAdd(&y[row], sum);
}
extern "C" void run(const float* x, float* y, int64_t rows, int64_t cols, cudaStream_t stream) {
  hopeful<<<dim3((unsigned)rows, 4), 32, 0, stream>>>(x, y, cols);
}
