#include <algorithm>
#include <cmath>

#include "kw/report.h"

namespace kw {

double FastP(const std::vector<double>& speedups, double p) {
  if (speedups.empty()) return 0;
  const auto fast = std::count_if(speedups.begin(), speedups.end(),
                                  [&](double speedup) { return speedup > 0 && speedup > p; });
  return static_cast<double>(fast) / static_cast<double>(speedups.size());
}

double PassAtK(int n, int c, int k) {
  KW_CHECK(0 <= c && c <= n && 0 < k && k <= n, "pass@k needs 0 <= c <= n and 0 < k <= n");
  if (n - c < k) return 1;
  // C(n-c, k) / C(n, k) as a product that neither overflows nor cancels.
  double none_correct = 1;
  for (int i = n - c + 1; i <= n; ++i) none_correct *= 1.0 - static_cast<double>(k) / i;
  return 1 - none_correct;
}

double WinAtP(const std::vector<double>& ours, const std::vector<double>& theirs, double p) {
  KW_CHECK(ours.size() == theirs.size(), "win@p compares the same tasks");
  if (ours.empty()) return 0;
  int wins = 0;
  for (size_t i = 0; i < ours.size(); ++i) wins += ours[i] > 0 && ours[i] > p * theirs[i];
  return static_cast<double>(wins) / static_cast<double>(ours.size());
}

std::vector<double> BestSpeedups(const RunRecord& run) {
  std::vector<double> speedups;
  for (const auto& [task, index] : run.best) {
    const eval::Verdict& verdict = run.attempts[index].verdict;
    speedups.push_back(verdict.passed() ? verdict.speedup : 0);
  }
  return speedups;
}

}  // namespace kw
