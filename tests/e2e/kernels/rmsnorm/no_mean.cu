// expect: INCORRECT_NUMERICAL numerical
#include <cstdint>
__global__ void rmsnorm(const float* x, const float* weight, float* y, int64_t cols) {
  const float* in = x + (int64_t)blockIdx.x * cols;
  float s = 0.0f;
  for (int64_t i = threadIdx.x; i < cols; i += 32) s += in[i] * in[i];
  for (int d = 16; d > 0; d /= 2) s += __shfl_xor_sync(0xffffffffu, s, d);
  const float scale = rsqrtf(s + 1e-6f);
  for (int64_t i = threadIdx.x; i < cols; i += 32) {
    y[(int64_t)blockIdx.x * cols + i] = in[i] * scale * weight[i];
  }
}
extern "C" void run(const float* x, const float* weight, float* y, int64_t rows, int64_t cols,
                    cudaStream_t stream) {
  rmsnorm<<<(unsigned)rows, 32, 0, stream>>>(x, weight, y, cols);
}
