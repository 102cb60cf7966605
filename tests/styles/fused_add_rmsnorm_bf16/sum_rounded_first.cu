// style: the sum is rounded to bfloat16 and normalised as it was stored, as two operators would.
#include <cuda_bf16.h>

#include <cstdint>

#define THREADS 128

__global__ void fused_add_rmsnorm_rows(const __nv_bfloat16* x, const __nv_bfloat16* residual,
                                       const __nv_bfloat16* weight, float eps, __nv_bfloat16* y,
                                       __nv_bfloat16* residual_out, int64_t cols) {
  __shared__ float of_warps[THREADS / 32];
  const int64_t start = (int64_t)blockIdx.x * cols;
  float squares = 0.0f;
  for (int64_t i = threadIdx.x; i < cols; i += THREADS) {
    const __nv_bfloat16 sum = __hadd(x[start + i], residual[start + i]);
    residual_out[start + i] = sum;
    squares += __bfloat162float(sum) * __bfloat162float(sum);
  }
  for (int step = 16; step > 0; step /= 2) {
    squares += __shfl_xor_sync(0xffffffffu, squares, step);
  }
  if (threadIdx.x % 32 == 0) of_warps[threadIdx.x / 32] = squares;
  __syncthreads();
  squares = of_warps[0] + of_warps[1] + of_warps[2] + of_warps[3];
  const float scale = rsqrtf(squares / (float)cols + eps);
  for (int64_t i = threadIdx.x; i < cols; i += THREADS) {
    const float value = __bfloat162float(residual_out[start + i]) * scale;
    y[start + i] = __float2bfloat16(value * __bfloat162float(weight[i]));
  }
}

extern "C" void run(const __nv_bfloat16* x, const __nv_bfloat16* residual,
                    const __nv_bfloat16* weight, float eps, __nv_bfloat16* y,
                    __nv_bfloat16* residual_out, int64_t rows, int64_t cols, cudaStream_t stream) {
  fused_add_rmsnorm_rows<<<(unsigned)rows, THREADS, 0, stream>>>(x, residual, weight, eps, y,
                                                                 residual_out, cols);
}
