#include <cstdint>

extern "C" void reference(const double* x, const double* weight, const double* bias, double* y,
                          int64_t batch, int64_t in_channels, int64_t out_channels, int64_t height,
                          int64_t width) {
  const int64_t pixels = height * width;
  for (int64_t plane = 0; plane < batch * out_channels; ++plane) {
    const int64_t image = plane / out_channels, channel = plane % out_channels;
    for (int64_t i = 0; i < height; ++i) {
      for (int64_t j = 0; j < width; ++j) {
        double sum = bias[channel];
        for (int64_t c = 0; c < in_channels; ++c) {
          const double* in = x + (image * in_channels + c) * pixels;
          const double* kernel = weight + (channel * in_channels + c) * 9;
          for (int64_t u = 0; u < 3; ++u) {
            for (int64_t v = 0; v < 3; ++v) {
              const int64_t row = i + u - 1, col = j + v - 1;
              if (row < 0 || row >= height || col < 0 || col >= width) continue;
              sum += in[row * width + col] * kernel[u * 3 + v];
            }
          }
        }
        y[plane * pixels + i * width + j] = sum;
      }
    }
  }
}
