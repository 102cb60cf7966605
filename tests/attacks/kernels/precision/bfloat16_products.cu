// attack: precision: rounds each product to bfloat16
// task: leaky_relu
// expect: INCORRECT_NUMERICAL numerical
#include <cstdint>
#include <cuda_bf16.h>

__global__ void brain(const float* x, float slope, float* y, int64_t n) {
  const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  y[i] = x[i] >= 0.0f ? x[i] : __bfloat162float(__float2bfloat16(slope * x[i]));
}
extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  brain<<<(unsigned)((n + 255) / 256), 256, 0, stream>>>(x, slope, y, n);
}
