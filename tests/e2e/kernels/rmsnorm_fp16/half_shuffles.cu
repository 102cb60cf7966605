// expect: PASSED passed
// The scale goes through a shuffle of halves: within the tolerance.
#include <cuda_fp16.h>

#include <cstdint>
__global__ void rmsnorm(const __half* x, const __half* weight, __half* y, int64_t cols) {
  const __half* in = x + (int64_t)blockIdx.x * cols;
  float s = 0.0f;
  for (int64_t i = threadIdx.x; i < cols; i += 32) s += __half2float(in[i]) * __half2float(in[i]);
  for (int d = 16; d > 0; d /= 2) s += __shfl_xor_sync(0xffffffffu, s, d);
  const __half scale = __float2half(rsqrtf(s / (float)cols + 1e-6f));
  const __half first = __shfl_sync(0xffffffffu, scale, 0);
  for (int64_t i = threadIdx.x; i < cols; i += 32) {
    y[(int64_t)blockIdx.x * cols + i] =
        __float2half(__half2float(in[i]) * __half2float(first) * __half2float(weight[i]));
  }
}
extern "C" void run(const __half* x, const __half* weight, __half* y, int64_t rows, int64_t cols,
                    cudaStream_t stream) {
  rmsnorm<<<(unsigned)rows, 32, 0, stream>>>(x, weight, y, cols);
}
