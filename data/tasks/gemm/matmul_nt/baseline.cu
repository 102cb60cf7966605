// A block computes a tile of 16 x 16, a thread one element of it; tiles of a and b go through
// shared memory, one column wider than they are, so that columns lie in different banks.
#include <cstdint>

#define TILE 16

__global__ void matmul_nt_tiles(const float* a, const float* b, float* c, int64_t m, int64_t n,
                                int64_t k) {
  __shared__ float tile_a[TILE][TILE + 1];
  __shared__ float tile_b[TILE][TILE + 1];
  const int tx = threadIdx.x;
  const int ty = threadIdx.y;
  const int64_t top = (int64_t)blockIdx.y * TILE;
  const int64_t left = (int64_t)blockIdx.x * TILE;
  const int64_t row = top + ty;
  const int64_t col = left + tx;

  float sum = 0.0f;
  for (int64_t start = 0; start < k; start += TILE) {
    const int64_t inner = start + tx;
    tile_a[ty][tx] = row < m && inner < k ? a[row * k + inner] : 0.0f;
    tile_b[ty][tx] = left + ty < n && inner < k ? b[(left + ty) * k + inner] : 0.0f;
    __syncthreads();
    for (int i = 0; i < TILE; ++i) sum += tile_a[ty][i] * tile_b[tx][i];
    __syncthreads();
  }
  if (row < m && col < n) c[row * n + col] = sum;
}

extern "C" void run(const float* a, const float* b, float* c, int64_t m, int64_t n, int64_t k,
                    cudaStream_t stream) {
  const dim3 threads(TILE, TILE);
  const dim3 blocks((unsigned)((n + TILE - 1) / TILE), (unsigned)((m + TILE - 1) / TILE));
  matmul_nt_tiles<<<blocks, threads, 0, stream>>>(a, b, c, m, n, k);
}
