#include <cmath>
#include <cstdint>
#include <vector>

namespace {

constexpr int64_t kQoHeads = 6, kKvHeads = 2, kDim = 32, kPageSize = 8;

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

extern "C" void reference(const double* q, const double* kv_cache, const int64_t* kv_indptr,
                          const int64_t* kv_indices, const int64_t* kv_last_page_len,
                          double sm_scale, double* output, double* lse, int64_t batch_size,
                          int64_t num_pages, int64_t len_indptr, int64_t num_kv_indices) {
  (void)num_pages, (void)len_indptr, (void)num_kv_indices;
  for (int64_t b = 0; b < batch_size; ++b) {
    const int64_t pages = kv_indptr[b + 1] - kv_indptr[b];
    const int64_t tokens = pages == 0 ? 0 : (pages - 1) * kPageSize + kv_last_page_len[b];
    for (int64_t h = 0; h < kQoHeads; ++h) {
      const int64_t kv_head = h / (kQoHeads / kKvHeads), at = b * kQoHeads + h;
      const auto place = [&](int64_t t, int64_t pair) {
        const int64_t page = kv_indices[kv_indptr[b] + t / kPageSize];
        return (((page * 2 + pair) * kPageSize + t % kPageSize) * kKvHeads + kv_head) * kDim;
      };
      const auto key = [&](int64_t t) { return kv_cache + place(t, 0); };
      const auto value = [&](int64_t t) { return kv_cache + place(t, 1); };
      lse[at] = attend(q + at * kDim, tokens, sm_scale, key, value, output + at * kDim);
    }
  }
}
