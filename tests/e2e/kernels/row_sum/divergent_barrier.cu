// expect: REJECTED barrier_divergence
#include <cstdint>
__global__ void row_sum(const float* x, float* y, int64_t cols) {
  __shared__ float part[256];
  __shared__ volatile float idle[256];
  const int t = threadIdx.x;
  float s = 0.0f;
  for (int64_t i = t; i < cols; i += 256) s += x[(int64_t)blockIdx.x * cols + i];
  part[t] = s;
  __syncthreads();
  for (int d = 128; d > 0; d /= 2) {
    if (t < d) {
      part[t] += part[t + d];
      __syncthreads();
    } else {
      idle[t] = 0.0f;
      __syncthreads();
    }
  }
  __syncthreads();
  if (t == 0) y[blockIdx.x] = part[0];
}
extern "C" void run(const float* x, float* y, int64_t rows, int64_t cols, cudaStream_t stream) {
  row_sum<<<(unsigned)rows, 256, 0, stream>>>(x, y, cols);
}
