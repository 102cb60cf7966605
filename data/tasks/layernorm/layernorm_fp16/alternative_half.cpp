#include <cmath>
#include <cstdint>

// To 11 bits, and no less than the unit of subnormal float16.
static double rounded(double x) {
  int exponent = 0;
  std::frexp(x, &exponent);
  const int unit = exponent - 11 > -24 ? exponent - 11 : -24;
  return std::ldexp(std::nearbyint(std::ldexp(x, -unit)), unit);
}

// As kernels have it that compute the statistics in float32, and weight and bias in float16.
extern "C" void reference(const double* x, const double* weight, const double* bias, double* y,
                          int64_t rows, int64_t cols) {
  const double count = static_cast<double>(cols);
  for (int64_t row = 0; row < rows; ++row) {
    const double* in = x + row * cols;
    double* out = y + row * cols;
    double sum = 0;
    for (int64_t i = 0; i < cols; ++i) sum += in[i];
    const double mean = sum / count;
    double squares = 0;
    for (int64_t i = 0; i < cols; ++i) squares += (in[i] - mean) * (in[i] - mean);
    const double scale = 1.0 / std::sqrt(squares / count + 1e-5);
    for (int64_t i = 0; i < cols; ++i) {
      out[i] = rounded(rounded((in[i] - mean) * scale) * weight[i]) + bias[i];
    }
  }
}
