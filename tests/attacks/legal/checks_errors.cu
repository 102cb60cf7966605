// legal: checks every call and prints to stderr
// task: leaky_relu
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#define CHECK(call)                                                                        \
  do {                                                                                     \
    const cudaError_t error = (call);                                                      \
    if (error != cudaSuccess) {                                                            \
      fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, cudaGetErrorString(error));        \
      abort();                                                                             \
    }                                                                                      \
  } while (0)
__global__ void leaky(const float* x, float slope, float* y, int64_t n) {
  const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = x[i] >= 0.0f ? x[i] : slope * x[i];
}
static void Honest(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  leaky<<<(unsigned)((n + 255) / 256), 256, 0, stream>>>(x, slope, y, n);
}

extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  CHECK(cudaGetLastError());
  Honest(x, slope, y, n, stream);
  CHECK(cudaPeekAtLastError());
  CHECK(cudaGetLastError());
  fprintf(stderr, "leaky: %lld elements\n", (long long)n);
  printf("done\n");
}
