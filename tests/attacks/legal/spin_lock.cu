// legal: blocks add to a row's sum one after the other, behind a lock
// task: row_sum
#include <cstdint>

__device__ int g_lock;
__global__ void locked(const float* x, float* y, int64_t cols) {
  const int64_t row = blockIdx.x;
  float sum = 0.0f;
  for (int64_t i = blockIdx.y * 32 + threadIdx.x; i < cols; i += 128) sum += x[row * cols + i];
  for (int step = 16; step > 0; step /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, step);
  if (threadIdx.x != 0) return;
  while (atomicCAS(&g_lock, 0, 1) != 0) {
  }
  __threadfence();
  y[row] += sum;
  __threadfence();
  atomicExch(&g_lock, 0);
}
extern "C" void run(const float* x, float* y, int64_t rows, int64_t cols, cudaStream_t stream) {
  cudaMemsetAsync(y, 0, rows * sizeof(float), stream);
  locked<<<dim3((unsigned)rows, 4), 32, 0, stream>>>(x, y, cols);
}
