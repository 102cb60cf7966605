#include <cstdint>

namespace {

void rotate(const double* x, const double* row, double* y) {
  const int64_t half = 32;
  for (int64_t d = 0; d < half; ++d) {
    const double cos = row[d], sin = row[d + half];
    y[d] = x[d] * cos - x[d + half] * sin;
    y[d + half] = x[d + half] * cos + x[d] * sin;
  }
}

}  // namespace

extern "C" void reference(const double* q, const double* k, const double* cos_sin_cache,
                          const int64_t* positions, double* q_out, double* k_out,
                          int64_t num_tokens, int64_t num_qo_heads, int64_t num_kv_heads,
                          int64_t max_positions) {
  (void)max_positions;
  const int64_t dim = 64;
  for (int64_t token = 0; token < num_tokens; ++token) {
    const double* row = cos_sin_cache + positions[token] * dim;
    for (int64_t h = token * num_qo_heads; h < (token + 1) * num_qo_heads; ++h) {
      rotate(q + h * dim, row, q_out + h * dim);
    }
    for (int64_t h = token * num_kv_heads; h < (token + 1) * num_kv_heads; ++h) {
      rotate(k + h * dim, row, k_out + h * dim);
    }
  }
}
