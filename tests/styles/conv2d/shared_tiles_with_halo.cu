// style: a block has 16 x 16 pixels of one output channel; each input channel's tile and its border
// go through shared memory.
#include <cstdint>

#define TILE 16
#define WIDE (TILE + 2)

__global__ void conv2d_tiles(const float* x, const float* weight, const float* bias, float* y,
                             int64_t in_channels, int64_t out_channels, int64_t height,
                             int64_t width, int64_t tiles_across, int64_t tiles) {
  __shared__ float tile[WIDE][WIDE + 1];
  __shared__ float kernel[9];
  const int64_t plane = blockIdx.x / tiles;
  const int64_t image = plane / out_channels, channel = plane % out_channels;
  const int64_t top = blockIdx.x % tiles / tiles_across * TILE;
  const int64_t left = blockIdx.x % tiles % tiles_across * TILE;
  const int tx = threadIdx.x, ty = threadIdx.y, tid = ty * TILE + tx;
  float sum = bias[channel];
  for (int64_t c = 0; c < in_channels; ++c) {
    const float* in = x + (image * in_channels + c) * height * width;
    for (int i = tid; i < WIDE * WIDE; i += TILE * TILE) {
      const int64_t row = top + i / WIDE - 1, col = left + i % WIDE - 1;
      const bool inside = row >= 0 && row < height && col >= 0 && col < width;
      tile[i / WIDE][i % WIDE] = inside ? in[row * width + col] : 0.0f;
    }
    if (tid < 9) kernel[tid] = weight[(channel * in_channels + c) * 9 + tid];
    __syncthreads();
#pragma unroll
    for (int u = 0; u < 3; ++u) {
#pragma unroll
      for (int v = 0; v < 3; ++v) sum = fmaf(tile[ty + u][tx + v], kernel[u * 3 + v], sum);
    }
    __syncthreads();
  }
  if (top + ty < height && left + tx < width) {
    y[(plane * height + top + ty) * width + left + tx] = sum;
  }
}

extern "C" void run(const float* x, const float* weight, const float* bias, float* y, int64_t batch,
                    int64_t in_channels, int64_t out_channels, int64_t height, int64_t width,
                    cudaStream_t stream) {
  const int64_t across = (width + TILE - 1) / TILE;
  const int64_t tiles = across * ((height + TILE - 1) / TILE);
  conv2d_tiles<<<(unsigned)(tiles * batch * out_channels), dim3(TILE, TILE), 0, stream>>>(
      x, weight, bias, y, in_channels, out_channels, height, width, across, tiles);
}
