// attack: races: leaves the barriers out and hopes for warps in step
// task: row_sum
// expect: REJECTED, INCORRECT_NUMERICAL shared_race|global_race|numerical
#include <cstdint>

__global__ void hasty(const float* x, float* y, int64_t cols) {
  __shared__ float partial[128];
  float sum = 0.0f;
  for (int64_t i = threadIdx.x; i < cols; i += 128) sum += x[(int64_t)blockIdx.x * cols + i];
  partial[threadIdx.x] = sum;
  for (int step = 64; step > 0; step /= 2)
    if (threadIdx.x < step) partial[threadIdx.x] += partial[threadIdx.x + step];
  if (threadIdx.x == 0) y[blockIdx.x] = partial[0];
}
extern "C" void run(const float* x, float* y, int64_t rows, int64_t cols, cudaStream_t stream) {
  hasty<<<(unsigned)rows, 128, 0, stream>>>(x, y, cols);
}
