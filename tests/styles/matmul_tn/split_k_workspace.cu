// style: split-k in two kernels: slices of k leave partial products in a workspace, a second kernel
// adds them in order.
#include <cstdint>

#define TILE 16
#define SLICE 128

__global__ void partial_products(const float* a, const float* b, float* partial, int64_t m,
                                 int64_t n, int64_t k) {
  __shared__ float tile_a[TILE][TILE];
  __shared__ float tile_b[TILE][TILE];
  const int tx = threadIdx.x, ty = threadIdx.y;
  const int64_t top = (int64_t)blockIdx.y * TILE, left = (int64_t)blockIdx.x * TILE;
  const int64_t begin = (int64_t)blockIdx.z * SLICE;
  const int64_t end = begin + SLICE < k ? begin + SLICE : k;
  float sum = 0.0f;
  for (int64_t start = begin; start < end; start += TILE) {
    const bool inside = start + ty < end;
    tile_a[ty][tx] = inside && top + tx < m ? a[(start + ty) * m + top + tx] : 0.0f;
    tile_b[ty][tx] = inside && left + tx < n ? b[(start + ty) * n + left + tx] : 0.0f;
    __syncthreads();
    for (int i = 0; i < TILE; ++i) sum += tile_a[i][ty] * tile_b[i][tx];
    __syncthreads();
  }
  if (top + ty < m && left + tx < n) {
    partial[((int64_t)blockIdx.z * m + top + ty) * n + left + tx] = sum;
  }
}

__global__ void add_slices(const float* partial, float* c, int64_t count, int64_t slices) {
  const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= count) return;
  float sum = 0.0f;
  for (int64_t s = 0; s < slices; ++s) sum += partial[s * count + i];
  c[i] = sum;
}

extern "C" void run(const float* a, const float* b, float* c, int64_t m, int64_t n, int64_t k,
                    cudaStream_t stream) {
  const int64_t slices = (k + SLICE - 1) / SLICE;
  float* partial = nullptr;
  cudaMallocAsync(&partial, slices * m * n * sizeof(float), stream);
  const dim3 blocks((unsigned)((n + TILE - 1) / TILE), (unsigned)((m + TILE - 1) / TILE),
                    (unsigned)slices);
  partial_products<<<blocks, dim3(TILE, TILE), 0, stream>>>(a, b, partial, m, n, k);
  add_slices<<<(unsigned)((m * n + 255) / 256), 256, 0, stream>>>(partial, c, m * n, slices);
  cudaFreeAsync(partial, stream);
}
