// legal: a workspace by cudaMallocAsync in every call, two passes
// task: row_sum
#include <cstdint>

__global__ void first_pass(const float* x, float* partial, int64_t cols) {
  float sum = 0.0f;
  for (int64_t i = blockIdx.y * 32 + threadIdx.x; i < cols; i += 32 * gridDim.y)
    sum += x[(int64_t)blockIdx.x * cols + i];
  for (int step = 16; step > 0; step /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, step);
  if (threadIdx.x == 0) partial[(int64_t)blockIdx.x * gridDim.y + blockIdx.y] = sum;
}
__global__ void second_pass(const float* partial, float* y, int64_t rows, int parts) {
  const int64_t row = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (row >= rows) return;
  float sum = 0.0f;
  for (int i = 0; i < parts; ++i) sum += partial[row * parts + i];
  y[row] = sum;
}
extern "C" void run(const float* x, float* y, int64_t rows, int64_t cols, cudaStream_t stream) {
  float* partial = nullptr;
  if (cudaMallocAsync(&partial, rows * 4 * sizeof(float), stream) != cudaSuccess) return;
  first_pass<<<dim3((unsigned)rows, 4), 32, 0, stream>>>(x, partial, cols);
  second_pass<<<(unsigned)((rows + 127) / 128), 128, 0, stream>>>(partial, y, rows, 4);
  cudaFreeAsync(partial, stream);
}
