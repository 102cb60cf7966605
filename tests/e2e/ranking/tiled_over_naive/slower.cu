// task: matmul m=256 n=256 k=256
#include <cstdint>
__global__ void matmul(const float* a, const float* b, float* c, int64_t m, int64_t n, int64_t k) {
  const int64_t col = (int64_t)blockIdx.x * 32 + threadIdx.x;
  const int64_t row = (int64_t)blockIdx.y * 32 + threadIdx.y;
  if (row >= m || col >= n) return;
  float sum = 0.0f;
  for (int64_t i = 0; i < k; ++i) sum += a[row * k + i] * b[i * n + col];
  c[row * n + col] = sum;
}
extern "C" void run(const float* a, const float* b, float* c, int64_t m, int64_t n, int64_t k,
                    cudaStream_t stream) {
  const dim3 blocks((unsigned)((n + 31) / 32), (unsigned)((m + 31) / 32));
  matmul<<<blocks, dim3(32, 32), 0, stream>>>(a, b, c, m, n, k);
}
