// One block a row; a tree in shared memory for the sum of squares.
#include <cstdint>

#define THREADS 256

__global__ void rmsnorm_rows(const float* x, const float* weight, float* y, int64_t cols) {
  __shared__ float partial[THREADS];
  const float* in = x + (int64_t)blockIdx.x * cols;
  float* out = y + (int64_t)blockIdx.x * cols;
  const int tid = threadIdx.x;

  float squares = 0.0f;
  for (int64_t i = tid; i < cols; i += THREADS) {
    const float value = in[i];
    squares += value * value;
  }
  partial[tid] = squares;
  __syncthreads();
  for (int step = THREADS / 2; step > 0; step /= 2) {
    if (tid < step) partial[tid] += partial[tid + step];
    __syncthreads();
  }
  const float scale = 1.0f / sqrtf(partial[0] / (float)cols + 1e-6f);

  for (int64_t i = tid; i < cols; i += THREADS) {
    out[i] = in[i] * scale * weight[i];
  }
}

extern "C" void run(const float* x, const float* weight, float* y, int64_t rows, int64_t cols,
                    cudaStream_t stream) {
  rmsnorm_rows<<<(unsigned)rows, THREADS, 0, stream>>>(x, weight, y, cols);
}
