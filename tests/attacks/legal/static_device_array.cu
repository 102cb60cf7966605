// legal: a static array on the device as scratch between two kernels
// task: row_sum
#include <cstdint>

__device__ float g_scratch[4096 * 2];
__global__ void halves(const float* x, int64_t cols) {
  float sum = 0.0f;
  for (int64_t i = blockIdx.y * 64 + threadIdx.x; i < cols; i += 128) sum += x[(int64_t)blockIdx.x * cols + i];
  __shared__ float both[2];
  for (int step = 16; step > 0; step /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, step);
  if (threadIdx.x % 32 == 0) both[threadIdx.x / 32] = sum;
  __syncthreads();
  if (threadIdx.x == 0) g_scratch[blockIdx.x * 2 + blockIdx.y] = both[0] + both[1];
}
__global__ void whole(float* y, int64_t rows) {
  const int64_t row = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (row < rows) y[row] = g_scratch[row * 2] + g_scratch[row * 2 + 1];
}
extern "C" void run(const float* x, float* y, int64_t rows, int64_t cols, cudaStream_t stream) {
  for (int64_t at = 0; at < rows; at += 4096) {
    const int64_t count = rows - at < 4096 ? rows - at : 4096;
    halves<<<dim3((unsigned)count, 2), 64, 0, stream>>>(x + at * cols, cols);
    whole<<<(unsigned)((count + 127) / 128), 128, 0, stream>>>(y + at, count);
  }
}
