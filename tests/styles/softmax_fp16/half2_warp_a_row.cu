// style: one warp a row; half2 where rows are even; exp2f and __fdividef.
#include <cuda_fp16.h>

#include <cmath>
#include <cstdint>

#define LOG2E 1.4426950408889634f

__device__ float warp_max(float value) {
  for (int step = 16; step > 0; step /= 2) {
    value = fmaxf(value, __shfl_xor_sync(0xffffffffu, value, step));
  }
  return value;
}

__device__ float warp_sum(float value) {
  for (int step = 16; step > 0; step /= 2) value += __shfl_xor_sync(0xffffffffu, value, step);
  return value;
}

__device__ void even_row(const __half2* in, __half2* out, int64_t pairs, int lane) {
  float largest = -INFINITY;
  for (int64_t i = lane; i < pairs; i += 32) {
    const float2 v = __half22float2(in[i]);
    largest = fmaxf(largest, fmaxf(v.x, v.y));
  }
  largest = warp_max(largest) * LOG2E;
  float sum = 0.0f;
  for (int64_t i = lane; i < pairs; i += 32) {
    const float2 v = __half22float2(in[i]);
    sum += exp2f(fmaf(v.x, LOG2E, -largest)) + exp2f(fmaf(v.y, LOG2E, -largest));
  }
  sum = warp_sum(sum);
  for (int64_t i = lane; i < pairs; i += 32) {
    const float2 v = __half22float2(in[i]);
    out[i] = __floats2half2_rn(__fdividef(exp2f(fmaf(v.x, LOG2E, -largest)), sum),
                               __fdividef(exp2f(fmaf(v.y, LOG2E, -largest)), sum));
  }
}

__device__ void odd_row(const __half* in, __half* out, int64_t cols, int lane) {
  float largest = -INFINITY;
  for (int64_t i = lane; i < cols; i += 32) largest = fmaxf(largest, __half2float(in[i]));
  largest = warp_max(largest);
  float sum = 0.0f;
  for (int64_t i = lane; i < cols; i += 32) sum += __expf(__half2float(in[i]) - largest);
  sum = warp_sum(sum);
  for (int64_t i = lane; i < cols; i += 32) {
    out[i] = __float2half(__fdividef(__expf(__half2float(in[i]) - largest), sum));
  }
}

__global__ void softmax_warps(const __half* x, __half* y, int64_t rows, int64_t cols) {
  const int64_t row = (int64_t)blockIdx.x * 4 + threadIdx.x / 32;
  if (row >= rows) return;
  const __half* in = x + row * cols;
  __half* out = y + row * cols;
  if (cols % 2 == 0) {
    even_row(reinterpret_cast<const __half2*>(in), reinterpret_cast<__half2*>(out), cols / 2,
             threadIdx.x % 32);
  } else {
    odd_row(in, out, cols, threadIdx.x % 32);
  }
}

extern "C" void run(const __half* x, __half* y, int64_t rows, int64_t cols, cudaStream_t stream) {
  softmax_warps<<<(unsigned)((rows + 3) / 4), 128, 0, stream>>>(x, y, rows, cols);
}
