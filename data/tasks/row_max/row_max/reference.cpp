#include <cstdint>

extern "C" void reference(const double* x, double* y, int64_t rows, int64_t cols) {
  for (int64_t row = 0; row < rows; ++row) {
    double largest = x[row * cols];
    for (int64_t i = 1; i < cols; ++i) {
      largest = x[row * cols + i] > largest ? x[row * cols + i] : largest;
    }
    y[row] = largest;
  }
}
