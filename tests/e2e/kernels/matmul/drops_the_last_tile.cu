// expect: INCORRECT_NUMERICAL numerical
#include <cstdint>
__global__ void matmul(const float* a, const float* b, float* c, int64_t m, int64_t n, int64_t k) {
  __shared__ float ta[16][16], tb[16][16];
  const int tx = threadIdx.x, ty = threadIdx.y;
  const int64_t row = (int64_t)blockIdx.y * 16 + ty, col = (int64_t)blockIdx.x * 16 + tx;
  float sum = 0.0f;
  for (int64_t s = 0; s + 16 <= k; s += 16) {
    ta[ty][tx] = row < m && s + tx < k ? a[row * k + s + tx] : 0.0f;
    tb[ty][tx] = s + ty < k && col < n ? b[(s + ty) * n + col] : 0.0f;
    __syncthreads();
    for (int i = 0; i < 16; ++i) sum += ta[ty][i] * tb[i][tx];
    __syncthreads();
  }
  if (row < m && col < n) c[row * n + col] = sum;
}
extern "C" void run(const float* a, const float* b, float* c, int64_t m, int64_t n, int64_t k,
                    cudaStream_t stream) {
  matmul<<<dim3((unsigned)((n + 15) / 16), (unsigned)((m + 15) / 16)), dim3(16, 16), 0, stream>>>(
      a, b, c, m, n, k);
}
