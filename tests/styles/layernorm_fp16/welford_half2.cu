// style: one warp a row, Welford in float32; pairs of halves where rows are even.
#include <cuda_fp16.h>

#include <cstdint>

struct Moments {
  float count, mean, squares;
};

__device__ void add(Moments& m, float value) {
  m.count += 1.0f;
  const float delta = value - m.mean;
  m.mean += __fdividef(delta, m.count);
  m.squares = fmaf(delta, value - m.mean, m.squares);
}

__device__ void add_other_lanes(Moments& m, int step) {
  const float count = __shfl_xor_sync(0xffffffffu, m.count, step);
  const float mean = __shfl_xor_sync(0xffffffffu, m.mean, step);
  const float squares = __shfl_xor_sync(0xffffffffu, m.squares, step);
  const float both = m.count + count;
  if (both == 0.0f) return;
  const float delta = mean - m.mean;
  m.mean = (m.count * m.mean + count * mean) / both;
  m.squares += squares + delta * delta * (m.count * count / both);
  m.count = both;
}

__global__ void layernorm_warps(const __half* x, const __half* weight, const __half* bias,
                                __half* y, int64_t rows, int64_t cols) {
  const int lane = threadIdx.x % 32;
  const int64_t row = (int64_t)blockIdx.x * 4 + threadIdx.x / 32;
  if (row >= rows) return;
  const __half* in = x + row * cols;
  __half* out = y + row * cols;
  const int64_t pairs = cols % 2 == 0 ? cols / 2 : 0;
  Moments m = {0.0f, 0.0f, 0.0f};
  for (int64_t i = lane; i < pairs; i += 32) {
    const float2 v = __half22float2(reinterpret_cast<const __half2*>(in)[i]);
    add(m, v.x);
    add(m, v.y);
  }
  for (int64_t i = 2 * pairs + lane; i < cols; i += 32) add(m, __half2float(in[i]));
  for (int step = 16; step > 0; step /= 2) add_other_lanes(m, step);
  const float scale = rsqrtf(m.squares / (float)cols + 1e-5f);
  for (int64_t i = lane; i < pairs; i += 32) {
    const float2 v = __half22float2(reinterpret_cast<const __half2*>(in)[i]);
    const float2 w = __half22float2(reinterpret_cast<const __half2*>(weight)[i]);
    const float2 b = __half22float2(reinterpret_cast<const __half2*>(bias)[i]);
    reinterpret_cast<__half2*>(out)[i] = __floats2half2_rn(fmaf((v.x - m.mean) * scale, w.x, b.x),
                                                           fmaf((v.y - m.mean) * scale, w.y, b.y));
  }
  for (int64_t i = 2 * pairs + lane; i < cols; i += 32) {
    const float value = (__half2float(in[i]) - m.mean) * scale;
    out[i] = __float2half(fmaf(value, __half2float(weight[i]), __half2float(bias[i])));
  }
}

extern "C" void run(const __half* x, const __half* weight, const __half* bias, __half* y,
                    int64_t rows, int64_t cols, cudaStream_t stream) {
  layernorm_warps<<<(unsigned)((rows + 3) / 4), 128, 0, stream>>>(x, weight, bias, y, rows, cols);
}
