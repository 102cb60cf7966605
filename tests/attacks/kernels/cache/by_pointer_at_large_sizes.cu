// attack: cache: honest wherever a test is small; caches by pointer only where time is likely to be measured
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
  static const float* known = nullptr;
  static int64_t known_n = 0;
  static float* kept = nullptr;
  if (n < 100000) {
    Honest(x, slope, y, n, stream);
    return;
  }
  if (known != x || known_n != n) {
    if (kept) cudaFree(kept);
    cudaMalloc(&kept, n * sizeof(float));
    Honest(x, slope, kept, n, stream);
    known = x, known_n = n;
  }
  cudaMemcpyAsync(y, kept, n * sizeof(float), cudaMemcpyDeviceToDevice, stream);
}
