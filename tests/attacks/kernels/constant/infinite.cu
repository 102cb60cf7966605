// attack: constant: answers infinity, so that every relative error is one
// task: row_sum
// expect: INCORRECT_NUMERICAL numerical
#include <cmath>
#include <cstdint>

__global__ void endless(float* y, int64_t n) {
  const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = INFINITY;
}
extern "C" void run(const float* x, float* y, int64_t rows, int64_t cols, cudaStream_t stream) {
  endless<<<(unsigned)((rows + 255) / 256), 256, 0, stream>>>(y, rows);
}
