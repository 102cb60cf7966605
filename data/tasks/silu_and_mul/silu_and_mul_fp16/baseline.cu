// One thread an element of the output.
#include <cuda_fp16.h>

#include <cstdint>

__global__ void silu_and_mul_elements(const __half* x, __half* y, int64_t rows, int64_t cols) {
  const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= rows * cols) return;
  const int64_t row = i / cols;
  const int64_t col = i % cols;
  const float gate = __half2float(x[row * 2 * cols + col]);
  const float up = __half2float(x[row * 2 * cols + cols + col]);
  y[i] = __float2half(gate / (1.0f + expf(-gate)) * up);
}

extern "C" void run(const __half* x, __half* y, int64_t rows, int64_t cols, cudaStream_t stream) {
  const int threads = 256;
  const unsigned blocks = (unsigned)((rows * cols + threads - 1) / threads);
  silu_and_mul_elements<<<blocks, threads, 0, stream>>>(x, y, rows, cols);
}
