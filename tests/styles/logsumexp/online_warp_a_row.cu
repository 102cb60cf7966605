// style: one warp a row, maximum and sum in one pass, pairs of both merged by shuffles.
#include <cmath>
#include <cstdint>

__global__ void logsumexp_warps(const float* x, float* y, int64_t rows, int64_t cols) {
  const int lane = threadIdx.x % 32;
  const int64_t row = (int64_t)blockIdx.x * 4 + threadIdx.x / 32;
  if (row >= rows) return;
  float largest = -INFINITY, sum = 0.0f;
  for (int64_t i = lane; i < cols; i += 32) {
    const float value = x[row * cols + i];
    if (value > largest) {
      sum = sum * expf(largest - value) + 1.0f;
      largest = value;
    } else {
      sum += expf(value - largest);
    }
  }
  for (int step = 16; step > 0; step /= 2) {
    const float other = __shfl_xor_sync(0xffffffffu, largest, step);
    const float other_sum = __shfl_xor_sync(0xffffffffu, sum, step);
    const float both = fmaxf(largest, other);
    const float mine = sum > 0.0f ? sum * expf(largest - both) : 0.0f;
    sum = mine + (other_sum > 0.0f ? other_sum * expf(other - both) : 0.0f);
    largest = both;
  }
  if (lane == 0) y[row] = largest + logf(sum);
}

extern "C" void run(const float* x, float* y, int64_t rows, int64_t cols, cudaStream_t stream) {
  logsumexp_warps<<<(unsigned)((rows + 3) / 4), 128, 0, stream>>>(x, y, rows, cols);
}
