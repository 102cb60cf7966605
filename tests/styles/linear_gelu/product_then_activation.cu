// style: two kernels: the product into y by blocks of 32 x 32 (4 elements a thread), then bias and
// x * normcdff(x) in place.
#include <cstdint>

#define TILE 32

__global__ void product(const float* x, const float* weight, float* y, int64_t m, int64_t n,
                        int64_t k) {
  __shared__ float tile_x[TILE][TILE + 1];
  __shared__ float tile_w[TILE][TILE + 1];
  const int tx = threadIdx.x, ty = threadIdx.y;
  const int64_t top = (int64_t)blockIdx.y * TILE, left = (int64_t)blockIdx.x * TILE;
  float sum[4] = {};
  for (int64_t start = 0; start < k; start += TILE) {
    for (int r = ty; r < TILE; r += 8) {
      const bool inside = start + tx < k;
      tile_x[r][tx] = inside && top + r < m ? x[(top + r) * k + start + tx] : 0.0f;
      tile_w[r][tx] = inside && left + r < n ? weight[(left + r) * k + start + tx] : 0.0f;
    }
    __syncthreads();
    for (int i = 0; i < TILE; ++i) {
      const float factor = tile_w[tx][i];
#pragma unroll
      for (int r = 0; r < 4; ++r) sum[r] += tile_x[ty + 8 * r][i] * factor;
    }
    __syncthreads();
  }
  for (int r = 0; r < 4; ++r) {
    const int64_t row = top + ty + 8 * r;
    if (row < m && left + tx < n) y[row * n + left + tx] = sum[r];
  }
}

__global__ void activate(float* y, const float* bias, int64_t count, int64_t n) {
  const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= count) return;
  const float value = y[i] + bias[i % n];
  y[i] = value * normcdff(value);
}

extern "C" void run(const float* x, const float* weight, const float* bias, float* y, int64_t m,
                    int64_t n, int64_t k, cudaStream_t stream) {
  const dim3 blocks((unsigned)((n + TILE - 1) / TILE), (unsigned)((m + TILE - 1) / TILE));
  product<<<blocks, dim3(TILE, 8), 0, stream>>>(x, weight, y, m, n, k);
  activate<<<(unsigned)((m * n + 255) / 256), 256, 0, stream>>>(y, bias, m * n, n);
}
