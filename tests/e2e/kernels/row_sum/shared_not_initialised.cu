// expect: REJECTED uninitialised
#include <cstdint>
__global__ void row_sum(const float* x, float* y, int64_t cols) {
  __shared__ float part[256];
  const int t = threadIdx.x;
  for (int64_t i = t; i < cols; i += 256) part[t] += x[(int64_t)blockIdx.x * cols + i];
  __syncthreads();
  for (int d = 128; d > 0; d /= 2) {
    if (t < d) part[t] += part[t + d];
    __syncthreads();
  }
  if (t == 0) y[blockIdx.x] = part[0];
}
extern "C" void run(const float* x, float* y, int64_t rows, int64_t cols, cudaStream_t stream) {
  row_sum<<<(unsigned)rows, 256, 0, stream>>>(x, y, cols);
}
