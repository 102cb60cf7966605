// task: gelu
// control: a grid of fixed size that strides over the elements, erfc for the tail on the left

#include <cstdint>

__global__ void gelu_kernel(const float* __restrict__ x, float* __restrict__ y, int64_t n) {
  const int64_t stride = (int64_t)gridDim.x * blockDim.x;
  for (int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += stride) {
    const float value = x[i];
    y[i] = 0.5f * value * erfcf(-0.707106781f * value);
  }
}

extern "C" void run(const float* x, float* y, int64_t n, cudaStream_t stream) {
  const int64_t wanted = (n + 255) / 256;
  gelu_kernel<<<(unsigned)(wanted < 432 ? wanted : 432), 256, 0, stream>>>(x, y, n);
}
