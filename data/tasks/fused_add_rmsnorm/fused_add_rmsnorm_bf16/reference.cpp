#include <cmath>
#include <cstdint>

extern "C" void reference(const double* x, const double* residual, const double* weight, double eps,
                          double* y, double* residual_out, int64_t rows, int64_t cols) {
  for (int64_t row = 0; row < rows; ++row) {
    double* sum = residual_out + row * cols;
    double squares = 0;
    for (int64_t i = 0; i < cols; ++i) {
      sum[i] = x[row * cols + i] + residual[row * cols + i];
      squares += sum[i] * sum[i];
    }
    const double scale = 1.0 / std::sqrt(squares / static_cast<double>(cols) + eps);
    for (int64_t i = 0; i < cols; ++i) y[row * cols + i] = sum[i] * scale * weight[i];
  }
}
