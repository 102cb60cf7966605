// expect: INCORRECT_NUMERICAL numerical
// A thread a row: the sum stops growing where a term is less than half of its last place.
#include <cuda_fp16.h>

#include <cstdint>
__global__ void rmsnorm(const __half* x, const __half* weight, __half* y, int64_t rows,
                        int64_t cols) {
  const int64_t row = (int64_t)blockIdx.x * 32 + threadIdx.x;
  if (row >= rows) return;
  __half s = __float2half(0.0f);
  for (int64_t i = 0; i < cols; ++i) s = __hfma(x[row * cols + i], x[row * cols + i], s);
  const float scale = rsqrtf(__half2float(s) / (float)cols + 1e-6f);
  for (int64_t i = 0; i < cols; ++i) {
    y[row * cols + i] =
        __float2half(__half2float(x[row * cols + i]) * scale * __half2float(weight[i]));
  }
}
extern "C" void run(const __half* x, const __half* weight, __half* y, int64_t rows, int64_t cols,
                    cudaStream_t stream) {
  rmsnorm<<<(unsigned)((rows + 31) / 32), 32, 0, stream>>>(x, weight, y, rows, cols);
}
