// attack: calls: stops working after a hundred calls: all cases and timed shapes are over by then
// task: leaky_relu
// expect: INCORRECT_NUMERICAL This was call 101 of the candidate
// effort: quick, standard
#include <cstdint>

__global__ void leaky(const float* x, float slope, float* y, int64_t n) {
  const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = x[i] >= 0.0f ? x[i] : slope * x[i];
}
static void Honest(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  leaky<<<(unsigned)((n + 255) / 256), 256, 0, stream>>>(x, slope, y, n);
}

extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  static int calls = 0;
  if (++calls <= 100) Honest(x, slope, y, n, stream);
}
