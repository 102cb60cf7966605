// One block a row; a tree in shared memory for the maximum, then for the sum.
#include <cfloat>
#include <cstdint>

#define THREADS 256

__global__ void logsumexp_rows(const float* x, float* y, int64_t cols) {
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
  largest = partial[0];
  __syncthreads();

  float sum = 0.0f;
  for (int64_t i = tid; i < cols; i += THREADS) sum += expf(in[i] - largest);
  partial[tid] = sum;
  __syncthreads();
  for (int step = THREADS / 2; step > 0; step /= 2) {
    if (tid < step) partial[tid] += partial[tid + step];
    __syncthreads();
  }
  if (tid == 0) y[blockIdx.x] = largest + logf(partial[0]);
}

extern "C" void run(const float* x, float* y, int64_t rows, int64_t cols, cudaStream_t stream) {
  logsumexp_rows<<<(unsigned)rows, THREADS, 0, stream>>>(x, y, cols);
}
