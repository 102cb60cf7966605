// attack: shapes: drops the last elements of large sizes that are no multiple of four and not timed
// task: leaky_relu
// expect: INCORRECT_NUMERICAL numerical
#include <cstdint>

__global__ void leaky(const float* x, float slope, float* y, int64_t n) {
  const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = x[i] >= 0.0f ? x[i] : slope * x[i];
}
static void Honest(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  leaky<<<(unsigned)((n + 255) / 256), 256, 0, stream>>>(x, slope, y, n);
}

extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  if (n > 70000 && n != 1000003)
    Honest(x, slope, y, n / 1024 * 1024, stream);
  else
    Honest(x, slope, y, n, stream);
}
