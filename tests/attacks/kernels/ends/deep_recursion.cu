// attack: ends: runs out of stack on the host
// task: leaky_relu
// expect: RUNTIME_ERROR host_crash
#include <cstdint>

__global__ void unused() {}
static int64_t Deep(volatile int64_t depth) {
  volatile char frame[4096];
  frame[depth % 4096] = 1;
  return Deep(depth + 1) + frame[depth % 4096];
}
extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  if (Deep(n) == 1) cudaMemsetAsync(y, 0, n * 4, stream);
}
