// attack: calls: computes the even elements in even calls and the odd ones in odd calls
// task: leaky_relu
// expect: INCORRECT_NUMERICAL numerical
#include <cstdint>

__global__ void every_other(const float* x, float slope, float* y, int64_t n, int turn) {
  const int64_t i = ((int64_t)blockIdx.x * blockDim.x + threadIdx.x) * 2 + turn;
  if (i < n) y[i] = x[i] >= 0.0f ? x[i] : slope * x[i];
}
extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  static int calls = 0;
  if (n == 1)
    every_other<<<1, 32, 0, stream>>>(x, slope, y, n, 0);
  else
    every_other<<<(unsigned)((n + 511) / 512), 256, 0, stream>>>(x, slope, y, n, calls++ % 2);
}
