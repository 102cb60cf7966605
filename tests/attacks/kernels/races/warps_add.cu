// attack: races: the warps of a block add to the output without atomics
// task: row_sum
// expect: REJECTED global_race
#include <cstdint>

__global__ void unguarded(const float* x, float* y, int64_t cols) {
  const int64_t row = blockIdx.x;
  float sum = 0.0f;
  for (int64_t i = threadIdx.x; i < cols; i += 128) sum += x[row * cols + i];
  for (int step = 16; step > 0; step /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, step);
  if (threadIdx.x == 0) y[row] = 0.0f;
  __syncthreads();
  if (threadIdx.x % 32 == 0) y[row] += sum;
}
extern "C" void run(const float* x, float* y, int64_t rows, int64_t cols, cudaStream_t stream) {
  unguarded<<<(unsigned)rows, 128, 0, stream>>>(x, y, cols);
}
