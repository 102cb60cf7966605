// attack: hangs: fills a large piece of device memory again and again: no instruction of a kernel, hardly any of the host
// task: leaky_relu
// expect: TIMEOUT instruction_budget|copied and filled
#include <cstdint>

__global__ void leaky(const float* x, float slope, float* y, int64_t n) {
  const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = x[i] >= 0.0f ? x[i] : slope * x[i];
}
static void Honest(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  leaky<<<(unsigned)((n + 255) / 256), 256, 0, stream>>>(x, slope, y, n);
}

extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  static char* big = nullptr;
  if (!big) cudaMalloc(&big, 256ull << 20);
  Honest(x, slope, y, n, stream);
  for (;;) {
    if (cudaMemsetAsync(big, 1, 256ull << 20, stream) != cudaSuccess) break;
    if (cudaStreamSynchronize(stream) != cudaSuccess) break;
  }
  for (;;) {
  }
}
