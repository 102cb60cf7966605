// style: floats as unsigned integers of the same order, joined by atomicMax in shared memory.
#include <cstdint>

__device__ unsigned ordered(float value) {
  const unsigned bits = __float_as_uint(value);
  return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}

__device__ float from_ordered(unsigned key) {
  return __uint_as_float(key & 0x80000000u ? key & 0x7fffffffu : ~key);
}

__global__ void row_max_keys(const float* x, float* y, int64_t cols) {
  __shared__ unsigned largest;
  if (threadIdx.x == 0) largest = 0;
  __syncthreads();
  const float* in = x + (int64_t)blockIdx.x * cols;
  unsigned mine = 0;
  for (int64_t i = threadIdx.x; i < cols; i += blockDim.x) mine = max(mine, ordered(in[i]));
  atomicMax(&largest, mine);
  __syncthreads();
  if (threadIdx.x == 0) y[blockIdx.x] = from_ordered(largest);
}

extern "C" void run(const float* x, float* y, int64_t rows, int64_t cols, cudaStream_t stream) {
  row_max_keys<<<(unsigned)rows, 128, 0, stream>>>(x, y, cols);
}
