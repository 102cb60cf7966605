// task: row_sum
// control: pieces of 1024 columns, summed by shuffles and added to the row by atomics

#include <cstdint>

__global__ void row_sum_kernel(const float* __restrict__ x, float* __restrict__ y, int64_t cols) {
  const int64_t first = (int64_t)blockIdx.y * 1024;
  const int64_t end = first + 1024 < cols ? first + 1024 : cols;
  const float* row = x + blockIdx.x * cols;
  float sum = 0.0f;
  for (int64_t c = first + threadIdx.x; c < end; c += blockDim.x) sum += row[c];
  for (int step = 16; step > 0; step /= 2) sum += __shfl_down_sync(0xffffffffu, sum, step);
  if (threadIdx.x % 32 == 0) atomicAdd(y + blockIdx.x, sum);
}

extern "C" void run(const float* x, float* y, int64_t rows, int64_t cols, cudaStream_t stream) {
  cudaMemsetAsync(y, 0, rows * sizeof(float), stream);
  const dim3 grid((unsigned)rows, (unsigned)((cols + 1023) / 1024));
  row_sum_kernel<<<grid, 128, 0, stream>>>(x, y, cols);
}
