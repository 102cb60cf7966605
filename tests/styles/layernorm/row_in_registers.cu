// style: one block a row; up to eight elements a thread stay in registers, longer rows are read
// again; two passes, shuffles.
#include <cstdint>

#define THREADS 256
#define KEPT 8

__device__ float block_sum(float value) {
  __shared__ float of_warps[THREADS / 32];
  for (int step = 16; step > 0; step /= 2) value += __shfl_xor_sync(0xffffffffu, value, step);
  __syncthreads();
  if (threadIdx.x % 32 == 0) of_warps[threadIdx.x / 32] = value;
  __syncthreads();
  value = 0.0f;
  for (int i = 0; i < THREADS / 32; ++i) value += of_warps[i];
  return value;
}

__global__ void layernorm_rows(const float* __restrict__ x, const float* __restrict__ weight,
                               const float* __restrict__ bias, float* __restrict__ y,
                               int64_t cols) {
  const float* in = x + (int64_t)blockIdx.x * cols;
  float* out = y + (int64_t)blockIdx.x * cols;
  float kept[KEPT];
  float sum = 0.0f;
#pragma unroll
  for (int k = 0; k < KEPT; ++k) {
    const int64_t i = k * THREADS + threadIdx.x;
    kept[k] = i < cols ? in[i] : 0.0f;
    sum += kept[k];
  }
  for (int64_t i = KEPT * THREADS + threadIdx.x; i < cols; i += THREADS) sum += in[i];
  const float mean = block_sum(sum) / (float)cols;
  float squares = 0.0f;
#pragma unroll
  for (int k = 0; k < KEPT; ++k) {
    const float centred = kept[k] - mean;
    if (k * THREADS + threadIdx.x < cols) squares = fmaf(centred, centred, squares);
  }
  for (int64_t i = KEPT * THREADS + threadIdx.x; i < cols; i += THREADS) {
    squares = fmaf(in[i] - mean, in[i] - mean, squares);
  }
  const float scale = rsqrtf(block_sum(squares) / (float)cols + 1e-5f);
#pragma unroll
  for (int k = 0; k < KEPT; ++k) {
    const int64_t i = k * THREADS + threadIdx.x;
    if (i < cols) out[i] = fmaf((kept[k] - mean) * scale, weight[i], bias[i]);
  }
  for (int64_t i = KEPT * THREADS + threadIdx.x; i < cols; i += THREADS) {
    out[i] = fmaf((in[i] - mean) * scale, weight[i], bias[i]);
  }
}

extern "C" void run(const float* x, const float* weight, const float* bias, float* y, int64_t rows,
                    int64_t cols, cudaStream_t stream) {
  layernorm_rows<<<(unsigned)rows, THREADS, 0, stream>>>(x, weight, bias, y, cols);
}
