// attack: constructors: leaves with exit code 0 before anybody has asked for anything
// task: leaky_relu
// expect: RUNTIME_ERROR load_failed
#include <cstdint>
#include <unistd.h>

__global__ void leaky(const float* x, float slope, float* y, int64_t n) {
  const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = x[i] >= 0.0f ? x[i] : slope * x[i];
}
static void Honest(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  leaky<<<(unsigned)((n + 255) / 256), 256, 0, stream>>>(x, slope, y, n);
}

__attribute__((constructor)) static void Leave() { _exit(0); }
extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  Honest(x, slope, y, n, stream);
}
