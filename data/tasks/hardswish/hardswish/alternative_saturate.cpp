#include <cmath>
#include <cstdint>

// As kernels have it that saturate a multiply-add: the sum cancels near -3.
extern "C" void reference(const double* x, double* y, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    const double gate = x[i] * 0.16666666666666666 + 0.5;
    y[i] = x[i] * std::fmin(std::fmax(gate, 0.0), 1.0);
  }
}
