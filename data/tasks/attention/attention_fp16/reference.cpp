#include <cmath>
#include <cstdint>
#include <vector>

extern "C" void reference(const double* q, const double* k, const double* v, double* output,
                          int64_t batch, int64_t heads, int64_t q_len, int64_t kv_len) {
  const int64_t dim = 64;
  const double scale = 0.125;
  std::vector<double> p(kv_len);
  for (int64_t query = 0; query < batch * heads * q_len; ++query) {
    const int64_t head = query / q_len;
    const double* keys = k + head * kv_len * dim;
    const double* values = v + head * kv_len * dim;
    const int64_t seen = kv_len;
    double largest = -INFINITY;
    for (int64_t j = 0; j < seen; ++j) {
      p[j] = 0;
      for (int64_t d = 0; d < dim; ++d) p[j] += q[query * dim + d] * keys[j * dim + d];
      p[j] *= scale;
      largest = std::fmax(largest, p[j]);
    }
    double total = 0;
    for (int64_t j = 0; j < seen; ++j) {
      p[j] = std::exp(p[j] - largest);
      total += p[j];
    }
    double* out = output + query * dim;
    for (int64_t d = 0; d < dim; ++d) out[d] = 0;
    for (int64_t j = 0; j < seen; ++j) {
      for (int64_t d = 0; d < dim; ++d) out[d] += p[j] / total * values[j * dim + d];
    }
  }
}
