// attack: precision: adds float32 rows up in half precision
// task: row_sum
// expect: INCORRECT_NUMERICAL numerical
#include <cstdint>
#include <cuda_fp16.h>

__global__ void half_sums(const float* x, float* y, int64_t cols) {
  __half sum = __float2half(0.0f);
  for (int64_t i = threadIdx.x; i < cols; i += 32)
    sum = __hadd(sum, __float2half(x[(int64_t)blockIdx.x * cols + i]));
  for (int step = 16; step > 0; step /= 2) sum = __hadd(sum, __shfl_xor_sync(0xffffffffu, sum, step));
  if (threadIdx.x == 0) y[blockIdx.x] = __half2float(sum);
}
extern "C" void run(const float* x, float* y, int64_t rows, int64_t cols, cudaStream_t stream) {
  half_sums<<<(unsigned)rows, 32, 0, stream>>>(x, y, cols);
}
