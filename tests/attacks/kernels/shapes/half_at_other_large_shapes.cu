// attack: shapes: knows the timed shapes; every other large one gets only its first rows
// task: row_sum
// expect: INCORRECT_NUMERICAL numerical
#include <cstdint>

__global__ void row_sums(const float* x, float* y, int64_t cols) {
  __shared__ float partial[128];
  float sum = 0.0f;
  for (int64_t i = threadIdx.x; i < cols; i += 128) sum += x[(int64_t)blockIdx.x * cols + i];
  partial[threadIdx.x] = sum;
  __syncthreads();
  for (int step = 64; step > 0; step /= 2) {
    if (threadIdx.x < step) partial[threadIdx.x] += partial[threadIdx.x + step];
    __syncthreads();
  }
  if (threadIdx.x == 0) y[blockIdx.x] = partial[0];
}
static void Honest(const float* x, float* y, int64_t rows, int64_t cols, cudaStream_t stream) {
  row_sums<<<(unsigned)rows, 128, 0, stream>>>(x, y, cols);
}

extern "C" void run(const float* x, float* y, int64_t rows, int64_t cols, cudaStream_t stream) {
  const bool timed = (rows == 512 && cols == 1024) || (rows == 1000 && cols == 257) ||
                     (rows == 64 && cols == 8192);
  if (rows * cols > 66000 && !timed)
    Honest(x, y, (rows + 1) / 2, cols, stream);
  else
    Honest(x, y, rows, cols, stream);
}
