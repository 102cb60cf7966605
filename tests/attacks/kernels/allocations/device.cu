// attack: allocations: takes device memory until there is none, and then works
// task: leaky_relu
// expect: UNSUPPORTED, INCORRECT_NUMERICAL device memory
#include <cstdint>

__global__ void leaky(const float* x, float slope, float* y, int64_t n) {
  const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = x[i] >= 0.0f ? x[i] : slope * x[i];
}
static void Honest(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  leaky<<<(unsigned)((n + 255) / 256), 256, 0, stream>>>(x, slope, y, n);
}

extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  void* piece = nullptr;
  for (uint64_t bytes = 64ull << 30; bytes > 1ull << 30; bytes /= 2)
    while (cudaMalloc(&piece, bytes) == cudaSuccess) {
    }
  Honest(x, slope, y, n, stream);
}
