// One block a row. A row is taken in pieces of a block's width: a scan in shared memory, two
// buffers in turn, and what came before the piece is added.
#include <cstdint>

#define THREADS 256

__global__ void cumsum_rows(const float* x, float* y, int64_t cols) {
  __shared__ float sums[2][THREADS];
  const float* in = x + (int64_t)blockIdx.x * cols;
  float* out = y + (int64_t)blockIdx.x * cols;
  const int tid = threadIdx.x;

  float before = 0.0f;
  for (int64_t start = 0; start < cols; start += THREADS) {
    const int64_t i = start + tid;
    int from = 0;
    sums[from][tid] = i < cols ? in[i] : 0.0f;
    __syncthreads();
    for (int step = 1; step < THREADS; step *= 2) {
      sums[1 - from][tid] = sums[from][tid] + (tid >= step ? sums[from][tid - step] : 0.0f);
      from = 1 - from;
      __syncthreads();
    }
    if (i < cols) out[i] = before + sums[from][tid];
    before += sums[from][THREADS - 1];
    __syncthreads();
  }
}

extern "C" void run(const float* x, float* y, int64_t rows, int64_t cols, cudaStream_t stream) {
  cumsum_rows<<<(unsigned)rows, THREADS, 0, stream>>>(x, y, cols);
}
