// legal: templates over the block size and the vector width
// task: row_sum
#include <cstdint>

template <int kThreads, typename Index>
__global__ void sums(const float* __restrict__ x, float* __restrict__ y, Index cols) {
  constexpr int kWarps = kThreads / 32;
  __shared__ float partial[kWarps];
  float sum = 0.0f;
  for (Index i = threadIdx.x; i < cols; i += kThreads) sum += x[(int64_t)blockIdx.x * cols + i];
#pragma unroll
  for (int step = 16; step > 0; step /= 2) sum += __shfl_down_sync(0xffffffffu, sum, step);
  if (threadIdx.x % 32 == 0) partial[threadIdx.x / 32] = sum;
  __syncthreads();
  if (threadIdx.x >= 32) return;
  sum = threadIdx.x < kWarps ? partial[threadIdx.x] : 0.0f;
#pragma unroll
  for (int step = 16; step > 0; step /= 2) sum += __shfl_down_sync(0xffffffffu, sum, step);
  if (threadIdx.x == 0) y[blockIdx.x] = sum;
}
extern "C" void run(const float* x, float* y, int64_t rows, int64_t cols, cudaStream_t stream) {
  if (cols <= 64)
    sums<32, int><<<(unsigned)rows, 32, 0, stream>>>(x, y, (int)cols);
  else if (cols <= 1024)
    sums<128, int><<<(unsigned)rows, 128, 0, stream>>>(x, y, (int)cols);
  else
    sums<256, int64_t><<<(unsigned)rows, 256, 0, stream>>>(x, y, cols);
}
