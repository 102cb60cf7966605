// style: by expm1 of -2|x|, exact near zero, the sign put back; grid-stride.
#include <cstdint>

__global__ void tanh_by_expm1(const float* __restrict__ x, float* __restrict__ y, int64_t n) {
  const int64_t step = (int64_t)gridDim.x * blockDim.x;
  for (int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += step) {
    const float value = x[i];
    const float t = expm1f(-2.0f * fabsf(value));
    y[i] = copysignf(-t / (t + 2.0f), value);
  }
}

extern "C" void run(const float* x, float* y, int64_t n, cudaStream_t stream) {
  const int64_t wanted = (n + 255) / 256;
  tanh_by_expm1<<<(unsigned)(wanted < 432 ? wanted : 432), 256, 0, stream>>>(x, y, n);
}
