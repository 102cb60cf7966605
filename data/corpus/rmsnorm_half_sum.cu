// task: rmsnorm_fp16
// fault: squares are summed in float16: the sum of large values, or of a long row, is infinite

#include <cuda_fp16.h>

#include <cstdint>

__global__ void rmsnorm_kernel(const __half* __restrict__ x, const __half* __restrict__ weight,
                               __half* __restrict__ y, int64_t cols) {
  __shared__ __half partial[8];
  const __half* in = x + blockIdx.x * cols;
  __half* out = y + blockIdx.x * cols;
  __half squares = __float2half(0.0f);
  for (int64_t c = threadIdx.x; c < cols; c += blockDim.x) squares = __hfma(in[c], in[c], squares);
  for (int step = 16; step > 0; step >>= 1) {
    squares = __hadd(squares, __shfl_xor_sync(~0u, squares, step));
  }
  if (threadIdx.x % 32 == 0) partial[threadIdx.x / 32] = squares;
  __syncthreads();
  __half total = partial[0];
  for (int w = 1; w < 8; ++w) total = __hadd(total, partial[w]);
  const float scale = rsqrtf(__half2float(total) / (float)cols + 1e-6f);
  for (int64_t c = threadIdx.x; c < cols; c += blockDim.x) {
    out[c] = __float2half(__half2float(in[c]) * scale * __half2float(weight[c]));
  }
}

extern "C" void run(const __half* x, const __half* weight, __half* y, int64_t rows, int64_t cols,
                    cudaStream_t stream) {
  rmsnorm_kernel<<<(unsigned)rows, 256, 0, stream>>>(x, weight, y, cols);
}
