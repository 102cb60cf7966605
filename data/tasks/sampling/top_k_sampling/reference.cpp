#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <vector>

extern "C" void reference(const double* probs, const int64_t* top_k, const double* uniforms,
                          int64_t* samples, int64_t* totals, int64_t batch_size,
                          int64_t vocab_size) {
  std::vector<int64_t> order(vocab_size), weights(vocab_size);
  for (int64_t row = 0; row < batch_size; ++row) {
    const double* p = probs + row * vocab_size;
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return p[a] > p[b]; });
    std::fill(weights.begin(), weights.end(), 0);
    int64_t total = 0;
    for (int64_t i = 0; i < std::min(top_k[row], vocab_size); ++i) {
      weights[order[i]] = static_cast<int64_t>(std::floor(1024 * p[order[i]]));
      total += weights[order[i]];
    }
    totals[row] = total;
    samples[row] = 0;
    if (total == 0) continue;
    const int64_t t = static_cast<int64_t>(std::floor(16777216 * uniforms[row]));
    int64_t column = 0, sum = weights[0];
    while (16777216 * sum <= t * total) sum += weights[++column];
    samples[row] = column;
  }
}
