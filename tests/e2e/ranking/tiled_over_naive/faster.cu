// task: matmul m=256 n=256 k=256
#include <cstdint>
__global__ void matmul(const float* a, const float* b, float* c, int64_t m, int64_t n, int64_t k) {
  __shared__ float ta[32][32], tb[32][32];
  const int tx = threadIdx.x, ty = threadIdx.y;
  const int64_t row = (int64_t)blockIdx.y * 32 + ty, col = (int64_t)blockIdx.x * 32 + tx;
  float sum = 0.0f;
  for (int64_t s = 0; s < k; s += 32) {
    ta[ty][tx] = row < m && s + tx < k ? a[row * k + s + tx] : 0.0f;
    tb[ty][tx] = s + ty < k && col < n ? b[(s + ty) * n + col] : 0.0f;
    __syncthreads();
    for (int i = 0; i < 32; ++i) sum += ta[ty][i] * tb[i][tx];
    __syncthreads();
  }
  if (row < m && col < n) c[row * n + col] = sum;
}
extern "C" void run(const float* a, const float* b, float* c, int64_t m, int64_t n, int64_t k,
                    cudaStream_t stream) {
  const dim3 blocks((unsigned)((n + 31) / 32), (unsigned)((m + 31) / 32));
  matmul<<<blocks, dim3(32, 32), 0, stream>>>(a, b, c, m, n, k);
}
