// task: batchnorm
// control: a block a plane: its factor is computed once, then the pixels are walked

#include <cstdint>

__global__ void batchnorm_kernel(const float* x, const float* mean, const float* variance,
                                 const float* weight, const float* bias, float eps, float* y,
                                 int64_t channels, int64_t pixels) {
  __shared__ float factor, centre, shift;
  const int64_t channel = blockIdx.x % channels;
  if (threadIdx.x == 0) {
    factor = weight[channel] * rsqrtf(variance[channel] + eps);
    centre = mean[channel];
    shift = bias[channel];
  }
  __syncthreads();
  const int64_t start = blockIdx.x * pixels;
  for (int64_t i = threadIdx.x; i < pixels; i += blockDim.x) {
    y[start + i] = fmaf(x[start + i] - centre, factor, shift);
  }
}

extern "C" void run(const float* x, const float* mean, const float* variance, const float* weight,
                    const float* bias, float eps, float* y, int64_t batch, int64_t channels,
                    int64_t pixels, cudaStream_t stream) {
  batchnorm_kernel<<<(unsigned)(batch * channels), 128, 0, stream>>>(
      x, mean, variance, weight, bias, eps, y, channels, pixels);
}
