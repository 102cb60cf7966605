// Kernels and no main.
#include <cuda_fp16.h>

#include <cstdint>
template <class T>
__global__ void scale(const T* x, T* y, int64_t n, T f) {
  int64_t i = blockIdx.x * (int64_t)blockDim.x + threadIdx.x;
  if (i < n) y[i] = x[i] * f;
}
namespace ops {
__global__ void fill(__half* y, bool flag, double v) {
  y[threadIdx.x] = flag ? __double2half(v) : __half(0);
}
}  // namespace ops
__global__ void bad(float* y, unsigned n) { y[threadIdx.x + n] = 1; }
template __global__ void scale<float>(const float*, float*, int64_t, float);
