#include <cmath>
#include <optional>

#include "kw/agent.h"

namespace kw {
namespace {

constexpr double kNoticeable = 1.05;

struct Interval {
  double low = 0, high = 0;
};

// Of the speedup, from the spread of the workloads' times. Modelled times have none.
std::optional<Interval> SpeedupInterval(const eval::Verdict& verdict) {
  if (verdict.timing_kind != "measured" || verdict.workloads.empty()) return std::nullopt;
  double low = 0, high = 0;
  for (const eval::WorkloadTime& workload : verdict.workloads) {
    if (workload.baseline_us <= 0 || workload.time.p5 <= 0 || workload.time.p95 <= 0) {
      return std::nullopt;
    }
    low += std::log(workload.baseline_us / workload.time.p95);
    high += std::log(workload.baseline_us / workload.time.p5);
  }
  double count = static_cast<double>(verdict.workloads.size());
  return Interval{std::exp(low / count), std::exp(high / count)};
}

}  // namespace

int CompareVerdicts(const eval::Verdict& a, const eval::Verdict& b) {
  if (a.passed() != b.passed()) return a.passed() ? 1 : -1;
  if (!a.passed()) return 0;
  if (a.speedup > b.speedup * kNoticeable) return 1;
  if (b.speedup > a.speedup * kNoticeable) return -1;
  std::optional<Interval> of_a = SpeedupInterval(a), of_b = SpeedupInterval(b);
  if (!of_a || !of_b) return 0;
  if (of_a->low > of_b->high) return 1;
  if (of_b->low > of_a->high) return -1;
  return 0;
}

}  // namespace kw
