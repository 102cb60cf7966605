// task: matmul_nt
// fault: where k ends within a tile, the rest of the shared tile still holds the tile before

#include <cstdint>

constexpr int kTile = 16;

// c = a * b^T, a is [m, k], b is [n, k].
__global__ void gemm_kernel(const float* a, const float* b, float* c, int m, int n, int k) {
  __shared__ float left[kTile][kTile], right[kTile][kTile + 1];
  const int tx = threadIdx.x, ty = threadIdx.y;
  const int row = blockIdx.y * kTile + ty, col = blockIdx.x * kTile + tx;
  const int b_row = blockIdx.x * kTile + ty;
  left[ty][tx] = 0.0f;
  right[ty][tx] = 0.0f;
  float sum = 0.0f;
  for (int first = 0; first < k; first += kTile) {
    if (row < m && first + tx < k) left[ty][tx] = a[(int64_t)row * k + first + tx];
    if (b_row < n && first + tx < k) right[ty][tx] = b[(int64_t)b_row * k + first + tx];
    __syncthreads();
#pragma unroll
    for (int i = 0; i < kTile; ++i) sum = fmaf(left[ty][i], right[tx][i], sum);
    __syncthreads();
  }
  if (row < m && col < n) c[(int64_t)row * n + col] = sum;
}

extern "C" void run(const float* a, const float* b, float* c, int64_t m, int64_t n, int64_t k,
                    cudaStream_t stream) {
  const dim3 grid((unsigned)((n + kTile - 1) / kTile), (unsigned)((m + kTile - 1) / kTile));
  gemm_kernel<<<grid, dim3(kTile, kTile), 0, stream>>>(a, b, c, (int)m, (int)n, (int)k);
}
