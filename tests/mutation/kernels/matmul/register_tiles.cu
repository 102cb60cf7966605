// A block computes a tile of 32 x 32, a thread four elements of a column of it.
#include <cstdint>

#define TILE 32
#define DEPTH 16
#define EACH 4
#define ROWS (TILE / EACH)

__global__ void matmul_tiles(const float* a, const float* b, float* c, int64_t m, int64_t n,
                             int64_t k) {
  __shared__ float tile_a[TILE][DEPTH];
  __shared__ float tile_b[DEPTH][TILE];
  const int tx = threadIdx.x;
  const int ty = threadIdx.y;
  const int tid = ty * TILE + tx;
  const int64_t first = (int64_t)blockIdx.y * TILE;
  const int64_t col = (int64_t)blockIdx.x * TILE + tx;

  float sums[EACH] = {};
  for (int64_t start = 0; start < k; start += DEPTH) {
    for (int i = tid; i < TILE * DEPTH; i += TILE * ROWS) {
      const int64_t row = first + i / DEPTH;
      const int64_t at = start + i % DEPTH;
      tile_a[i / DEPTH][i % DEPTH] = row < m && at < k ? a[row * k + at] : 0.0f;
    }
    for (int i = ty; i < DEPTH; i += ROWS) {
      tile_b[i][tx] = start + i < k && col < n ? b[(start + i) * n + col] : 0.0f;
    }
    __syncthreads();
    for (int i = 0; i < DEPTH; ++i) {
      for (int e = 0; e < EACH; ++e) sums[e] += tile_a[ty + e * ROWS][i] * tile_b[i][tx];
    }
    __syncthreads();
  }
  for (int e = 0; e < EACH; ++e) {
    const int64_t row = first + ty + e * ROWS;
    if (row < m && col < n) c[row * n + col] = sums[e];
  }
}

extern "C" void run(const float* a, const float* b, float* c, int64_t m, int64_t n, int64_t k,
                    cudaStream_t stream) {
  const dim3 threads(TILE, ROWS);
  const dim3 blocks((unsigned)((n + TILE - 1) / TILE), (unsigned)((m + TILE - 1) / TILE));
  matmul_tiles<<<blocks, threads, 0, stream>>>(a, b, c, m, n, k);
}
