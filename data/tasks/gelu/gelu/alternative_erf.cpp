#include <cmath>
#include <cstdint>

// As ordinary kernels have it: 1 + erf cancels far below zero.
extern "C" void reference(const double* x, double* y, int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] = 0.5 * x[i] * (1 + std::erf(x[i] * 0.70710678118654752440));
}
