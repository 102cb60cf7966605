// task: layernorm_fp16
// control: mean and variance in one pass after Welford, merged pairwise over a block, in float32

#include <cuda_fp16.h>

#include <cstdint>

struct Moments {
  float count, mean, squares;  // squares: sum of squared distances from the mean
};

__device__ Moments merged(const Moments& a, const Moments& b) {
  const float count = a.count + b.count;
  if (count == 0.0f) return a;
  const float delta = b.mean - a.mean, share = b.count / count;
  return {count, a.mean + delta * share, a.squares + b.squares + delta * delta * a.count * share};
}

__global__ void layernorm_kernel(const __half* x, const __half* weight, const __half* bias,
                                 __half* y, int64_t cols) {
  __shared__ Moments parts[128];
  const int tid = threadIdx.x;
  const __half* in = x + blockIdx.x * cols;
  Moments own = {0.0f, 0.0f, 0.0f};
  for (int64_t c = tid; c < cols; c += 128) {
    const float value = __half2float(in[c]);
    own.count += 1.0f;
    const float delta = value - own.mean;
    own.mean += delta / own.count;
    own.squares += delta * (value - own.mean);
  }
  parts[tid] = own;
  __syncthreads();
  for (int step = 64; step > 0; step /= 2) {
    if (tid < step) parts[tid] = merged(parts[tid], parts[tid + step]);
    __syncthreads();
  }
  const float mean = parts[0].mean;
  const float inverse = 1.0f / sqrtf(parts[0].squares / (float)cols + 1e-5f);
  for (int64_t c = tid; c < cols; c += 128) {
    const float normal = (__half2float(in[c]) - mean) * inverse;
    y[blockIdx.x * cols + c] =
        __float2half_rn(normal * __half2float(weight[c]) + __half2float(bias[c]));
  }
}

extern "C" void run(const __half* x, const __half* weight, const __half* bias, __half* y,
                    int64_t rows, int64_t cols, cudaStream_t stream) {
  layernorm_kernel<<<(unsigned)rows, 128, 0, stream>>>(x, weight, bias, y, cols);
}
