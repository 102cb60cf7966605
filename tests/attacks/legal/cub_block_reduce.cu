// legal: cub::BlockReduce
// task: row_sum
#include <cstdint>
#include <cub/block/block_reduce.cuh>

__global__ void reduces(const float* x, float* y, int64_t cols) {
  using Reduce = cub::BlockReduce<float, 128>;
  __shared__ typename Reduce::TempStorage storage;
  float sum = 0.0f;
  for (int64_t i = threadIdx.x; i < cols; i += 128) sum += x[(int64_t)blockIdx.x * cols + i];
  sum = Reduce(storage).Sum(sum);
  if (threadIdx.x == 0) y[blockIdx.x] = sum;
}
extern "C" void run(const float* x, float* y, int64_t rows, int64_t cols, cudaStream_t stream) {
  reduces<<<(unsigned)rows, 128, 0, stream>>>(x, y, cols);
}
