// style: tiles of 32 x 32 in two buffers of shared memory, a thread has 2 x 2 elements; the next
// tiles are loaded while the last are multiplied.
#include <cstdint>

#define TILE 32
#define STEP 16

__device__ void load_tile(float (*tile)[TILE + 1], const float* from, int64_t first, int64_t rows,
                          int64_t start, int64_t k) {
  for (int i = threadIdx.x; i < TILE * STEP; i += 256) {
    const int64_t row = first + i / STEP, inner = start + i % STEP;
    tile[i % STEP][i / STEP] = row < rows && inner < k ? from[row * k + inner] : 0.0f;
  }
}

__global__ void matmul_nt_buffers(const float* __restrict__ a, const float* __restrict__ b,
                                  float* __restrict__ c, int64_t m, int64_t n, int64_t k) {
  __shared__ float tile_a[2][STEP][TILE + 1];
  __shared__ float tile_b[2][STEP][TILE + 1];
  const int tx = threadIdx.x % 16, ty = threadIdx.x / 16;
  const int64_t top = (int64_t)blockIdx.y * TILE, left = (int64_t)blockIdx.x * TILE;
  float sum[2][2] = {};
  int now = 0;
  load_tile(tile_a[0], a, top, m, 0, k);
  load_tile(tile_b[0], b, left, n, 0, k);
  for (int64_t start = 0; start < k; start += STEP) {
    __syncthreads();
    if (start + STEP < k) {
      load_tile(tile_a[1 - now], a, top, m, start + STEP, k);
      load_tile(tile_b[1 - now], b, left, n, start + STEP, k);
    }
#pragma unroll
    for (int i = 0; i < STEP; ++i) {
      const float a0 = tile_a[now][i][ty], a1 = tile_a[now][i][ty + 16];
      const float b0 = tile_b[now][i][tx], b1 = tile_b[now][i][tx + 16];
      sum[0][0] += a0 * b0;
      sum[0][1] += a0 * b1;
      sum[1][0] += a1 * b0;
      sum[1][1] += a1 * b1;
    }
    now = 1 - now;
  }
  for (int r = 0; r < 2; ++r) {
    for (int s = 0; s < 2; ++s) {
      const int64_t row = top + ty + 16 * r, col = left + tx + 16 * s;
      if (row < m && col < n) c[row * n + col] = sum[r][s];
    }
  }
}

extern "C" void run(const float* a, const float* b, float* c, int64_t m, int64_t n, int64_t k,
                    cudaStream_t stream) {
  const dim3 blocks((unsigned)((n + TILE - 1) / TILE), (unsigned)((m + TILE - 1) / TILE));
  matmul_nt_buffers<<<blocks, 256, 0, stream>>>(a, b, c, m, n, k);
}
