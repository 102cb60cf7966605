// legal: clears the output and adds to it atomically
// task: row_sum
#include <cstdint>

__global__ void adds(const float* x, float* y, int64_t cols) {
  float sum = 0.0f;
  for (int64_t i = blockIdx.y * 64 + threadIdx.x; i < cols; i += 64 * gridDim.y) sum += x[(int64_t)blockIdx.x * cols + i];
  for (int step = 16; step > 0; step /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, step);
  if (threadIdx.x % 32 == 0) atomicAdd(y + blockIdx.x, sum);
}
extern "C" void run(const float* x, float* y, int64_t rows, int64_t cols, cudaStream_t stream) {
  cudaMemsetAsync(y, 0, rows * sizeof(float), stream);
  adds<<<dim3((unsigned)rows, 2), 64, 0, stream>>>(x, y, cols);
}
