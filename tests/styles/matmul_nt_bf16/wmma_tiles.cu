// style: tensor cores by wmma in bfloat16, one warp a tile of 16 x 16; whole tiles are read from
// device memory, ragged ones through shared memory.
#include <cuda_bf16.h>
#include <mma.h>

#include <cstdint>

#define TILE 16

__device__ void copy_tile(__nv_bfloat16* tile, const __nv_bfloat16* from, int64_t first,
                          int64_t rows, int64_t start, int64_t k) {
  for (int i = threadIdx.x; i < TILE * TILE; i += 32) {
    const int64_t row = first + i / TILE, inner = start + i % TILE;
    tile[i] = row < rows && inner < k ? from[row * k + inner] : __float2bfloat16(0.0f);
  }
}

__global__ void matmul_nt_wmma(const __nv_bfloat16* a, const __nv_bfloat16* b, __nv_bfloat16* c,
                               int64_t m, int64_t n, int64_t k) {
  __shared__ alignas(32) __nv_bfloat16 tile_a[TILE * TILE];
  __shared__ alignas(32) __nv_bfloat16 tile_b[TILE * TILE];
  __shared__ alignas(32) float tile_c[TILE * TILE];
  namespace wmma = nvcuda::wmma;
  const int64_t top = (int64_t)blockIdx.y * TILE, left = (int64_t)blockIdx.x * TILE;
  const bool whole = top + TILE <= m && left + TILE <= n && k % TILE == 0;
  wmma::fragment<wmma::matrix_a, TILE, TILE, TILE, __nv_bfloat16, wmma::row_major> of_a;
  wmma::fragment<wmma::matrix_b, TILE, TILE, TILE, __nv_bfloat16, wmma::col_major> of_b;
  wmma::fragment<wmma::accumulator, TILE, TILE, TILE, float> sum;
  wmma::fill_fragment(sum, 0.0f);
  for (int64_t start = 0; start < k; start += TILE) {
    if (whole) {
      wmma::load_matrix_sync(of_a, a + top * k + start, (unsigned)k);
      wmma::load_matrix_sync(of_b, b + left * k + start, (unsigned)k);
    } else {
      copy_tile(tile_a, a, top, m, start, k);
      copy_tile(tile_b, b, left, n, start, k);
      __syncwarp();
      wmma::load_matrix_sync(of_a, tile_a, TILE);
      wmma::load_matrix_sync(of_b, tile_b, TILE);
      __syncwarp();
    }
    wmma::mma_sync(sum, of_a, of_b, sum);
  }
  wmma::store_matrix_sync(tile_c, sum, TILE, wmma::mem_row_major);
  __syncwarp();
  for (int i = threadIdx.x; i < TILE * TILE; i += 32) {
    const int64_t row = top + i / TILE, col = left + i % TILE;
    if (row < m && col < n) c[row * n + col] = __float2bfloat16(tile_c[i]);
  }
}

extern "C" void run(const __nv_bfloat16* a, const __nv_bfloat16* b, __nv_bfloat16* c, int64_t m,
                    int64_t n, int64_t k, cudaStream_t stream) {
  const dim3 blocks((unsigned)((n + TILE - 1) / TILE), (unsigned)((m + TILE - 1) / TILE));
  matmul_nt_wmma<<<blocks, 32, 0, stream>>>(a, b, c, m, n, k);
}
