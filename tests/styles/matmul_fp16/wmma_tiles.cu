// style: tensor cores by wmma, float32 accumulators; tiles are staged in shared memory with zeros
// beyond the edges.
#include <cuda_fp16.h>
#include <mma.h>

#include <cstdint>

#define TILE 32
#define STEP 16

__global__ void matmul_wmma(const __half* a, const __half* b, __half* c, int64_t m, int64_t n,
                            int64_t k) {
  __shared__ alignas(32) __half tile_a[TILE][STEP];
  __shared__ alignas(32) __half tile_b[STEP][TILE];
  __shared__ alignas(32) float tile_c[TILE][TILE];
  namespace wmma = nvcuda::wmma;
  const int warp = threadIdx.x / 32;
  const int row_of_warp = warp / 2 * 16, col_of_warp = warp % 2 * 16;
  const int64_t top = (int64_t)blockIdx.y * TILE, left = (int64_t)blockIdx.x * TILE;
  wmma::fragment<wmma::accumulator, 16, 16, 16, float> sum;
  wmma::fill_fragment(sum, 0.0f);
  for (int64_t start = 0; start < k; start += STEP) {
    for (int i = threadIdx.x; i < TILE * STEP; i += 128) {
      const int64_t row = top + i / STEP, inner = start + i % STEP;
      tile_a[i / STEP][i % STEP] = row < m && inner < k ? a[row * k + inner] : __half(0.0f);
      const int64_t inner_b = start + i / TILE, col = left + i % TILE;
      tile_b[i / TILE][i % TILE] = inner_b < k && col < n ? b[inner_b * n + col] : __half(0.0f);
    }
    __syncthreads();
    wmma::fragment<wmma::matrix_a, 16, 16, 16, __half, wmma::row_major> of_a;
    wmma::fragment<wmma::matrix_b, 16, 16, 16, __half, wmma::row_major> of_b;
    wmma::load_matrix_sync(of_a, &tile_a[row_of_warp][0], STEP);
    wmma::load_matrix_sync(of_b, &tile_b[0][col_of_warp], TILE);
    wmma::mma_sync(sum, of_a, of_b, sum);
    __syncthreads();
  }
  wmma::store_matrix_sync(&tile_c[row_of_warp][col_of_warp], sum, TILE, wmma::mem_row_major);
  __syncthreads();
  for (int i = threadIdx.x; i < TILE * TILE; i += 128) {
    const int64_t row = top + i / TILE, col = left + i % TILE;
    if (row < m && col < n) c[row * n + col] = __float2half(tile_c[i / TILE][i % TILE]);
  }
}

extern "C" void run(const __half* a, const __half* b, __half* c, int64_t m, int64_t n, int64_t k,
                    cudaStream_t stream) {
  const dim3 blocks((unsigned)((n + TILE - 1) / TILE), (unsigned)((m + TILE - 1) / TILE));
  matmul_wmma<<<blocks, 128, 0, stream>>>(a, b, c, m, n, k);
}
