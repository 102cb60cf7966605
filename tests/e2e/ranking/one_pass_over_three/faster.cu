// task: softmax rows=1024 cols=2048
#include <cfloat>
#include <cstdint>
__device__ float BlockMax(float v, float* part) {
  for (int d = 16; d > 0; d /= 2) v = fmaxf(v, __shfl_xor_sync(0xffffffffu, v, d));
  if (threadIdx.x % 32 == 0) part[threadIdx.x / 32] = v;
  __syncthreads();
  for (int i = 0; i < 8; ++i) v = fmaxf(v, part[i]);
  __syncthreads();
  return v;
}
__device__ float BlockSum(float v, float* part) {
  for (int d = 16; d > 0; d /= 2) v += __shfl_xor_sync(0xffffffffu, v, d);
  if (threadIdx.x % 32 == 0) part[threadIdx.x / 32] = v;
  __syncthreads();
  v = 0.0f;
  for (int i = 0; i < 8; ++i) v += part[i];
  __syncthreads();
  return v;
}

__global__ void softmax(const float* x, float* y, int64_t cols) {
  __shared__ float part[8];
  float v[8];
  const int64_t row = (int64_t)blockIdx.x * cols;
  float m = -FLT_MAX;
#pragma unroll
  for (int k = 0; k < 8; ++k) {
    const int64_t i = threadIdx.x + k * 256;
    v[k] = i < cols ? x[row + i] : -FLT_MAX;
    m = fmaxf(m, v[k]);
  }
  m = BlockMax(m, part);
  float s = 0.0f;
#pragma unroll
  for (int k = 0; k < 8; ++k) {
    v[k] = expf(v[k] - m);
    s += v[k];
  }
  s = 1.0f / BlockSum(s, part);
#pragma unroll
  for (int k = 0; k < 8; ++k) {
    const int64_t i = threadIdx.x + k * 256;
    if (i < cols) y[row + i] = v[k] * s;
  }
}
extern "C" void run(const float* x, float* y, int64_t rows, int64_t cols, cudaStream_t stream) {
  softmax<<<(unsigned)rows, 256, 0, stream>>>(x, y, cols);
}
