#include <cmath>
#include <cstdint>

extern "C" void reference(const double* x, double* y, int64_t rows, int64_t cols) {
  for (int64_t row = 0; row < rows; ++row) {
    const double* in = x + row * cols;
    double* out = y + row * cols;
    double squares = 0;
    for (int64_t i = 0; i < cols; ++i) squares += in[i] * in[i];
    const double length = std::fmax(std::sqrt(squares), 1e-12);
    for (int64_t i = 0; i < cols; ++i) out[i] = in[i] / length;
  }
}
