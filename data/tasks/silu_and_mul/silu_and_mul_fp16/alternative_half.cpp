#include <cmath>
#include <cstdint>

// To 11 bits, and no less than the unit of subnormal float16.
static double rounded(double x) {
  int exponent = 0;
  std::frexp(x, &exponent);
  const int unit = exponent - 11 > -24 ? exponent - 11 : -24;
  return std::ldexp(std::nearbyint(std::ldexp(x, -unit)), unit);
}

// As two operators in a row: silu is stored in float16 before the product.
extern "C" void reference(const double* x, double* y, int64_t rows, int64_t cols) {
  for (int64_t row = 0; row < rows; ++row) {
    const double* gate = x + row * 2 * cols;
    const double* up = gate + cols;
    for (int64_t i = 0; i < cols; ++i) {
      y[row * cols + i] = rounded(gate[i] / (1.0 + std::exp(-gate[i]))) * up[i];
    }
  }
}
