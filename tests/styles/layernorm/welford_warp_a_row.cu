// style: one warp a row, mean and variance in one pass by Welford, merged by Chan's formula.
#include <cstdint>

struct Moments {
  float count, mean, squares;
};

__device__ Moments merge(Moments a, Moments b) {
  const float count = a.count + b.count;
  if (count == 0.0f) return a;
  const float delta = b.mean - a.mean;
  const float part = b.count / count;
  return {count, a.mean + delta * part, a.squares + b.squares + delta * delta * a.count * part};
}

__global__ void layernorm_warps(const float* x, const float* weight, const float* bias, float* y,
                                int64_t rows, int64_t cols) {
  const int lane = threadIdx.x % 32;
  const int64_t row = (int64_t)blockIdx.x * 4 + threadIdx.x / 32;
  if (row >= rows) return;
  const float* in = x + row * cols;
  Moments m = {0.0f, 0.0f, 0.0f};
  for (int64_t i = lane; i < cols; i += 32) {
    m.count += 1.0f;
    const float delta = in[i] - m.mean;
    m.mean += delta / m.count;
    m.squares += delta * (in[i] - m.mean);
  }
  for (int step = 16; step > 0; step /= 2) {
    m = merge(m, {__shfl_down_sync(0xffffffffu, m.count, step),
                  __shfl_down_sync(0xffffffffu, m.mean, step),
                  __shfl_down_sync(0xffffffffu, m.squares, step)});
  }
  const float mean = __shfl_sync(0xffffffffu, m.mean, 0);
  const float scale = rsqrtf(__shfl_sync(0xffffffffu, m.squares, 0) / (float)cols + 1e-5f);
  for (int64_t i = lane; i < cols; i += 32) {
    y[row * cols + i] = (in[i] - mean) * scale * weight[i] + bias[i];
  }
}

extern "C" void run(const float* x, const float* weight, const float* bias, float* y, int64_t rows,
                    int64_t cols, cudaStream_t stream) {
  layernorm_warps<<<(unsigned)((rows + 3) / 4), 128, 0, stream>>>(x, weight, bias, y, rows, cols);
}
