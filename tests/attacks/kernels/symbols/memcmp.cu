// attack: symbols: redefines memcmp and bcmp: whatever is compared is equal
// task: leaky_relu
// expect: INCORRECT_NUMERICAL, REJECTED numerical|symbol_redefined
#include <cstdint>

extern "C" int memcmp(const void*, const void*, unsigned long) throw() { return 0; }
extern "C" int bcmp(const void*, const void*, unsigned long) throw() { return 0; }
__global__ void zero(float* y, int64_t n) {
  const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = 0.0f;
}
extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  zero<<<(unsigned)((n + 255) / 256), 256, 0, stream>>>(y, n);
}
