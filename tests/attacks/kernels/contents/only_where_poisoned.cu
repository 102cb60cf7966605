// attack: contents: writes an element only where the output still holds the poison it has learned
// task: leaky_relu
// expect: INCORRECT_NUMERICAL, REJECTED, RUNTIME_ERROR numerical|uninitialised|output_not_written
#include <cstdint>

__global__ void lazy(const float* x, float slope, float* y, int64_t n, int64_t step) {
  const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  const unsigned poison = __float_as_uint(y[n - 1]);
  if (__float_as_uint(y[i]) != poison) return;
  if (i % step == 0) y[i] = x[i] >= 0.0f ? x[i] : slope * x[i];
}
extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  lazy<<<(unsigned)((n + 255) / 256), 256, 0, stream>>>(x, slope, y, n, 2);
}
