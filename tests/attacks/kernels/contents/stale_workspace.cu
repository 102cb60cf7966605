// attack: contents: reads a workspace that was freed with the answer in it
// task: leaky_relu
// expect: INCORRECT_NUMERICAL, REJECTED, RUNTIME_ERROR numerical|uninitialised|use_after_free
#include <cstdint>

__global__ void leaky(const float* x, float slope, float* y, int64_t n) {
  const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = x[i] >= 0.0f ? x[i] : slope * x[i];
}
static void Honest(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  leaky<<<(unsigned)((n + 255) / 256), 256, 0, stream>>>(x, slope, y, n);
}

__global__ void copy(const float* from, float* y, int64_t n) {
  const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = from[i];
}
extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  static int64_t known = 0;
  float* work = nullptr;
  cudaMallocAsync(&work, n * sizeof(float), stream);
  if (known != n) Honest(x, slope, work, n, stream);
  known = n;
  copy<<<(unsigned)((n + 255) / 256), 256, 0, stream>>>(work, y, n);
  cudaFreeAsync(work, stream);
}
