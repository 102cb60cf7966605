#include <cmath>
#include <cstdint>

// As some kernels have the logistic function: the sum cancels far below zero.
extern "C" void reference(const double* x, double* y, int64_t rows, int64_t cols) {
  for (int64_t row = 0; row < rows; ++row) {
    const double* gate = x + row * 2 * cols;
    const double* up = gate + cols;
    for (int64_t i = 0; i < cols; ++i) {
      y[row * cols + i] = gate[i] * (0.5 + 0.5 * std::tanh(0.5 * gate[i])) * up[i];
    }
  }
}
