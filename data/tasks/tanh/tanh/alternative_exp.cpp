#include <cmath>
#include <cstdint>

// As ordinary kernels have it: the difference cancels near zero.
extern "C" void reference(const double* x, double* y, int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] = 1 - 2 / (std::exp(2 * x[i]) + 1);
}
