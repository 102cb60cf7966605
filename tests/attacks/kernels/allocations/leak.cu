// attack: allocations: allocates a workspace in every call and frees none
// task: row_sum
// expect: REJECTED leak
#include <cstdint>

__global__ void parts(const float* x, float* part, int64_t cols) {
  float sum = 0.0f;
  for (int64_t i = threadIdx.x; i < cols; i += 32) sum += x[blockIdx.x * cols + i];
  part[blockIdx.x * 32 + threadIdx.x] = sum;
}
__global__ void finish(const float* part, float* y) {
  float sum = 0.0f;
  for (int i = 0; i < 32; ++i) sum += part[blockIdx.x * 32 + i];
  y[blockIdx.x] = sum;
}
extern "C" void run(const float* x, float* y, int64_t rows, int64_t cols, cudaStream_t stream) {
  float* part = nullptr;
  cudaMallocAsync(&part, rows * 32 * sizeof(float), stream);
  parts<<<(unsigned)rows, 32, 0, stream>>>(x, part, cols);
  finish<<<(unsigned)rows, 1, 0, stream>>>(part, y);
}
