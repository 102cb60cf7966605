// attack: constant: answers NaN, which compares false with everything
// task: leaky_relu
// expect: INCORRECT_NUMERICAL numerical
#include <cstdint>

__global__ void nowhere(float* y, int64_t n) {
  const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = __uint_as_float(0x7fffffffu);
}
extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  nowhere<<<(unsigned)((n + 255) / 256), 256, 0, stream>>>(y, n);
}
