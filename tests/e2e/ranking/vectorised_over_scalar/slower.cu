// task: leaky_relu n=4194304
#include <cstdint>
__global__ void leaky(const float* __restrict__ x, float slope, float* __restrict__ y, int64_t n) {
  const int64_t i = (int64_t)blockIdx.x * 256 + threadIdx.x;
  if (i < n) y[i] = x[i] > 0.0f ? x[i] : x[i] * slope;
}
extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  leaky<<<(unsigned)((n + 255) / 256), 256, 0, stream>>>(x, slope, y, n);
}
