// style: the row's exponentials (__expf) stay in shared memory where they fit, else in the output.
#include <cfloat>
#include <cstdint>

#define THREADS 128
#define MOST_SHARED 8192

__device__ float reduce(float value, float* buffer, bool sum) {
  buffer[threadIdx.x] = value;
  for (int step = THREADS / 2; step > 0; step /= 2) {
    __syncthreads();
    if (threadIdx.x < step) {
      const float other = buffer[threadIdx.x + step];
      buffer[threadIdx.x] = sum ? buffer[threadIdx.x] + other : fmaxf(buffer[threadIdx.x], other);
    }
  }
  __syncthreads();
  const float result = buffer[0];
  __syncthreads();
  return result;
}

__global__ void softmax_kept(const float* x, float* y, int64_t cols, bool fits) {
  extern __shared__ float row[];
  __shared__ float buffer[THREADS];
  const float* in = x + (int64_t)blockIdx.x * cols;
  float* out = y + (int64_t)blockIdx.x * cols;
  float* kept = fits ? row : out;
  float largest = -FLT_MAX;
  for (int64_t i = threadIdx.x; i < cols; i += THREADS) largest = fmaxf(largest, in[i]);
  largest = reduce(largest, buffer, false);
  float sum = 0.0f;
  for (int64_t i = threadIdx.x; i < cols; i += THREADS) {
    const float e = __expf(in[i] - largest);
    kept[i] = e;
    sum += e;
  }
  const float factor = 1.0f / reduce(sum, buffer, true);
  for (int64_t i = threadIdx.x; i < cols; i += THREADS) out[i] = kept[i] * factor;
}

extern "C" void run(const float* x, float* y, int64_t rows, int64_t cols, cudaStream_t stream) {
  const bool fits = cols <= MOST_SHARED;
  const size_t bytes = fits ? cols * sizeof(float) : 0;
  softmax_kept<<<(unsigned)rows, THREADS, bytes, stream>>>(x, y, cols, fits);
}
