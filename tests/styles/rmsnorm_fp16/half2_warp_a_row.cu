// style: one warp a row, half2 where rows are even, else single halves; rsqrtf.
#include <cuda_fp16.h>

#include <cstdint>

__global__ void rmsnorm_warps(const __half* x, const __half* weight, __half* y, int64_t rows,
                              int64_t cols) {
  const int lane = threadIdx.x % 32;
  const int64_t row = (int64_t)blockIdx.x * 4 + threadIdx.x / 32;
  if (row >= rows) return;
  const __half* in = x + row * cols;
  __half* out = y + row * cols;
  const int64_t pairs = cols % 2 == 0 ? cols / 2 : 0;
  float squares = 0.0f;
  for (int64_t i = lane; i < pairs; i += 32) {
    const float2 v = __half22float2(reinterpret_cast<const __half2*>(in)[i]);
    squares += v.x * v.x + v.y * v.y;
  }
  for (int64_t i = 2 * pairs + lane; i < cols; i += 32) {
    squares += __half2float(in[i]) * __half2float(in[i]);
  }
  for (int step = 16; step > 0; step /= 2) {
    squares += __shfl_xor_sync(0xffffffffu, squares, step);
  }
  const float scale = rsqrtf(squares / (float)cols + 1e-6f);
  for (int64_t i = lane; i < pairs; i += 32) {
    const float2 v = __half22float2(reinterpret_cast<const __half2*>(in)[i]);
    const float2 w = __half22float2(reinterpret_cast<const __half2*>(weight)[i]);
    reinterpret_cast<__half2*>(out)[i] = __floats2half2_rn(v.x * scale * w.x, v.y * scale * w.y);
  }
  for (int64_t i = 2 * pairs + lane; i < cols; i += 32) {
    out[i] = __float2half(__half2float(in[i]) * scale * __half2float(weight[i]));
  }
}

extern "C" void run(const __half* x, const __half* weight, __half* y, int64_t rows, int64_t cols,
                    cudaStream_t stream) {
  rmsnorm_warps<<<(unsigned)((rows + 3) / 4), 128, 0, stream>>>(x, weight, y, rows, cols);
}
