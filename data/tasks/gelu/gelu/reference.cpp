#include <cmath>
#include <cstdint>

extern "C" void reference(const double* x, double* y, int64_t n) {
  // erfc keeps what 1 + erf would lose far below zero.
  for (int64_t i = 0; i < n; ++i) y[i] = 0.5 * x[i] * std::erfc(-x[i] * 0.70710678118654752440);
}
