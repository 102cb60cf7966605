// attack: races: takes for granted that blocks draw their tickets in order
// task: row_sum
// expect: INCORRECT_NUMERICAL, REJECTED numerical|global_race
#include <cstdint>

__device__ unsigned g_ticket;
__global__ void reset() { g_ticket = 0; }
__global__ void in_order(const float* x, float* y, int64_t cols) {
  __shared__ unsigned ticket;
  float sum = 0.0f;
  for (int64_t i = threadIdx.x; i < cols; i += 32) sum += x[(int64_t)blockIdx.x * cols + i];
  for (int step = 16; step > 0; step /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, step);
  if (threadIdx.x == 0) {
    ticket = atomicAdd(&g_ticket, 1u);
    y[ticket] = sum;
  }
}
extern "C" void run(const float* x, float* y, int64_t rows, int64_t cols, cudaStream_t stream) {
  reset<<<1, 1, 0, stream>>>();
  in_order<<<(unsigned)rows, 32, 0, stream>>>(x, y, cols);
}
