// attack: compile: makes the compiler print without end
// task: leaky_relu
// expect: COMPILE_ERROR, MALFORMED compile_error
#include <cstdint>

__global__ void leaky(const float* x, float slope, float* y, int64_t n) {
  const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = x[i] >= 0.0f ? x[i] : slope * x[i];
}
static void Honest(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  leaky<<<(unsigned)((n + 255) / 256), 256, 0, stream>>>(x, slope, y, n);
}

template <int depth>
struct Bomb {
  static constexpr int value = Bomb<depth - 1>::value + Bomb<depth - 2>::missing;
};
template <>
struct Bomb<0> {
  static constexpr int value = 0;
};
static_assert(Bomb<800>::value == 1, "PASSED");
extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  Honest(x, slope, y, n, stream);
}
