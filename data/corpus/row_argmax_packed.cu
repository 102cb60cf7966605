// task: row_argmax
// control: value and column packed into one 64-bit key that orders as the pair does

#include <cstdint>

// Rises with the float; of equal values the smaller column has the larger key.
__device__ unsigned long long key_of(float value, unsigned column) {
  const unsigned bits = __float_as_uint(value + 0.0f);  // -0 becomes 0
  const unsigned ordered = bits & 0x80000000u ? ~bits : bits | 0x80000000u;
  return (unsigned long long)ordered << 32 | (0xffffffffu - column);
}

__global__ void argmax_kernel(const float* x, int64_t* y, int64_t cols) {
  __shared__ unsigned long long best[32];
  const float* row = x + blockIdx.x * cols;
  unsigned long long own = 0;
  for (unsigned c = threadIdx.x; c < cols; c += blockDim.x) {
    const unsigned long long key = key_of(row[c], c);
    if (key > own) own = key;
  }
  for (int step = 16; step > 0; step /= 2) {
    const unsigned long long other = __shfl_down_sync(0xffffffffu, own, step);
    if (other > own) own = other;
  }
  if (threadIdx.x % 32 == 0) best[threadIdx.x / 32] = own;
  __syncthreads();
  if (threadIdx.x == 0) {
    for (unsigned w = 1; w < blockDim.x / 32; ++w) own = best[w] > own ? best[w] : own;
    y[blockIdx.x] = 0xffffffffu - (unsigned)(own & 0xffffffffu);
  }
}

extern "C" void run(const float* x, int64_t* y, int64_t rows, int64_t cols, cudaStream_t stream) {
  argmax_kernel<<<(unsigned)rows, 192, 0, stream>>>(x, y, cols);
}
