// style: one block a row, one pass for maximum and sum with __expf, __logf at the end.
#include <cmath>
#include <cstdint>

#define THREADS 256

__global__ void log_softmax_online(const float* __restrict__ x, float* __restrict__ y,
                                   int64_t cols) {
  __shared__ float maxima[THREADS];
  __shared__ float sums[THREADS];
  const float* in = x + (int64_t)blockIdx.x * cols;
  const int tid = threadIdx.x;
  float largest = -INFINITY, sum = 0.0f;
  for (int64_t i = tid; i < cols; i += THREADS) {
    const float value = in[i];
    const float before = largest;
    largest = fmaxf(largest, value);
    sum = sum * __expf(before - largest) + __expf(value - largest);
  }
  maxima[tid] = largest;
  sums[tid] = sum;
  __syncthreads();
  for (int step = THREADS / 2; step > 0; step /= 2) {
    if (tid < step && maxima[tid + step] != -INFINITY) {
      const float both = fmaxf(maxima[tid], maxima[tid + step]);
      sums[tid] = sums[tid] * __expf(maxima[tid] - both) +
                  sums[tid + step] * __expf(maxima[tid + step] - both);
      maxima[tid] = both;
    }
    __syncthreads();
  }
  largest = maxima[0];
  const float log_sum = __logf(sums[0]);
  for (int64_t i = tid; i < cols; i += THREADS) {
    y[(int64_t)blockIdx.x * cols + i] = (in[i] - largest) - log_sum;
  }
}

extern "C" void run(const float* x, float* y, int64_t rows, int64_t cols, cudaStream_t stream) {
  log_softmax_online<<<(unsigned)rows, THREADS, 0, stream>>>(x, y, cols);
}
