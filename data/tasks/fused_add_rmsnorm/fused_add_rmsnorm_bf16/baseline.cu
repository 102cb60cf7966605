// One block a row; a tree in shared memory for the sum of squares. The sum is computed twice, so
// that it is not rounded in between.
#include <cuda_bf16.h>

#include <cstdint>

#define THREADS 256

__global__ void fused_add_rmsnorm_rows(const __nv_bfloat16* x, const __nv_bfloat16* residual,
                                       const __nv_bfloat16* weight, float eps, __nv_bfloat16* y,
                                       __nv_bfloat16* residual_out, int64_t cols) {
  __shared__ float partial[THREADS];
  const int64_t start = (int64_t)blockIdx.x * cols;
  const int tid = threadIdx.x;

  float squares = 0.0f;
  for (int64_t i = tid; i < cols; i += THREADS) {
    const float sum = __bfloat162float(x[start + i]) + __bfloat162float(residual[start + i]);
    residual_out[start + i] = __float2bfloat16(sum);
    squares += sum * sum;
  }
  partial[tid] = squares;
  __syncthreads();
  for (int step = THREADS / 2; step > 0; step /= 2) {
    if (tid < step) partial[tid] += partial[tid + step];
    __syncthreads();
  }
  const float scale = 1.0f / sqrtf(partial[0] / (float)cols + eps);

  for (int64_t i = tid; i < cols; i += THREADS) {
    const float sum = __bfloat162float(x[start + i]) + __bfloat162float(residual[start + i]);
    y[start + i] = __float2bfloat16(sum * scale * __bfloat162float(weight[i]));
  }
}

extern "C" void run(const __nv_bfloat16* x, const __nv_bfloat16* residual,
                    const __nv_bfloat16* weight, float eps, __nv_bfloat16* y,
                    __nv_bfloat16* residual_out, int64_t rows, int64_t cols, cudaStream_t stream) {
  fused_add_rmsnorm_rows<<<(unsigned)rows, THREADS, 0, stream>>>(x, residual, weight, eps, y,
                                                                 residual_out, cols);
}
