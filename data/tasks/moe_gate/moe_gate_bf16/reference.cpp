#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <vector>

extern "C" void reference(const double* logits, double* topk_weights, int64_t* topk_ids,
                          int64_t num_tokens, int64_t num_experts) {
  const int64_t top_k = 4;
  std::vector<int64_t> order(num_experts);
  for (int64_t token = 0; token < num_tokens; ++token) {
    const double* in = logits + token * num_experts;
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(),
                     [&](int64_t a, int64_t b) { return in[a] > in[b]; });
    double total = 0;
    for (int64_t i = 0; i < top_k; ++i) total += std::exp(in[order[i]] - in[order[0]]);
    for (int64_t i = 0; i < top_k; ++i) {
      topk_ids[token * top_k + i] = order[i];
      topk_weights[token * top_k + i] = std::exp(in[order[i]] - in[order[0]]) / total;
    }
  }
}
