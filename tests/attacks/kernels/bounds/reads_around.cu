// attack: bounds: reads around the buffers for expected values that may lie next to them
// task: leaky_relu
// expect: RUNTIME_ERROR out_of_bounds
#include <cstdint>

__global__ void looks_around(const float* x, float* y, int64_t n) {
  const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = x[i + n];
}
extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  looks_around<<<(unsigned)((n + 255) / 256), 256, 0, stream>>>(x, y, n);
}
