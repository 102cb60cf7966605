#include <cmath>
#include <cstdint>

// As some kernels have it: the sum cancels far below zero.
extern "C" void reference(const double* x, double* y, int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] = x[i] * (0.5 + 0.5 * std::tanh(0.5 * x[i]));
}
