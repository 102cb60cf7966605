// One block a row; a tree in shared memory for the mean, then for the variance.
#include <cuda_fp16.h>

#include <cstdint>

#define THREADS 256

__device__ float block_sum(float value, float* partial) {
  const int tid = threadIdx.x;
  partial[tid] = value;
  __syncthreads();
  for (int step = THREADS / 2; step > 0; step /= 2) {
    if (tid < step) partial[tid] += partial[tid + step];
    __syncthreads();
  }
  const float sum = partial[0];
  __syncthreads();
  return sum;
}

__global__ void layernorm_rows(const __half* x, const __half* weight, const __half* bias, __half* y,
                               int64_t cols) {
  __shared__ float partial[THREADS];
  const __half* in = x + (int64_t)blockIdx.x * cols;
  __half* out = y + (int64_t)blockIdx.x * cols;

  float sum = 0.0f;
  for (int64_t i = threadIdx.x; i < cols; i += THREADS) sum += __half2float(in[i]);
  const float mean = block_sum(sum, partial) / (float)cols;

  float squares = 0.0f;
  for (int64_t i = threadIdx.x; i < cols; i += THREADS) {
    const float centred = __half2float(in[i]) - mean;
    squares += centred * centred;
  }
  const float variance = block_sum(squares, partial) / (float)cols;
  const float scale = 1.0f / sqrtf(variance + 1e-5f);

  for (int64_t i = threadIdx.x; i < cols; i += THREADS) {
    const float value = (__half2float(in[i]) - mean) * scale;
    out[i] = __float2half(value * __half2float(weight[i]) + __half2float(bias[i]));
  }
}

extern "C" void run(const __half* x, const __half* weight, const __half* bias, __half* y,
                    int64_t rows, int64_t cols, cudaStream_t stream) {
  layernorm_rows<<<(unsigned)rows, THREADS, 0, stream>>>(x, weight, bias, y, cols);
}
