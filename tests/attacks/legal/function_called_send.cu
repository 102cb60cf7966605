// legal: functions of its own that are called like those of libc
// task: leaky_relu
#include <cstdint>

__global__ void leaky(const float* x, float slope, float* y, int64_t n) {
  const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = x[i] >= 0.0f ? x[i] : slope * x[i];
}
static void Honest(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  leaky<<<(unsigned)((n + 255) / 256), 256, 0, stream>>>(x, slope, y, n);
}

namespace {
void send(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) { Honest(x, slope, y, n, stream); }
}
static int write(int value) { return value; }
extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  if (write(1) == 1) send(x, slope, y, n, stream);
}
