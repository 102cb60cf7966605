// One block a row; a tree in shared memory for the maximum, then for the sum.
#include <cuda_fp16.h>

#include <cfloat>
#include <cstdint>

#define THREADS 256

__global__ void softmax_rows(const __half* x, __half* y, int64_t cols) {
  __shared__ float partial[THREADS];
  const __half* in = x + (int64_t)blockIdx.x * cols;
  __half* out = y + (int64_t)blockIdx.x * cols;
  const int tid = threadIdx.x;

  float largest = -FLT_MAX;
  for (int64_t i = tid; i < cols; i += THREADS) largest = fmaxf(largest, __half2float(in[i]));
  partial[tid] = largest;
  __syncthreads();
  for (int step = THREADS / 2; step > 0; step /= 2) {
    if (tid < step) partial[tid] = fmaxf(partial[tid], partial[tid + step]);
    __syncthreads();
  }
  largest = partial[0];
  __syncthreads();

  float sum = 0.0f;
  for (int64_t i = tid; i < cols; i += THREADS) sum += expf(__half2float(in[i]) - largest);
  partial[tid] = sum;
  __syncthreads();
  for (int step = THREADS / 2; step > 0; step /= 2) {
    if (tid < step) partial[tid] += partial[tid + step];
    __syncthreads();
  }
  sum = partial[0];

  for (int64_t i = tid; i < cols; i += THREADS)
    out[i] = __float2half(expf(__half2float(in[i]) - largest) / sum);
}

extern "C" void run(const __half* x, __half* y, int64_t rows, int64_t cols, cudaStream_t stream) {
  softmax_rows<<<(unsigned)rows, THREADS, 0, stream>>>(x, y, cols);
}
