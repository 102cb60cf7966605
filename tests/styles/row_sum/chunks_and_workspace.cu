// style: two kernels: sums of chunks of 512 columns into a workspace, then their sum by a thread.
#include <cstdint>

#define CHUNK 512

__global__ void sum_chunks(const float* x, float* partial, int64_t cols, int64_t chunks) {
  __shared__ float warps[4];
  const int64_t row = blockIdx.x / chunks;
  const int64_t chunk = blockIdx.x % chunks;
  const int64_t end = (chunk + 1) * CHUNK < cols ? (chunk + 1) * CHUNK : cols;
  float sum = 0.0f;
  for (int64_t i = chunk * CHUNK + threadIdx.x; i < end; i += 128) sum += x[row * cols + i];
  for (int step = 16; step > 0; step /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, step);
  if (threadIdx.x % 32 == 0) warps[threadIdx.x / 32] = sum;
  __syncthreads();
  if (threadIdx.x == 0) partial[blockIdx.x] = warps[0] + warps[1] + warps[2] + warps[3];
}

__global__ void sum_partials(const float* partial, float* y, int64_t rows, int64_t chunks) {
  const int64_t row = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (row >= rows) return;
  float sum = 0.0f;
  for (int64_t i = 0; i < chunks; ++i) sum += partial[row * chunks + i];
  y[row] = sum;
}

extern "C" void run(const float* x, float* y, int64_t rows, int64_t cols, cudaStream_t stream) {
  const int64_t chunks = (cols + CHUNK - 1) / CHUNK;
  float* partial = nullptr;
  cudaMallocAsync(&partial, rows * chunks * sizeof(float), stream);
  sum_chunks<<<(unsigned)(rows * chunks), 128, 0, stream>>>(x, partial, cols, chunks);
  sum_partials<<<(unsigned)((rows + 63) / 64), 64, 0, stream>>>(partial, y, rows, chunks);
  cudaFreeAsync(partial, stream);
}
