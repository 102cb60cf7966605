// attack: hangs: the kernel never ends
// task: leaky_relu
// expect: TIMEOUT instruction_budget
#include <cstdint>

__global__ void forever(const float* x, float* y, int64_t n) {
  volatile const float* seen = x;
  while (seen[0] == seen[0]) {
  }
  y[0] = 1.0f;
}
extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  forever<<<16, 256, 0, stream>>>(x, y, n);
}
