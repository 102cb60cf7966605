#include <cmath>
#include <cstdint>

extern "C" void reference(const double* x, double* y, int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] = std::tanh(x[i]);
}
