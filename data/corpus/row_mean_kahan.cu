// task: row_mean
// control: compensated sums in each thread, then a tree that halves a block of any size

#include <cstdint>

__global__ void row_mean_kernel(const float* x, float* y, int64_t cols) {
  extern __shared__ float sums[];
  const float* row = x + blockIdx.x * cols;
  float sum = 0.0f, lost = 0.0f;
  for (int64_t c = threadIdx.x; c < cols; c += blockDim.x) {
    const float term = row[c] - lost, next = sum + term;
    // What is infinite has lost nothing that could be given back.
    lost = isfinite(next) ? (next - sum) - term : 0.0f;
    sum = next;
  }
  sums[threadIdx.x] = sum;
  __syncthreads();
  for (unsigned size = blockDim.x; size > 1;) {
    const unsigned half = (size + 1) / 2;
    if (threadIdx.x < size / 2) sums[threadIdx.x] += sums[threadIdx.x + half];
    __syncthreads();
    size = half;
  }
  if (threadIdx.x == 0) y[blockIdx.x] = sums[0] / (float)cols;
}

extern "C" void run(const float* x, float* y, int64_t rows, int64_t cols, cudaStream_t stream) {
  const int threads = cols < 160 ? 32 : 160;
  row_mean_kernel<<<(unsigned)rows, threads, threads * sizeof(float), stream>>>(x, y, cols);
}
