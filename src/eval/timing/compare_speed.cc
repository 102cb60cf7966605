#include <cmath>

#include "kw/eval/timing.h"

namespace kw::eval {

int CompareSpeed(const TimeEstimate& a, const TimeEstimate& b) {
  const bool overlap = a.p5 <= b.p95 && b.p5 <= a.p95;
  const bool close = a.us <= b.us * 1.05 && b.us <= a.us * 1.05;
  if ((overlap && close) || a.us == b.us) return 0;
  return a.us < b.us ? 1 : -1;
}

double GeometricMean(const std::vector<double>& values) {
  if (values.empty()) return 0;
  double logs = 0;
  for (const double value : values) {
    if (!(value > 0)) return 0;
    logs += std::log(value);
  }
  return std::exp(logs / static_cast<double>(values.size()));
}

}  // namespace kw::eval
