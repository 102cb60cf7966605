// task: layernorm
// fault: the 1e-5 under the root is forgotten: a row of equal numbers is 0 * infinity

#include <cstdint>

// The sum over the block, in every thread.
template <int kWarps>
__device__ float block_sum(float value, float* scratch) {
  for (int step = 16; step > 0; step /= 2) value += __shfl_down_sync(0xffffffff, value, step);
  const int warp = threadIdx.x / 32;
  if (threadIdx.x % 32 == 0) scratch[warp] = value;
  __syncthreads();
  float total = 0.0f;
  for (int w = 0; w < kWarps; ++w) total += scratch[w];
  __syncthreads();
  return total;
}

__global__ void layernorm_kernel(const float* __restrict__ x, const float* __restrict__ weight,
                                 const float* __restrict__ bias, float* __restrict__ y,
                                 int64_t cols) {
  __shared__ float scratch[8];
  const int64_t start = blockIdx.x * cols;
  float sum = 0.0f;
  for (int64_t c = threadIdx.x; c < cols; c += 256) sum += x[start + c];
  const float mean = block_sum<8>(sum, scratch) / (float)cols;
  float squares = 0.0f;
  for (int64_t c = threadIdx.x; c < cols; c += 256) {
    const float d = x[start + c] - mean;
    squares += d * d;
  }
  const float inverse = rsqrtf(block_sum<8>(squares, scratch) / (float)cols);
  for (int64_t c = threadIdx.x; c < cols; c += 256) {
    y[start + c] = (x[start + c] - mean) * inverse * weight[c] + bias[c];
  }
}

extern "C" void run(const float* x, const float* weight, const float* bias, float* y, int64_t rows,
                    int64_t cols, cudaStream_t stream) {
  layernorm_kernel<<<(unsigned)rows, 256, 0, stream>>>(x, weight, bias, y, cols);
}
