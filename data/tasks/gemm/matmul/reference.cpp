#include <cstdint>

extern "C" void reference(const double* a, const double* b, double* c, int64_t m, int64_t n,
                          int64_t k) {
  for (int64_t row = 0; row < m; ++row) {
    double* out = c + row * n;
    for (int64_t col = 0; col < n; ++col) out[col] = 0;
    for (int64_t i = 0; i < k; ++i) {
      const double factor = a[row * k + i];
      for (int64_t col = 0; col < n; ++col) out[col] += factor * b[i * n + col];
    }
  }
}
