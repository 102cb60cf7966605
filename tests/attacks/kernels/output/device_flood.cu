// attack: output: every thread of the kernel prints for ever
// task: leaky_relu
// expect: TIMEOUT instruction_budget
#include <cstdint>
#include <cstdio>

__global__ void floods(const float* x, float* y, int64_t n) {
  const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  y[i] = x[i];
  volatile int go = 1;
  while (go) printf("PASSED %lld %f\n", (long long)i, x[i]);
}
extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  floods<<<(unsigned)((n + 255) / 256), 256, 0, stream>>>(x, y, n);
}
