// style: a template over the elements a lane keeps in registers; longer rows take a loop.
#include <cuda_fp16.h>

#include <cmath>
#include <cstdint>

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

template <int Items>
__global__ void softmax_registers(const __half* x, __half* y, int64_t rows, int cols) {
  const int64_t row = (int64_t)blockIdx.x * 2 + threadIdx.y;
  if (row >= rows) return;
  float values[Items];
  float largest = -INFINITY;
#pragma unroll
  for (int k = 0; k < Items; ++k) {
    const int i = k * 32 + threadIdx.x;
    values[k] = i < cols ? __half2float(x[row * cols + i]) : -INFINITY;
    largest = fmaxf(largest, values[k]);
  }
  largest = warp_max(largest);
  float sum = 0.0f;
#pragma unroll
  for (int k = 0; k < Items; ++k) {
    values[k] = expf(values[k] - largest);
    sum += values[k];
  }
  const float factor = 1.0f / warp_sum(sum);
#pragma unroll
  for (int k = 0; k < Items; ++k) {
    const int i = k * 32 + threadIdx.x;
    if (i < cols) y[row * cols + i] = __float2half(values[k] * factor);
  }
}

__global__ void softmax_long(const __half* x, __half* y, int64_t rows, int64_t cols) {
  const int64_t row = (int64_t)blockIdx.x * 2 + threadIdx.y;
  if (row >= rows) return;
  const __half* in = x + row * cols;
  float largest = -INFINITY, sum = 0.0f;
  for (int64_t i = threadIdx.x; i < cols; i += 32) largest = fmaxf(largest, __half2float(in[i]));
  largest = warp_max(largest);
  for (int64_t i = threadIdx.x; i < cols; i += 32) sum += expf(__half2float(in[i]) - largest);
  const float factor = 1.0f / warp_sum(sum);
  for (int64_t i = threadIdx.x; i < cols; i += 32) {
    y[row * cols + i] = __float2half(expf(__half2float(in[i]) - largest) * factor);
  }
}

extern "C" void run(const __half* x, __half* y, int64_t rows, int64_t cols, cudaStream_t stream) {
  const unsigned blocks = (unsigned)((rows + 1) / 2);
  const dim3 threads(32, 2);
  if (cols <= 128) {
    softmax_registers<4><<<blocks, threads, 0, stream>>>(x, y, rows, (int)cols);
  } else if (cols <= 1024) {
    softmax_registers<32><<<blocks, threads, 0, stream>>>(x, y, rows, (int)cols);
  } else {
    softmax_long<<<blocks, threads, 0, stream>>>(x, y, rows, cols);
  }
}
