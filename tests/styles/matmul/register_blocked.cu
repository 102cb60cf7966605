// style: a block has a tile of 64 x 64, a thread 4 x 4 of it in registers; steps of 8 in k.
#include <cstdint>

#define TILE 64
#define STEP 8

__global__ void matmul_blocked(const float* __restrict__ a, const float* __restrict__ b,
                               float* __restrict__ c, int64_t m, int64_t n, int64_t k) {
  __shared__ float tile_a[STEP][TILE + 4];
  __shared__ float tile_b[STEP][TILE];
  const int tid = threadIdx.x;
  const int tx = tid % 16, ty = tid / 16;
  const int64_t top = (int64_t)blockIdx.y * TILE;
  const int64_t left = (int64_t)blockIdx.x * TILE;
  float sum[4][4] = {};
  for (int64_t start = 0; start < k; start += STEP) {
    for (int i = tid; i < TILE * STEP; i += 256) {
      const int64_t row = top + i / STEP, inner = start + i % STEP;
      tile_a[i % STEP][i / STEP] = row < m && inner < k ? a[row * k + inner] : 0.0f;
    }
    for (int i = tid; i < TILE * STEP; i += 256) {
      const int64_t inner = start + i / TILE, col = left + i % TILE;
      tile_b[i / TILE][i % TILE] = inner < k && col < n ? b[inner * n + col] : 0.0f;
    }
    __syncthreads();
#pragma unroll
    for (int i = 0; i < STEP; ++i) {
      const float4 x = *reinterpret_cast<const float4*>(&tile_a[i][ty * 4]);
      const float4 y = *reinterpret_cast<const float4*>(&tile_b[i][tx * 4]);
      const float of_a[4] = {x.x, x.y, x.z, x.w};
      const float of_b[4] = {y.x, y.y, y.z, y.w};
#pragma unroll
      for (int r = 0; r < 4; ++r) {
#pragma unroll
        for (int s = 0; s < 4; ++s) sum[r][s] = fmaf(of_a[r], of_b[s], sum[r][s]);
      }
    }
    __syncthreads();
  }
  for (int r = 0; r < 4; ++r) {
    for (int s = 0; s < 4; ++s) {
      const int64_t row = top + ty * 4 + r, col = left + tx * 4 + s;
      if (row < m && col < n) c[row * n + col] = sum[r][s];
    }
  }
}

extern "C" void run(const float* a, const float* b, float* c, int64_t m, int64_t n, int64_t k,
                    cudaStream_t stream) {
  const dim3 blocks((unsigned)((n + TILE - 1) / TILE), (unsigned)((m + TILE - 1) / TILE));
  matmul_blocked<<<blocks, 256, 0, stream>>>(a, b, c, m, n, k);
}
