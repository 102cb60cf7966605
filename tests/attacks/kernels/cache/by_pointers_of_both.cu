// attack: cache: a cache keyed by both pointers, size and slope, which holds as long as a benchmark keeps its buffers
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
  struct Entry {
    const float* x;
    float* y;
    float slope;
    int64_t n;
    float* result;
  };
  static Entry last = {};
  if (last.x != x || last.y != y || last.slope != slope || last.n != n) {
    if (last.result) cudaFree(last.result);
    last = {x, y, slope, n, nullptr};
    cudaMalloc(&last.result, n * sizeof(float));
    Honest(x, slope, last.result, n, stream);
  }
  cudaMemcpyAsync(y, last.result, n * sizeof(float), cudaMemcpyDeviceToDevice, stream);
}
