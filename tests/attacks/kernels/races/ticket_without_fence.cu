// attack: races: the last block of a row sums what the others stored without a fence
// task: row_sum
// expect: REJECTED global_race
#include <cstdint>

__device__ unsigned g_done[1 << 16];
__device__ float g_part[4 << 16];
__global__ void unfenced(const float* x, float* y, int64_t cols) {
  const int64_t row = blockIdx.x;
  float sum = 0.0f;
  for (int64_t i = blockIdx.y * 32 + threadIdx.x; i < cols; i += 128) sum += x[row * cols + i];
  for (int step = 16; step > 0; step /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, step);
  if (threadIdx.x != 0) return;
  g_part[row * 4 + blockIdx.y] = sum;
  if (atomicInc(&g_done[row], 3u) != 3u) return;
  y[row] = g_part[row * 4] + g_part[row * 4 + 1] + g_part[row * 4 + 2] + g_part[row * 4 + 3];
}
extern "C" void run(const float* x, float* y, int64_t rows, int64_t cols, cudaStream_t stream) {
  unfenced<<<dim3((unsigned)rows, 4), 32, 0, stream>>>(x, y, cols);
}
