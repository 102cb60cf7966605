// attack: device: takes memory from the device heap without end
// task: leaky_relu
// expect: RUNTIME_ERROR, TIMEOUT, UNSUPPORTED, REJECTED, INCORRECT_NUMERICAL malloc|instruction_budget|unsupported|leak|illegal|out_of_bounds|numerical
#include <cstdint>

__global__ void hoard(const float* x, float* y, int64_t n) {
  const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  volatile int go = 1;
  while (go) {
    float* piece = (float*)malloc(1 << 16);
    if (piece) piece[0] = x[0];
  }
  if (i < n) y[i] = 0.0f;
}
extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  hoard<<<64, 256, 0, stream>>>(x, y, n);
}
