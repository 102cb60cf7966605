// style: one warp a row, pairs of bfloat16 where rows are even, float32 inside.
#include <cuda_bf16.h>

#include <cstdint>

__device__ float warp_sum(float value) {
  for (int step = 16; step > 0; step /= 2) value += __shfl_xor_sync(0xffffffffu, value, step);
  return value;
}

__device__ float2 pair_sum(const __nv_bfloat16* x, const __nv_bfloat16* residual, int64_t pair) {
  const float2 a = __bfloat1622float2(reinterpret_cast<const __nv_bfloat162*>(x)[pair]);
  const float2 b = __bfloat1622float2(reinterpret_cast<const __nv_bfloat162*>(residual)[pair]);
  return make_float2(a.x + b.x, a.y + b.y);
}

__device__ void even_row(const __nv_bfloat16* x, const __nv_bfloat16* residual,
                         const __nv_bfloat16* weight, float eps, __nv_bfloat16* y,
                         __nv_bfloat16* residual_out, int64_t cols, int lane) {
  float squares = 0.0f;
  for (int64_t i = lane; i < cols / 2; i += 32) {
    const float2 sum = pair_sum(x, residual, i);
    reinterpret_cast<__nv_bfloat162*>(residual_out)[i] = __floats2bfloat162_rn(sum.x, sum.y);
    squares += sum.x * sum.x + sum.y * sum.y;
  }
  const float scale = rsqrtf(warp_sum(squares) / (float)cols + eps);
  for (int64_t i = lane; i < cols / 2; i += 32) {
    const float2 sum = pair_sum(x, residual, i);
    const float2 w = __bfloat1622float2(reinterpret_cast<const __nv_bfloat162*>(weight)[i]);
    reinterpret_cast<__nv_bfloat162*>(y)[i] =
        __floats2bfloat162_rn(sum.x * scale * w.x, sum.y * scale * w.y);
  }
}

__device__ void odd_row(const __nv_bfloat16* x, const __nv_bfloat16* residual,
                        const __nv_bfloat16* weight, float eps, __nv_bfloat16* y,
                        __nv_bfloat16* residual_out, int64_t cols, int lane) {
  float squares = 0.0f;
  for (int64_t i = lane; i < cols; i += 32) {
    const float sum = __bfloat162float(x[i]) + __bfloat162float(residual[i]);
    residual_out[i] = __float2bfloat16(sum);
    squares += sum * sum;
  }
  const float scale = rsqrtf(warp_sum(squares) / (float)cols + eps);
  for (int64_t i = lane; i < cols; i += 32) {
    const float sum = __bfloat162float(x[i]) + __bfloat162float(residual[i]);
    y[i] = __float2bfloat16(sum * scale * __bfloat162float(weight[i]));
  }
}

__global__ void fused_add_rmsnorm_warps(const __nv_bfloat16* x, const __nv_bfloat16* residual,
                                        const __nv_bfloat16* weight, float eps, __nv_bfloat16* y,
                                        __nv_bfloat16* residual_out, int64_t rows, int64_t cols) {
  const int64_t row = (int64_t)blockIdx.x * 4 + threadIdx.x / 32;
  if (row >= rows) return;
  const int64_t at = row * cols;
  if (cols % 2 == 0) {
    even_row(x + at, residual + at, weight, eps, y + at, residual_out + at, cols, threadIdx.x % 32);
  } else {
    odd_row(x + at, residual + at, weight, eps, y + at, residual_out + at, cols, threadIdx.x % 32);
  }
}

extern "C" void run(const __nv_bfloat16* x, const __nv_bfloat16* residual,
                    const __nv_bfloat16* weight, float eps, __nv_bfloat16* y,
                    __nv_bfloat16* residual_out, int64_t rows, int64_t cols, cudaStream_t stream) {
  fused_add_rmsnorm_warps<<<(unsigned)((rows + 3) / 4), 128, 0, stream>>>(
      x, residual, weight, eps, y, residual_out, rows, cols);
}
