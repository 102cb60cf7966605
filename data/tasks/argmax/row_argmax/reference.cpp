#include <cstdint>

extern "C" void reference(const double* x, int64_t* y, int64_t rows, int64_t cols) {
  for (int64_t row = 0; row < rows; ++row) {
    const double* in = x + row * cols;
    int64_t at = 0;
    for (int64_t i = 1; i < cols; ++i) at = in[i] > in[at] ? i : at;
    y[row] = at;
  }
}
