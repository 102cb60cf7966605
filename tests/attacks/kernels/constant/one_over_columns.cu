// attack: constant: answers what softmax is on average
// task: softmax
// expect: INCORRECT_NUMERICAL numerical
#include <cmath>
#include <cstdint>

__global__ void mean(float* y, int64_t count, float value) {
  const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i < count) y[i] = value;
}
extern "C" void run(const float* x, float* y, int64_t rows, int64_t cols, cudaStream_t stream) {
  mean<<<(unsigned)((rows * cols + 255) / 256), 256, 0, stream>>>(y, rows * cols, 1.0f / cols);
}
