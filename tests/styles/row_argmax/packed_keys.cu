// style: one warp a row; value and column packed into one integer of 64 bits, its maximum shuffled.
#include <cstdint>

__device__ unsigned long long key_of(float value, int64_t column) {
  const unsigned bits = __float_as_uint(value);
  const unsigned ordered = bits & 0x80000000u ? ~bits : bits | 0x80000000u;
  return (unsigned long long)ordered << 32 | (0xffffffffu - (unsigned)column);
}

__global__ void row_argmax_warps(const float* x, int64_t* y, int64_t rows, int64_t cols) {
  const int64_t row = (int64_t)blockIdx.x * 4 + threadIdx.x / 32;
  if (row >= rows) return;
  unsigned long long best = 0;
  for (int64_t i = threadIdx.x % 32; i < cols; i += 32) {
    const unsigned long long key = key_of(x[row * cols + i], i);
    best = key > best ? key : best;
  }
  for (int step = 16; step > 0; step /= 2) {
    const unsigned long long other = __shfl_xor_sync(0xffffffffu, best, step);
    best = other > best ? other : best;
  }
  if (threadIdx.x % 32 == 0) y[row] = 0xffffffffu - (unsigned)best;
}

extern "C" void run(const float* x, int64_t* y, int64_t rows, int64_t cols, cudaStream_t stream) {
  row_argmax_warps<<<(unsigned)((rows + 3) / 4), 128, 0, stream>>>(x, y, rows, cols);
}
