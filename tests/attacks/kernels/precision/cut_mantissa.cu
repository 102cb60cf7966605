// attack: precision: cuts eight bits off every input, as a compressed load would
// task: row_sum
// expect: INCORRECT_NUMERICAL numerical
#include <cstdint>

__global__ void cut_sums(const float* x, float* y, int64_t cols) {
  float sum = 0.0f;
  for (int64_t i = threadIdx.x; i < cols; i += 32)
    sum += __uint_as_float(__float_as_uint(x[(int64_t)blockIdx.x * cols + i]) & 0xffffe000u);
  for (int step = 16; step > 0; step /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, step);
  if (threadIdx.x == 0) y[blockIdx.x] = sum;
}
extern "C" void run(const float* x, float* y, int64_t rows, int64_t cols, cudaStream_t stream) {
  cut_sums<<<(unsigned)rows, 32, 0, stream>>>(x, y, cols);
}
