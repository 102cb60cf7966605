// task: conv2d
// control: an 8 x 32 tile of pixels and its border in shared memory, four output channels a thread

#include <cstdint>

constexpr int kRows = 8, kCols = 32, kChannels = 4;

__global__ void conv_kernel(const float* __restrict__ x, const float* __restrict__ weight,
                            const float* __restrict__ bias, float* __restrict__ y, int in_channels,
                            int out_channels, int height, int width, int tiles_x) {
  __shared__ float tile[kRows + 2][kCols + 2];
  const int top = blockIdx.x / tiles_x * kRows, side = blockIdx.x % tiles_x * kCols;
  const int first_out = blockIdx.y * kChannels;
  const int64_t image = blockIdx.z;
  const int tx = threadIdx.x, ty = threadIdx.y;
  float sum[kChannels];
  for (int o = 0; o < kChannels; ++o) {
    sum[o] = first_out + o < out_channels ? bias[first_out + o] : 0.0f;
  }
  for (int c = 0; c < in_channels; ++c) {
    const float* plane = x + (image * in_channels + c) * height * width;
    for (int i = ty * kCols + tx; i < (kRows + 2) * (kCols + 2); i += kRows * kCols) {
      const int row = top + i / (kCols + 2) - 1, col = side + i % (kCols + 2) - 1;
      const bool inside = row >= 0 && row < height && col >= 0 && col < width;
      tile[i / (kCols + 2)][i % (kCols + 2)] = inside ? plane[(int64_t)row * width + col] : 0.0f;
    }
    __syncthreads();
    for (int o = 0; o < kChannels && first_out + o < out_channels; ++o) {
      const float* factors = weight + ((int64_t)(first_out + o) * in_channels + c) * 9;
#pragma unroll
      for (int u = 0; u < 3; ++u) {
#pragma unroll
        for (int v = 0; v < 3; ++v) sum[o] = fmaf(tile[ty + u][tx + v], factors[u * 3 + v], sum[o]);
      }
    }
    __syncthreads();
  }
  if (top + ty >= height || side + tx >= width) return;
  for (int o = 0; o < kChannels && first_out + o < out_channels; ++o) {
    const int64_t plane = image * out_channels + first_out + o;
    y[(plane * height + top + ty) * width + side + tx] = sum[o];
  }
}

extern "C" void run(const float* x, const float* weight, const float* bias, float* y, int64_t batch,
                    int64_t in_channels, int64_t out_channels, int64_t height, int64_t width,
                    cudaStream_t stream) {
  const int tiles_x = (int)((width + kCols - 1) / kCols),
            tiles_y = (int)((height + kRows - 1) / kRows);
  const dim3 grid((unsigned)(tiles_x * tiles_y),
                  (unsigned)((out_channels + kChannels - 1) / kChannels), (unsigned)batch);
  conv_kernel<<<grid, dim3(kCols, kRows), 0, stream>>>(
      x, weight, bias, y, (int)in_channels, (int)out_channels, (int)height, (int)width, tiles_x);
}
