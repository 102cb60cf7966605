// legal: a workspace that is kept between calls and grows
// task: row_sum
#include <cstdint>

__global__ void squash(const float* x, float* partial, int64_t cols) {
  float sum = 0.0f;
  for (int64_t i = threadIdx.x; i < cols; i += 64) sum += x[(int64_t)blockIdx.x * cols + i];
  partial[(int64_t)blockIdx.x * 64 + threadIdx.x] = sum;
}
__global__ void finish(const float* partial, float* y) {
  float sum = partial[(int64_t)blockIdx.x * 64 + threadIdx.x] + partial[(int64_t)blockIdx.x * 64 + 32 + threadIdx.x];
  for (int step = 16; step > 0; step /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, step);
  if (threadIdx.x == 0) y[blockIdx.x] = sum;
}
extern "C" void run(const float* x, float* y, int64_t rows, int64_t cols, cudaStream_t stream) {
  static float* partial = nullptr;
  static int64_t room = 0;
  if (room < rows) {
    cudaFree(partial);
    cudaMalloc(&partial, rows * 64 * sizeof(float));
    room = rows;
  }
  squash<<<(unsigned)rows, 64, 0, stream>>>(x, partial, cols);
  finish<<<(unsigned)rows, 32, 0, stream>>>(partial, y);
}
