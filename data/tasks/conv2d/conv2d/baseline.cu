// One thread a pixel of the output; a block has pixels of one output channel of one image.
#include <cstdint>

__global__ void conv2d_pixels(const float* x, const float* weight, const float* bias, float* y,
                              int64_t in_channels, int64_t out_channels, int64_t height,
                              int64_t width) {
  const int64_t pixels = height * width;
  const int64_t pixel = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (pixel >= pixels) return;
  const int64_t channel = blockIdx.y;
  const int64_t image = blockIdx.z;
  const int64_t i = pixel / width;
  const int64_t j = pixel % width;

  float sum = bias[channel];
  for (int64_t c = 0; c < in_channels; ++c) {
    const float* in = x + (image * in_channels + c) * pixels;
    const float* kernel = weight + (channel * in_channels + c) * 9;
    for (int u = 0; u < 3; ++u) {
      const int64_t row = i + u - 1;
      if (row < 0 || row >= height) continue;
      for (int v = 0; v < 3; ++v) {
        const int64_t col = j + v - 1;
        if (col >= 0 && col < width) sum += in[row * width + col] * kernel[u * 3 + v];
      }
    }
  }
  y[(image * out_channels + channel) * pixels + pixel] = sum;
}

extern "C" void run(const float* x, const float* weight, const float* bias, float* y, int64_t batch,
                    int64_t in_channels, int64_t out_channels, int64_t height, int64_t width,
                    cudaStream_t stream) {
  const int threads = 128;
  const dim3 blocks((unsigned)((height * width + threads - 1) / threads), (unsigned)out_channels,
                    (unsigned)batch);
  conv2d_pixels<<<blocks, threads, 0, stream>>>(x, weight, bias, y, in_channels, out_channels,
                                                height, width);
}
