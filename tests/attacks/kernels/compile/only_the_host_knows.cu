// attack: compile: gives the device another kernel than the host has names for
// task: leaky_relu
// expect: RUNTIME_ERROR, COMPILE_ERROR, INCORRECT_NUMERICAL launch_failed|load_failed|compile_error|output_not_written
#include <cstdint>

#ifdef __CUDA_ARCH__
__global__ void other(const float* x, float slope, float* y, int64_t n) { y[0] = x[0]; }
#else
__global__ void leaky(const float* x, float slope, float* y, int64_t n) {}
#endif
extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
#ifndef __CUDA_ARCH__
  leaky<<<(unsigned)((n + 255) / 256), 256, 0, stream>>>(x, slope, y, n);
#endif
}
