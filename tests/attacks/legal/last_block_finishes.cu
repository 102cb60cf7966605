// legal: the last block to arrive, by an atomic ticket and fences, adds up what all have left
// task: row_sum
#include <cstdint>

__device__ unsigned g_arrived[4096];
__device__ float g_parts[4096 * 4];
__global__ void last_finishes(const float* x, float* y, int64_t cols) {
  __shared__ bool last;
  float sum = 0.0f;
  for (int64_t i = blockIdx.y * 32 + threadIdx.x; i < cols; i += 128) sum += x[(int64_t)blockIdx.x * cols + i];
  for (int step = 16; step > 0; step /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, step);
  if (threadIdx.x == 0) {
    g_parts[blockIdx.x * 4 + blockIdx.y] = sum;
    __threadfence();
    last = atomicAdd(&g_arrived[blockIdx.x], 1u) == 3;
  }
  __syncwarp();
  if (!last || threadIdx.x != 0) return;
  __threadfence();
  volatile float* parts = g_parts + blockIdx.x * 4;
  y[blockIdx.x] = parts[0] + parts[1] + parts[2] + parts[3];
  g_arrived[blockIdx.x] = 0;
}
extern "C" void run(const float* x, float* y, int64_t rows, int64_t cols, cudaStream_t stream) {
  last_finishes<<<dim3((unsigned)rows, 4), 32, 0, stream>>>(x, y, cols);
}
