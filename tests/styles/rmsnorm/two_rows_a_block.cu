// style: blocks of 128 x 2 threads, two rows each; weight times scale first; __frsqrt_rn.
#include <cstdint>

#define WIDTH 128

__global__ void rmsnorm_pairs(const float* __restrict__ x, const float* __restrict__ weight,
                              float* __restrict__ y, int64_t rows, int64_t cols) {
  __shared__ float partial[2][WIDTH];
  float* mine = partial[threadIdx.y];
  const int64_t row = (int64_t)blockIdx.x * 2 + threadIdx.y;
  const bool active = row < rows;
  float squares = 0.0f;
  if (active) {
    for (int64_t i = threadIdx.x; i < cols; i += WIDTH) {
      squares = fmaf(x[row * cols + i], x[row * cols + i], squares);
    }
  }
  mine[threadIdx.x] = squares;
  __syncthreads();
#pragma unroll
  for (int step = WIDTH / 2; step > 0; step /= 2) {
    if (threadIdx.x < step) mine[threadIdx.x] += mine[threadIdx.x + step];
    __syncthreads();
  }
  if (!active) return;
  const float scale = __frsqrt_rn(mine[0] * (1.0f / (float)cols) + 1e-6f);
  for (int64_t i = threadIdx.x; i < cols; i += WIDTH) {
    y[row * cols + i] = x[row * cols + i] * (weight[i] * scale);
  }
}

extern "C" void run(const float* x, const float* weight, float* y, int64_t rows, int64_t cols,
                    cudaStream_t stream) {
  rmsnorm_pairs<<<(unsigned)((rows + 1) / 2), dim3(WIDTH, 2), 0, stream>>>(x, weight, y, rows,
                                                                           cols);
}
