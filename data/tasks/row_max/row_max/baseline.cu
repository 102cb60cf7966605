// One block a row; a tree in shared memory.
#include <cfloat>
#include <cstdint>

#define THREADS 256

__global__ void row_max_rows(const float* x, float* y, int64_t cols) {
  __shared__ float partial[THREADS];
  const float* in = x + (int64_t)blockIdx.x * cols;
  const int tid = threadIdx.x;

  float largest = -FLT_MAX;
  for (int64_t i = tid; i < cols; i += THREADS) largest = fmaxf(largest, in[i]);
  partial[tid] = largest;
  __syncthreads();
  for (int step = THREADS / 2; step > 0; step /= 2) {
    if (tid < step) partial[tid] = fmaxf(partial[tid], partial[tid + step]);
    __syncthreads();
  }
  if (tid == 0) y[blockIdx.x] = partial[0];
}

extern "C" void run(const float* x, float* y, int64_t rows, int64_t cols, cudaStream_t stream) {
  row_max_rows<<<(unsigned)rows, THREADS, 0, stream>>>(x, y, cols);
}
