// task: row_max
// fault: the maximum starts at 0 and not at minus infinity: rows of negative numbers give 0

#include <cstdint>

__global__ void row_max_kernel(const float* x, float* y, int64_t cols) {
  extern __shared__ float best[];
  const float* row = x + blockIdx.x * cols;
  float largest = 0.0f;
  for (int64_t c = threadIdx.x; c < cols; c += blockDim.x) largest = fmaxf(largest, row[c]);
  best[threadIdx.x] = largest;
  __syncthreads();
  for (unsigned half = blockDim.x >> 1; half != 0; half >>= 1) {
    if (threadIdx.x < half) best[threadIdx.x] = fmaxf(best[threadIdx.x], best[threadIdx.x + half]);
    __syncthreads();
  }
  if (threadIdx.x == 0) y[blockIdx.x] = best[0];
}

extern "C" void run(const float* x, float* y, int64_t rows, int64_t cols, cudaStream_t stream) {
  const int threads = 128;
  row_max_kernel<<<(unsigned)rows, threads, threads * sizeof(float), stream>>>(x, y, cols);
}
