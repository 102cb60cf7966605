#include <algorithm>
#include <limits>

#include "case_text.h"
#include "kw/eval/oracle.h"
#include "shapes.h"

namespace kw::eval {
namespace {

constexpr int kRuns = 40;                // each is a session of its own
constexpr double kMaxElementsRun = 1e6;  // a larger shape takes too long to be run again and again
constexpr double kClearly = 100;         // times what is allowed
constexpr double kInfinite = std::numeric_limits<double>::infinity();

// Failures that say how much work a kernel did, or that the judge cannot run it, are not of the
// shape; one that came after many calls is not of one case.
bool CanShrink(const Task& task, const OracleReport& report) {
  const bool of_the_case = report.status == Status::kIncorrectNumerical ||
                           report.status == Status::kRejected ||
                           report.status == Status::kRuntimeError;
  return of_the_case && report.failing && !report.environmental &&
         report.failing->calls_before == 0 && report.failing->group != kSwappedGroup &&
         ElementsAt(task, report.failing->axes).value_or(kInfinite) <= kMaxElementsRun;
}

class Shrinker {
 public:
  Shrinker(const Task& task, OracleReport report, const CaseRunner& run)
      : task_(task),
        run_(run),
        equalities_(task),
        first_(*report.failing),
        first_worst_(report.comparison.worst),
        smallest_(std::move(report)) {}

  Result<OracleReport> Run() {
    const OracleReport seen = smallest_;
    Case same = first_;
    // What fails in company alone is left as it was seen.
    KW_ASSIGN(const bool again, FailsAlike(same));
    if (!again) return seen;
    smallest_ = seen;
    for (const std::string& axis : ByLength()) KW_TRY(ShrinkAxis(axis));
    KW_TRY(TakeOrdinaryValues());
    // How far it came would say how busy the machine was.
    if (interrupted_) return seen;
    if (smallest_.failing->axes == first_.axes && smallest_.failing->group == first_.group) {
      return seen;
    }
    smallest_.cases = seen.cases;
    smallest_.bitwise = smallest_.bitwise && seen.bitwise;
    TellFirstSeen(seen);
    return std::move(smallest_);
  }

 private:
  // A larger case shows better what is wrong: its pattern is told as well, and its advice alone.
  void TellFirstSeen(const OracleReport& seen) {
    const Comparison& then = seen.comparison;
    std::string& text = smallest_.feedback;
    text += "\nThis is the smallest case found that fails in the same way. First seen in " +
            DescribeCase(first_);
    if (!then.pattern.empty() && then.pattern != smallest_.comparison.pattern) {
      text += ": " + then.pattern;
    }
    text += ".";
    if (!then.advice.empty()) {
      text = WithoutAdvice(std::move(text), smallest_.comparison);
      text += "\nUsually: " + then.advice + ".";
    }
    text += PassedBefore(seen.cases);
  }

  const Sizes& axes() const { return smallest_.failing->axes; }

  // Runs a case, and keeps it as the smallest where it fails as the first did.
  Result<bool> FailsAlike(Case c) {
    if (runs_left_ == 0) return false;
    --runs_left_;
    c.id = first_.id + "-small";
    KW_ASSIGN(OracleReport report, run_(c));
    // An endless loop, or a busy machine: no more of these.
    if (report.status == Status::kTimeout || report.environmental) runs_left_ = 0;
    interrupted_ = interrupted_ || report.environmental;
    if (report.ok || report.status != smallest_.status || report.reason != smallest_.reason ||
        !report.failing || report.failing->group != c.group) {
      return false;
    }
    // An error that is hardly one would say less than what was seen.
    if (report.comparison.worst < std::min(first_worst_ / 2, kClearly)) return false;
    smallest_ = std::move(report);
    return true;
  }

  std::vector<std::string> ByLength() const {
    std::vector<std::string> names;
    for (const auto& [name, size] : axes()) names.push_back(name);
    std::stable_sort(names.begin(), names.end(),
                     [&](const auto& a, const auto& b) { return axes().at(a) > axes().at(b); });
    return names;
  }

  // The largest size of the axis in [low, high] that the constraints admit with the other axes.
  std::optional<Sizes> Admitted(const std::string& axis, int64_t low, int64_t high) const {
    constexpr int64_t kTried = 128;
    for (int64_t size = high; size >= std::max(low, high - kTried); --size) {
      Sizes sizes = axes();
      sizes[axis] = size;
      sizes = equalities_.Applied(std::move(sizes));
      if (sizes.at(axis) == size && AdmittedAxes(task_, sizes)) return sizes;
    }
    return std::nullopt;
  }

  // Bisection between sizes that pass and one that fails, beginning at the smallest.
  Result<void> ShrinkAxis(const std::string& axis) {
    int64_t passes = 0;
    for (bool first = true; runs_left_ > 0 && axes().at(axis) - passes > 1; first = false) {
      const int64_t fails = axes().at(axis);
      const int64_t middle = first ? passes + 1 : passes + (fails - passes) / 2;
      const std::optional<Sizes> sizes = Admitted(axis, passes + 1, middle);
      if (!sizes) {
        passes = middle;
        continue;
      }
      Case c = *smallest_.failing;
      c.axes = *sizes;
      KW_ASSIGN(const bool alike, FailsAlike(std::move(c)));
      if (!alike) passes = middle;
    }
    return {};
  }

  // Values out of the ordinary are shown where they matter.
  Result<void> TakeOrdinaryValues() {
    if (smallest_.failing->group == "original") return {};
    Case c = *smallest_.failing;
    c.group = "original";
    KW_TRY(FailsAlike(std::move(c)));
    return {};
  }

  const Task& task_;
  const CaseRunner& run_;
  const Equalities equalities_;
  const Case first_;
  const double first_worst_;  // in units of what is allowed
  OracleReport smallest_;
  int runs_left_ = kRuns;
  bool interrupted_ = false;
};

}  // namespace

Result<OracleReport> ShrinkFailure(const Task& task, OracleReport report, const CaseRunner& run) {
  if (!CanShrink(task, report)) return report;
  return Shrinker(task, std::move(report), run).Run();
}

}  // namespace kw::eval
