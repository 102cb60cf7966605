// expect: MALFORMED unbalanced
#include <cstdint>
__global__ void k(const float* x, float* y, int64_t n) {
  int64_t i = blockIdx.x * 256 + threadIdx.x;
  if (i < n) {
    y[i] = x[i];
  }
  extern "C" void run(const float* x, float* y, int64_t rows, int64_t cols, cudaStream_t stream) {
    k<<<(unsigned)((rows * cols + 255) / 256), 256, 0, stream>>>(x, y, rows * cols);
  }
