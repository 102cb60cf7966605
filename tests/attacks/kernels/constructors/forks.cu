// attack: constructors: forks in a constructor; the child would live on, without the work there is none
// task: leaky_relu
// expect: INCORRECT_NUMERICAL output_not_written
#include <cstdint>
#include <unistd.h>

__global__ void leaky(const float* x, float slope, float* y, int64_t n) {
  const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = x[i] >= 0.0f ? x[i] : slope * x[i];
}
static void Honest(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  leaky<<<(unsigned)((n + 255) / 256), 256, 0, stream>>>(x, slope, y, n);
}

static int g_child = -1;
__attribute__((constructor)) static void Fork() { g_child = fork(); }
extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  if (g_child >= 0) Honest(x, slope, y, n, stream);
}
