// style: split-k: blocks sum slices of 64 of k and add them to a cleared output atomically, so that
// the order of the sum changes from run to run.
#include <cstdint>

#define TILE 16
#define SLICE 64

__global__ void matmul_slices(const float* a, const float* b, float* c, int64_t m, int64_t n,
                              int64_t k) {
  __shared__ float tile_a[TILE][TILE + 1];
  __shared__ float tile_b[TILE][TILE + 1];
  const int tx = threadIdx.x, ty = threadIdx.y;
  const int64_t row = (int64_t)blockIdx.y * TILE + ty;
  const int64_t col = (int64_t)blockIdx.x * TILE + tx;
  const int64_t begin = (int64_t)blockIdx.z * SLICE;
  const int64_t end = begin + SLICE < k ? begin + SLICE : k;
  float sum = 0.0f;
  for (int64_t start = begin; start < end; start += TILE) {
    tile_a[ty][tx] = row < m && start + tx < end ? a[row * k + start + tx] : 0.0f;
    tile_b[ty][tx] = col < n && start + ty < end ? b[(start + ty) * n + col] : 0.0f;
    __syncthreads();
#pragma unroll
    for (int i = 0; i < TILE; ++i) sum += tile_a[ty][i] * tile_b[i][tx];
    __syncthreads();
  }
  if (row < m && col < n) atomicAdd(&c[row * n + col], sum);
}

extern "C" void run(const float* a, const float* b, float* c, int64_t m, int64_t n, int64_t k,
                    cudaStream_t stream) {
  cudaMemsetAsync(c, 0, m * n * sizeof(float), stream);
  const dim3 blocks((unsigned)((n + TILE - 1) / TILE), (unsigned)((m + TILE - 1) / TILE),
                    (unsigned)((k + SLICE - 1) / SLICE));
  matmul_slices<<<blocks, dim3(TILE, TILE), 0, stream>>>(a, b, c, m, n, k);
}
