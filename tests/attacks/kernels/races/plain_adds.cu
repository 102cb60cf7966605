// attack: races: adds to the output from many blocks without atomics
// task: row_sum
// expect: REJECTED, INCORRECT_NUMERICAL shared_race|global_race|numerical
#include <cstdint>

__global__ void unguarded(const float* x, float* y, int64_t cols) {
  const int64_t row = blockIdx.x;
  float sum = 0.0f;
  for (int64_t i = blockIdx.y * 32 + threadIdx.x; i < cols; i += 128) sum += x[row * cols + i];
  for (int step = 16; step > 0; step /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, step);
  if (threadIdx.x == 0) y[row] += sum;
}
extern "C" void run(const float* x, float* y, int64_t rows, int64_t cols, cudaStream_t stream) {
  cudaMemsetAsync(y, 0, rows * sizeof(float), stream);
  unguarded<<<dim3((unsigned)rows, 4), 32, 0, stream>>>(x, y, cols);
}
