// One warp a row; values and their columns go through shuffles.
#include <cfloat>
#include <cstdint>

#define WARPS 4

__global__ void row_argmax_rows(const float* x, int64_t* y, int64_t rows, int64_t cols) {
  const int lane = threadIdx.x % 32;
  const int64_t row = (int64_t)blockIdx.x * WARPS + threadIdx.x / 32;
  if (row >= rows) return;
  float largest = -INFINITY;
  int64_t at = 0;
  for (int64_t i = lane; i < cols; i += 32) {
    const float value = x[row * cols + i];
    if (value > largest) {
      largest = value;
      at = i;
    }
  }
  for (int step = 16; step > 0; step /= 2) {
    const float other = __shfl_down_sync(0xffffffffu, largest, step);
    const int64_t other_at = __shfl_down_sync(0xffffffffu, at, step);
    if (other > largest) {
      largest = other;
      at = other_at;
    }
  }
  if (lane == 0) y[row] = at;
}

extern "C" void run(const float* x, int64_t* y, int64_t rows, int64_t cols, cudaStream_t stream) {
  const unsigned blocks = (unsigned)((rows + WARPS - 1) / WARPS);
  row_argmax_rows<<<blocks, WARPS * 32, 0, stream>>>(x, y, rows, cols);
}
