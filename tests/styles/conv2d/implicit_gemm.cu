// style: an implicit product of matrices: out_channels x (in_channels * 9) times (in_channels * 9)
// x pixels; tiles of 16 x 16, the right one gathered from the image.
#include <cstdint>

#define TILE 16

__global__ void conv2d_product(const float* __restrict__ x, const float* __restrict__ weight,
                               const float* __restrict__ bias, float* __restrict__ y, int64_t batch,
                               int64_t in_channels, int64_t out_channels, int64_t height,
                               int64_t width) {
  __shared__ float tile_w[TILE][TILE + 1];
  __shared__ float tile_x[TILE][TILE + 1];
  const int tx = threadIdx.x, ty = threadIdx.y;
  const int64_t pixels = height * width, depth = in_channels * 9;
  const int64_t pixel = (int64_t)blockIdx.x * TILE + tx;  // of all images
  const int64_t channel = (int64_t)blockIdx.y * TILE + ty;
  const int64_t image = pixel / pixels;
  const int64_t i = pixel % pixels / width;
  const int64_t j = pixel % pixels % width;
  float sum = 0.0f;
  for (int64_t start = 0; start < depth; start += TILE) {
    const int64_t of_w = start + tx, of_x = start + ty;
    tile_w[ty][tx] = channel < out_channels && of_w < depth ? weight[channel * depth + of_w] : 0.0f;
    const int64_t row = i + of_x % 9 / 3 - 1, col = j + of_x % 3 - 1;
    const bool inside =
        image < batch && of_x < depth && row >= 0 && row < height && col >= 0 && col < width;
    tile_x[ty][tx] =
        inside ? x[((image * in_channels + of_x / 9) * height + row) * width + col] : 0.0f;
    __syncthreads();
#pragma unroll
    for (int s = 0; s < TILE; ++s) sum = fmaf(tile_w[ty][s], tile_x[s][tx], sum);
    __syncthreads();
  }
  if (image < batch && channel < out_channels) {
    y[(image * out_channels + channel) * pixels + pixel % pixels] = sum + bias[channel];
  }
}

extern "C" void run(const float* x, const float* weight, const float* bias, float* y, int64_t batch,
                    int64_t in_channels, int64_t out_channels, int64_t height, int64_t width,
                    cudaStream_t stream) {
  const dim3 blocks((unsigned)((batch * height * width + TILE - 1) / TILE),
                    (unsigned)((out_channels + TILE - 1) / TILE));
  conv2d_product<<<blocks, dim3(TILE, TILE), 0, stream>>>(x, weight, bias, y, batch, in_channels,
                                                          out_channels, height, width);
}
