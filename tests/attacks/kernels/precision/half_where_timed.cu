// attack: precision: adds up in half precision at large shapes only
// task: row_sum
// expect: INCORRECT_NUMERICAL numerical
#include <cstdint>
#include <cuda_fp16.h>

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

__global__ void half_sums(const float* x, float* y, int64_t cols) {
  __half sum = __float2half(0.0f);
  for (int64_t i = threadIdx.x; i < cols; i += 32)
    sum = __hadd(sum, __float2half(x[(int64_t)blockIdx.x * cols + i]));
  for (int step = 16; step > 0; step /= 2) sum = __hadd(sum, __shfl_xor_sync(0xffffffffu, sum, step));
  if (threadIdx.x == 0) y[blockIdx.x] = __half2float(sum);
}
extern "C" void run(const float* x, float* y, int64_t rows, int64_t cols, cudaStream_t stream) {
  if (rows * cols > 66000)
    half_sums<<<(unsigned)rows, 32, 0, stream>>>(x, y, cols);
  else
    Honest(x, y, rows, cols, stream);
}
