// task: matmul_fp16
// control: tensor cores through WMMA, 32 x 32 tiles padded with zeros, sums in float32

#include <cuda_fp16.h>
#include <mma.h>

#include <cstdint>

namespace wmma = nvcuda::wmma;

constexpr int kSide = 32, kDepth = 16;

// Four warps, each 16 x 16 of the tile.
__global__ void gemm_kernel(const __half* a, const __half* b, __half* c, int m, int n, int k) {
  __shared__ alignas(32) __half left[kSide][kDepth], right[kDepth][kSide];
  __shared__ alignas(32) float result[kSide][kSide];
  const int warp = threadIdx.x / 32;
  const int top = blockIdx.y * kSide, side = blockIdx.x * kSide;
  const int own_row = warp / 2 * 16, own_col = warp % 2 * 16;
  wmma::fragment<wmma::accumulator, 16, 16, 16, float> sum;
  wmma::fill_fragment(sum, 0.0f);
  for (int first = 0; first < k; first += kDepth) {
    for (int i = threadIdx.x; i < kSide * kDepth; i += blockDim.x) {
      const int row = top + i / kDepth, at = first + i % kDepth;
      left[i / kDepth][i % kDepth] =
          row < m && at < k ? a[(int64_t)row * k + at] : __float2half(0.0f);
      const int deep = first + i / kSide, col = side + i % kSide;
      right[i / kSide][i % kSide] =
          deep < k && col < n ? b[(int64_t)deep * n + col] : __float2half(0.0f);
    }
    __syncthreads();
    wmma::fragment<wmma::matrix_a, 16, 16, 16, __half, wmma::row_major> part_a;
    wmma::fragment<wmma::matrix_b, 16, 16, 16, __half, wmma::row_major> part_b;
    wmma::load_matrix_sync(part_a, &left[own_row][0], kDepth);
    wmma::load_matrix_sync(part_b, &right[0][own_col], kSide);
    wmma::mma_sync(sum, part_a, part_b, sum);
    __syncthreads();
  }
  wmma::store_matrix_sync(&result[own_row][own_col], sum, kSide, wmma::mem_row_major);
  __syncthreads();
  for (int i = threadIdx.x; i < kSide * kSide; i += blockDim.x) {
    const int row = top + i / kSide, col = side + i % kSide;
    if (row < m && col < n) c[(int64_t)row * n + col] = __float2half(result[i / kSide][i % kSide]);
  }
}

extern "C" void run(const __half* a, const __half* b, __half* c, int64_t m, int64_t n, int64_t k,
                    cudaStream_t stream) {
  const dim3 grid((unsigned)((n + kSide - 1) / kSide), (unsigned)((m + kSide - 1) / kSide));
  gemm_kernel<<<grid, 128, 0, stream>>>(a, b, c, (int)m, (int)n, (int)k);
}
