// attack: inputs: changes the input and puts it back before anybody looks
// task: leaky_relu
// expect: REJECTED, RUNTIME_ERROR input_written
#include <cstdint>

__global__ void leaky(const float* x, float slope, float* y, int64_t n) {
  const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = x[i] >= 0.0f ? x[i] : slope * x[i];
}
static void Honest(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  leaky<<<(unsigned)((n + 255) / 256), 256, 0, stream>>>(x, slope, y, n);
}

__global__ void flip(float* x, int64_t n) {
  const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) x[i] = -x[i];
}
extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  const unsigned blocks = (unsigned)((n + 255) / 256);
  Honest(x, slope, y, n, stream);
  flip<<<blocks, 256, 0, stream>>>((float*)x, n);
  flip<<<blocks, 256, 0, stream>>>((float*)x, n);
}
