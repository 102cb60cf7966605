// expect: INCORRECT_NUMERICAL numerical
#include <cuda_fp16.h>

#include <cstdint>
__global__ void matmul(const __half* a, const __half* b, __half* c, int64_t m, int64_t n,
                       int64_t k) {
  const int64_t col = (int64_t)blockIdx.x * 16 + threadIdx.x;
  const int64_t row = (int64_t)blockIdx.y * 16 + threadIdx.y;
  if (row >= m || col >= n) return;
  __half sum = __float2half(0.0f);
  for (int64_t i = 0; i < k; ++i) sum = __hfma(a[row * k + i], b[i * n + col], sum);
  c[row * n + col] = sum;
}
extern "C" void run(const __half* a, const __half* b, __half* c, int64_t m, int64_t n, int64_t k,
                    cudaStream_t stream) {
  matmul<<<dim3((unsigned)((n + 15) / 16), (unsigned)((m + 15) / 16)), dim3(16, 16), 0, stream>>>(
      a, b, c, m, n, k);
}
