#include <cmath>
#include <cstdint>

// As ordinary kernels have it: exp(x) - 1 cancels near zero.
extern "C" void reference(const double* x, double alpha, double* y, int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] = x[i] > 0 ? x[i] : alpha * (std::exp(x[i]) - 1);
}
