// One warp a row. Count, mean and squared distances are kept together and merged (Chan's formula),
// so that a row is read once for them.
#include <cstdint>

#define WARPS 4

__global__ void layernorm_rows(const float* x, const float* weight, const float* bias, float* y,
                               int64_t rows, int64_t cols) {
  const int lane = threadIdx.x % 32;
  const int64_t row = (int64_t)blockIdx.x * WARPS + threadIdx.x / 32;
  if (row >= rows) return;
  const float* in = x + row * cols;

  float count = 0.0f;
  float mean = 0.0f;
  float squares = 0.0f;
  for (int64_t i = lane; i < cols; i += 32) {
    count += 1.0f;
    const float before = in[i] - mean;
    mean += before / count;
    squares += before * (in[i] - mean);
  }
  for (int step = 16; step > 0; step /= 2) {
    const float other_count = __shfl_xor_sync(0xffffffffu, count, step);
    const float other_mean = __shfl_xor_sync(0xffffffffu, mean, step);
    const float other_squares = __shfl_xor_sync(0xffffffffu, squares, step);
    const float both = count + other_count;
    const float share = both > 0.0f ? other_count / both : 0.0f;
    const float apart = other_mean - mean;
    squares += other_squares + apart * apart * count * share;
    mean = mean * (1.0f - share) + other_mean * share;
    count = both;
  }
  const float scale = rsqrtf(squares / (float)cols + 1e-5f);
  for (int64_t i = lane; i < cols; i += 32) {
    y[row * cols + i] = (in[i] - mean) * scale * weight[i] + bias[i];
  }
}

extern "C" void run(const float* x, const float* weight, const float* bias, float* y, int64_t rows,
                    int64_t cols, cudaStream_t stream) {
  const unsigned blocks = (unsigned)((rows + WARPS - 1) / WARPS);
  layernorm_rows<<<blocks, WARPS * 32, 0, stream>>>(x, weight, bias, y, rows, cols);
}
