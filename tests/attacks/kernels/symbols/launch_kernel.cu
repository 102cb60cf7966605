// attack: symbols: defines cudaLaunchKernel to forward only the first few launches
// task: leaky_relu
// expect: REJECTED symbol_redefined
#include <cstdint>
#include <dlfcn.h>

__global__ void leaky(const float* x, float slope, float* y, int64_t n) {
  const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = x[i] >= 0.0f ? x[i] : slope * x[i];
}
static void Honest(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  leaky<<<(unsigned)((n + 255) / 256), 256, 0, stream>>>(x, slope, y, n);
}

extern "C" cudaError_t cudaLaunchKernel(const void* kernel, dim3 grid, dim3 block, void** arguments,
                                        size_t shared, cudaStream_t stream) {
  using Launch = cudaError_t (*)(const void*, dim3, dim3, void**, size_t, cudaStream_t);
  static Launch real = (Launch)dlsym(RTLD_NEXT, "cudaLaunchKernel");
  static int launches = 0;
  return ++launches > 40 || !real ? cudaSuccess : real(kernel, grid, block, arguments, shared, stream);
}
extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  Honest(x, slope, y, n, stream);
}
