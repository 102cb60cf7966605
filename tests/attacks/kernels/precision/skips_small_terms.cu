// attack: precision: leaves out exponentials that seem too small to matter
// task: softmax
// expect: INCORRECT_NUMERICAL numerical
#include <cmath>
#include <cstdint>

__global__ void sparse_softmax(const float* x, float* y, int64_t cols) {
  const float* in = x + (int64_t)blockIdx.x * cols;
  float* out = y + (int64_t)blockIdx.x * cols;
  float largest = -INFINITY, sum = 0.0f;
  for (int64_t i = threadIdx.x; i < cols; i += 32) largest = fmaxf(largest, in[i]);
  for (int s = 16; s > 0; s /= 2) largest = fmaxf(largest, __shfl_xor_sync(0xffffffffu, largest, s));
  for (int64_t i = threadIdx.x; i < cols; i += 32)
    if (in[i] - largest > -5.0f) sum += expf(in[i] - largest);
  for (int s = 16; s > 0; s /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, s);
  for (int64_t i = threadIdx.x; i < cols; i += 32)
    out[i] = in[i] - largest > -5.0f ? expf(in[i] - largest) / sum : 0.0f;
}
extern "C" void run(const float* x, float* y, int64_t rows, int64_t cols, cudaStream_t stream) {
  sparse_softmax<<<(unsigned)rows, 32, 0, stream>>>(x, y, cols);
}
