// task: row_sum rows=8192 cols=256
#include <cstdint>
__global__ void row_sum(const float* x, float* y, int64_t cols) {
  __shared__ float part[8];
  float s = 0.0f;
  for (int64_t i = threadIdx.x; i < cols; i += 256) s += x[(int64_t)blockIdx.x * cols + i];
  for (int d = 16; d > 0; d /= 2) s += __shfl_down_sync(0xffffffffu, s, d);
  if (threadIdx.x % 32 == 0) part[threadIdx.x / 32] = s;
  __syncthreads();
  if (threadIdx.x < 8) {
    s = part[threadIdx.x];
    for (int d = 4; d > 0; d /= 2) s += __shfl_down_sync(0xffu, s, d);
    if (threadIdx.x == 0) y[blockIdx.x] = s;
  }
}
extern "C" void run(const float* x, float* y, int64_t rows, int64_t cols, cudaStream_t stream) {
  row_sum<<<(unsigned)rows, 256, 0, stream>>>(x, y, cols);
}
