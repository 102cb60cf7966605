// style: the normalised value is rounded to half, then multiplied by the weight in half.
#include <cuda_fp16.h>

#include <cstdint>

#define THREADS 256

__global__ void rmsnorm_rounded(const __half* x, const __half* weight, __half* y, int64_t cols) {
  __shared__ float partial[THREADS];
  const __half* in = x + (int64_t)blockIdx.x * cols;
  __half* out = y + (int64_t)blockIdx.x * cols;
  float squares = 0.0f;
  for (int64_t i = threadIdx.x; i < cols; i += THREADS) {
    const float value = __half2float(in[i]);
    squares += value * value;
  }
  partial[threadIdx.x] = squares;
  __syncthreads();
  for (int step = THREADS / 2; step > 0; step /= 2) {
    if (threadIdx.x < step) partial[threadIdx.x] += partial[threadIdx.x + step];
    __syncthreads();
  }
  const float scale = rsqrtf(partial[0] / (float)cols + 1e-6f);
  for (int64_t i = threadIdx.x; i < cols; i += THREADS) {
    out[i] = __hmul(weight[i], __float2half(__half2float(in[i]) * scale));
  }
}

extern "C" void run(const __half* x, const __half* weight, __half* y, int64_t rows, int64_t cols,
                    cudaStream_t stream) {
  rmsnorm_rounded<<<(unsigned)rows, THREADS, 0, stream>>>(x, weight, y, cols);
}
