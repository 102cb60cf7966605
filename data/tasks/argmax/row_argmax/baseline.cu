// One block a row; a tree in shared memory over values and their columns. Of equal ones the first.
#include <cfloat>
#include <cstdint>

#define THREADS 256

__global__ void row_argmax_rows(const float* x, int64_t* y, int64_t cols) {
  __shared__ float values[THREADS];
  __shared__ int64_t places[THREADS];
  const float* in = x + (int64_t)blockIdx.x * cols;
  const int tid = threadIdx.x;

  float largest = -FLT_MAX;
  int64_t at = 0;
  for (int64_t i = tid; i < cols; i += THREADS) {
    if (in[i] > largest) {
      largest = in[i];
      at = i;
    }
  }
  values[tid] = largest;
  places[tid] = at;
  __syncthreads();
  for (int step = THREADS / 2; step > 0; step /= 2) {
    if (tid < step) {
      const float other = values[tid + step];
      if (other > values[tid] || (other == values[tid] && places[tid + step] < places[tid])) {
        values[tid] = other;
        places[tid] = places[tid + step];
      }
    }
    __syncthreads();
  }
  if (tid == 0) y[blockIdx.x] = places[0];
}

extern "C" void run(const float* x, int64_t* y, int64_t rows, int64_t cols, cudaStream_t stream) {
  row_argmax_rows<<<(unsigned)rows, THREADS, 0, stream>>>(x, y, cols);
}
