// style: statistics in float32 by a block, the normalised value rounded to half, then one __hfma
// with weight and bias.
#include <cuda_fp16.h>

#include <cstdint>

#define WARPS 4

__device__ float block_sum(float value, float* of_warps) {
  for (int step = 16; step > 0; step /= 2) value += __shfl_xor_sync(0xffffffffu, value, step);
  if (threadIdx.x % 32 == 0) of_warps[threadIdx.x / 32] = value;
  __syncthreads();
  value = (of_warps[0] + of_warps[1]) + (of_warps[2] + of_warps[3]);
  __syncthreads();
  return value;
}

__global__ void layernorm_rows(const __half* x, const __half* weight, const __half* bias, __half* y,
                               int64_t cols) {
  __shared__ float of_warps[WARPS];
  const __half* in = x + (int64_t)blockIdx.x * cols;
  float sum = 0.0f;
  for (int64_t i = threadIdx.x; i < cols; i += WARPS * 32) sum += __half2float(in[i]);
  const float mean = block_sum(sum, of_warps) / (float)cols;
  float squares = 0.0f;
  for (int64_t i = threadIdx.x; i < cols; i += WARPS * 32) {
    const float centred = __half2float(in[i]) - mean;
    squares += centred * centred;
  }
  const float scale = rsqrtf(block_sum(squares, of_warps) / (float)cols + 1e-5f);
  for (int64_t i = threadIdx.x; i < cols; i += WARPS * 32) {
    const __half normalised = __float2half((__half2float(in[i]) - mean) * scale);
    y[(int64_t)blockIdx.x * cols + i] = __hfma(normalised, weight[i], bias[i]);
  }
}

extern "C" void run(const __half* x, const __half* weight, const __half* bias, __half* y,
                    int64_t rows, int64_t cols, cudaStream_t stream) {
  layernorm_rows<<<(unsigned)rows, WARPS * 32, 0, stream>>>(x, weight, bias, y, cols);
}
