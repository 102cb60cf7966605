// task: rmsnorm
// control: a warp a row, four rows a block, sums by shuffles alone

#include <cstdint>

__global__ void rmsnorm_kernel(const float* __restrict__ x, const float* __restrict__ weight,
                               float* __restrict__ y, int64_t rows, int64_t cols) {
  const int64_t row = (int64_t)blockIdx.x * 4 + threadIdx.y;
  if (row >= rows) return;
  const float* in = x + row * cols;
  float squares = 0.0f;
  for (int64_t c = threadIdx.x; c < cols; c += 32) squares = fmaf(in[c], in[c], squares);
  for (int mask = 1; mask < 32; mask *= 2) squares += __shfl_xor_sync(0xffffffffu, squares, mask);
  const float root = sqrtf(squares / (float)cols + 1e-6f);
  for (int64_t c = threadIdx.x; c < cols; c += 32) y[row * cols + c] = in[c] / root * weight[c];
}

extern "C" void run(const float* x, const float* weight, float* y, int64_t rows, int64_t cols,
                    cudaStream_t stream) {
  rmsnorm_kernel<<<(unsigned)((rows + 3) / 4), dim3(32, 4), 0, stream>>>(x, weight, y, rows, cols);
}
