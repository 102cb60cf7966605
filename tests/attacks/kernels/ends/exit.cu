// attack: ends: right three times, then exit(0): no crash, no error, nothing to complain about
// task: leaky_relu
// expect: RUNTIME_ERROR host_exit
#include <cstdint>
#include <cstdlib>

__global__ void leaky(const float* x, float slope, float* y, int64_t n) {
  const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = x[i] >= 0.0f ? x[i] : slope * x[i];
}
static void Honest(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  leaky<<<(unsigned)((n + 255) / 256), 256, 0, stream>>>(x, slope, y, n);
}

extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  static int calls = 0;
  Honest(x, slope, y, n, stream);
  if (++calls < 4) return;
  exit(0);
}
