// style: Winograd F(2x2, 3x3): a thread computes four pixels from a transformed tile of 4 x 4.
#include <cstdint>

// out = G in G^T, with G's rows (1 0 0), (1/2 1/2 1/2), (1/2 -1/2 1/2), (0 0 1).
__global__ void transform_kernels(const float* weight, float* out, int64_t count) {
  const int64_t at = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (at >= count) return;
  const float* g = weight + at * 9;
  float half[4][3];
  for (int v = 0; v < 3; ++v) {
    const float ends = g[v] + g[6 + v];
    half[0][v] = g[v];
    half[1][v] = 0.5f * (ends + g[3 + v]);
    half[2][v] = 0.5f * (ends - g[3 + v]);
    half[3][v] = g[6 + v];
  }
  for (int u = 0; u < 4; ++u) {
    const float ends = half[u][0] + half[u][2];
    out[at * 16 + u * 4] = half[u][0];
    out[at * 16 + u * 4 + 1] = 0.5f * (ends + half[u][1]);
    out[at * 16 + u * 4 + 2] = 0.5f * (ends - half[u][1]);
    out[at * 16 + u * 4 + 3] = half[u][2];
  }
}

__device__ void transform_line(float& a, float& b, float& c, float& d) {
  const float p = a - c, q = b + c, r = c - b, s = b - d;
  a = p;
  b = q;
  c = r;
  d = s;
}

__global__ void conv2d_winograd(const float* x, const float* kernels, const float* bias, float* y,
                                int64_t in_channels, int64_t out_channels, int64_t height,
                                int64_t width, int64_t across, int64_t tiles, int64_t count) {
  const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= count) return;
  const int64_t plane = i / tiles;
  const int64_t image = plane / out_channels, channel = plane % out_channels;
  const int64_t top = i % tiles / across * 2, left = i % tiles % across * 2;
  float sum[4][4] = {};
  for (int64_t c = 0; c < in_channels; ++c) {
    const float* in = x + (image * in_channels + c) * height * width;
    const float* kernel = kernels + (channel * in_channels + c) * 16;
    float d[4][4];
    for (int u = 0; u < 4; ++u) {
      for (int v = 0; v < 4; ++v) {
        const int64_t row = top + u - 1, col = left + v - 1;
        const bool inside = row >= 0 && row < height && col >= 0 && col < width;
        d[u][v] = inside ? in[row * width + col] : 0.0f;
      }
    }
    for (int v = 0; v < 4; ++v) transform_line(d[0][v], d[1][v], d[2][v], d[3][v]);
    for (int u = 0; u < 4; ++u) transform_line(d[u][0], d[u][1], d[u][2], d[u][3]);
    for (int u = 0; u < 4; ++u) {
      for (int v = 0; v < 4; ++v) sum[u][v] = fmaf(d[u][v], kernel[u * 4 + v], sum[u][v]);
    }
  }
  for (int u = 0; u < 2; ++u) {
    float line[4];
    for (int v = 0; v < 4; ++v) {
      line[v] = u == 0 ? sum[0][v] + sum[1][v] + sum[2][v] : sum[1][v] - sum[2][v] - sum[3][v];
    }
    if (top + u >= height) continue;
    float* out = y + (plane * height + top + u) * width + left;
    out[0] = line[0] + line[1] + line[2] + bias[channel];
    if (left + 1 < width) out[1] = line[1] - line[2] - line[3] + bias[channel];
  }
}

extern "C" void run(const float* x, const float* weight, const float* bias, float* y, int64_t batch,
                    int64_t in_channels, int64_t out_channels, int64_t height, int64_t width,
                    cudaStream_t stream) {
  const int64_t pairs = in_channels * out_channels;
  float* kernels = nullptr;
  cudaMallocAsync(&kernels, pairs * 16 * sizeof(float), stream);
  transform_kernels<<<(unsigned)((pairs + 63) / 64), 64, 0, stream>>>(weight, kernels, pairs);
  const int64_t across = (width + 1) / 2;
  const int64_t tiles = across * ((height + 1) / 2);
  const int64_t count = tiles * batch * out_channels;
  conv2d_winograd<<<(unsigned)((count + 127) / 128), 128, 0, stream>>>(
      x, kernels, bias, y, in_channels, out_channels, height, width, across, tiles, count);
  cudaFreeAsync(kernels, stream);
}
