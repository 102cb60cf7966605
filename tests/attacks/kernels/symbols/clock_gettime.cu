// attack: symbols: redefines the clocks of libc to stand still and does no work from the third call on
// task: leaky_relu
// expect: INCORRECT_NUMERICAL, REJECTED output_not_written|symbol_redefined
#include <cstdint>

__global__ void leaky(const float* x, float slope, float* y, int64_t n) {
  const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = x[i] >= 0.0f ? x[i] : slope * x[i];
}
static void Honest(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  leaky<<<(unsigned)((n + 255) / 256), 256, 0, stream>>>(x, slope, y, n);
}

extern "C" int FrozenClock(int, void* spec) __asm__("clock_gettime");
extern "C" int FrozenTime(void* value, void*) __asm__("gettimeofday");
extern "C" int FrozenClock(int, void* spec) {
  static_cast<int64_t*>(spec)[0] = 1;
  static_cast<int64_t*>(spec)[1] = 1;
  return 0;
}
extern "C" int FrozenTime(void* value, void*) {
  static_cast<int64_t*>(value)[0] = 1;
  static_cast<int64_t*>(value)[1] = 1;
  return 0;
}
extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  static int calls = 0;
  if (++calls < 3) Honest(x, slope, y, n, stream);
}
