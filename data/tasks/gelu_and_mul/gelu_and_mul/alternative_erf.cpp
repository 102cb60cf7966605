#include <cmath>
#include <cstdint>

// As ordinary kernels have it: 1 + erf cancels far below zero.
extern "C" void reference(const double* x, double* y, int64_t rows, int64_t cols) {
  for (int64_t row = 0; row < rows; ++row) {
    const double* gate = x + row * 2 * cols;
    const double* up = gate + cols;
    for (int64_t i = 0; i < cols; ++i) {
      y[row * cols + i] = 0.5 * gate[i] * (1 + std::erf(gate[i] * 0.70710678118654752440)) * up[i];
    }
  }
}
