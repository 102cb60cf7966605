#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

namespace {

constexpr int64_t kQoHeads = 6, kKvHeads = 2, kDim = 32;

// One query over `count` tokens; key(t) and value(t) find them. Without tokens: zeros, and
// -infinity.
template <class Key, class Value>
double attend(const double* query, int64_t count, double scale, Key key, Value value, double* out) {
  std::vector<double> p(static_cast<size_t>(count));
  double largest = -INFINITY, total = 0;
  for (int64_t t = 0; t < count; ++t) {
    for (int64_t d = 0; d < kDim; ++d) p[t] += query[d] * key(t)[d];
    p[t] *= scale;
    largest = std::fmax(largest, p[t]);
  }
  for (int64_t t = 0; t < count; ++t) {
    p[t] = std::exp(p[t] - largest);
    total += p[t];
  }
  for (int64_t d = 0; d < kDim; ++d) out[d] = 0;
  for (int64_t t = 0; t < count; ++t) {
    for (int64_t d = 0; d < kDim; ++d) out[d] += p[t] / total * value(t)[d];
  }
  return count == 0 ? -INFINITY : (largest + std::log(total)) / std::log(2.0);
}

}  // namespace

extern "C" void reference(const double* q, const double* k, const double* v,
                          const int64_t* qo_indptr, const int64_t* kv_indptr, double sm_scale,
                          double* output, double* lse, int64_t len_indptr, int64_t total_q,
                          int64_t total_kv) {
  (void)total_q, (void)total_kv;
  for (int64_t b = 0; b + 1 < len_indptr; ++b) {
    const int64_t tokens = kv_indptr[b + 1] - kv_indptr[b];
    for (int64_t i = qo_indptr[b]; i < qo_indptr[b + 1]; ++i) {
      const int64_t seen = std::max<int64_t>(0, tokens - (qo_indptr[b + 1] - 1 - i));
      for (int64_t h = 0; h < kQoHeads; ++h) {
        const int64_t kv_head = h / (kQoHeads / kKvHeads), at = i * kQoHeads + h;
        const auto place = [&](int64_t t) {
          return ((kv_indptr[b] + t) * kKvHeads + kv_head) * kDim;
        };
        const auto key = [&](int64_t t) { return k + place(t); };
        const auto value = [&](int64_t t) { return v + place(t); };
        lse[at] = attend(q + at * kDim, seen, sm_scale, key, value, output + at * kDim);
      }
    }
  }
}
