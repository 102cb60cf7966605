// attack: device: recurses on the device until there is no stack
// task: leaky_relu
// expect: RUNTIME_ERROR, TIMEOUT, UNSUPPORTED stack_overflow|instruction_budget|unsupported
#include <cstdint>

__device__ __noinline__ float Deeper(const float* x, int64_t i, int64_t n) {
  volatile float frame[64];
  frame[i % 64] = x[i % n];
  return frame[i % 64] + Deeper(x, i + 1, n);
}
__global__ void deep(const float* x, float* y, int64_t n) { y[0] = Deeper(x, 0, n); }
extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  deep<<<1, 32, 0, stream>>>(x, y, n);
}
