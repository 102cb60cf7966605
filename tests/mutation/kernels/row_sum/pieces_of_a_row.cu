// A row is summed by several blocks, a piece each; a second launch adds the pieces.
#include <cstdint>

#define THREADS 128
#define PIECE 512

__global__ void sum_pieces(const float* x, float* sums, int64_t cols, int64_t pieces) {
  __shared__ float partial[THREADS];
  const float* in = x + (int64_t)blockIdx.y * cols;
  const int64_t begin = (int64_t)blockIdx.x * PIECE;
  const int64_t end = begin + PIECE < cols ? begin + PIECE : cols;
  const int tid = threadIdx.x;
  float sum = 0.0f;
  for (int64_t i = begin + tid; i < end; i += THREADS) sum += in[i];
  partial[tid] = sum;
  __syncthreads();
  for (int step = THREADS / 2; step > 0; step /= 2) {
    if (tid < step) partial[tid] += partial[tid + step];
    __syncthreads();
  }
  if (tid == 0) sums[blockIdx.y * pieces + blockIdx.x] = partial[0];
}

__global__ void add_pieces(const float* sums, float* y, int64_t rows, int64_t pieces) {
  const int64_t row = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (row >= rows) return;
  float sum = 0.0f;
  for (int64_t i = 0; i < pieces; ++i) sum += sums[row * pieces + i];
  y[row] = sum;
}

extern "C" void run(const float* x, float* y, int64_t rows, int64_t cols, cudaStream_t stream) {
  const int64_t pieces = (cols + PIECE - 1) / PIECE;
  float* sums = nullptr;
  cudaMallocAsync((void**)&sums, rows * pieces * sizeof(float), stream);
  sum_pieces<<<dim3((unsigned)pieces, (unsigned)rows), THREADS, 0, stream>>>(x, sums, cols, pieces);
  add_pieces<<<(unsigned)((rows + 63) / 64), 64, 0, stream>>>(sums, y, rows, pieces);
  cudaFreeAsync(sums, stream);
}
