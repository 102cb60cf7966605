// One warp a row, two rows a block. Pairs of columns where rows are aligned for that, then what is
// left over.
#include <cuda_fp16.h>

#include <cfloat>
#include <cstdint>

#define WARPS 2

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

__global__ void softmax_rows(const __half* x, __half* y, int64_t rows, int64_t cols) {
  const int lane = threadIdx.x % 32;
  const int64_t row = (int64_t)blockIdx.x * WARPS + threadIdx.x / 32;
  if (row >= rows) return;
  const __half* in = x + row * cols;
  __half* out = y + row * cols;
  const int64_t pairs = cols % 2 == 0 ? cols / 2 : 0;
  const __half2* in2 = reinterpret_cast<const __half2*>(in);

  float largest = -FLT_MAX;
  for (int64_t i = lane; i < pairs; i += 32) {
    const float2 v = __half22float2(in2[i]);
    largest = fmaxf(largest, fmaxf(v.x, v.y));
  }
  for (int64_t tail = 2 * pairs + lane; tail < cols; tail += 32) {
    largest = fmaxf(largest, __half2float(in[tail]));
  }
  largest = warp_max(largest);

  float sum = 0.0f;
  for (int64_t i = lane; i < pairs; i += 32) {
    const float2 v = __half22float2(in2[i]);
    sum += expf(v.x - largest) + expf(v.y - largest);
  }
  for (int64_t tail = 2 * pairs + lane; tail < cols; tail += 32) {
    sum += expf(__half2float(in[tail]) - largest);
  }
  sum = warp_sum(sum);

  for (int64_t i = lane; i < pairs; i += 32) {
    const float2 v = __half22float2(in2[i]);
    reinterpret_cast<__half2*>(out)[i] =
        __floats2half2_rn(expf(v.x - largest) / sum, expf(v.y - largest) / sum);
  }
  for (int64_t tail = 2 * pairs + lane; tail < cols; tail += 32) {
    out[tail] = __float2half(expf(__half2float(in[tail]) - largest) / sum);
  }
}

extern "C" void run(const __half* x, __half* y, int64_t rows, int64_t cols, cudaStream_t stream) {
  softmax_rows<<<(unsigned)((rows + WARPS - 1) / WARPS), WARPS * 32, 0, stream>>>(x, y, rows, cols);
}
