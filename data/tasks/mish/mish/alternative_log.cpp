#include <cmath>
#include <cstdint>

// As ordinary kernels have it: 1 + exp(x) cancels far below zero.
extern "C" void reference(const double* x, double* y, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    const double softplus = x[i] > 20 ? x[i] : std::log(1 + std::exp(x[i]));
    y[i] = x[i] * std::tanh(softplus);
  }
}
