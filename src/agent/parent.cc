#include "parent.h"

#include <fmt/format.h>

#include <algorithm>

#include "attempt.h"
#include "kw/base/random.h"

namespace kw {
namespace {

struct Candidate {
  int index;
  double weight;
};

int Draw(const std::vector<Candidate>& candidates, uint64_t seed) {
  double total = 0;
  for (const Candidate& candidate : candidates) total += candidate.weight;
  double point = Random(seed).Uniform() * total;
  for (const Candidate& candidate : candidates) {
    point -= candidate.weight;
    if (point < 0) return candidate.index;
  }
  return candidates.back().index;
}

}  // namespace

Parent SampleParent(const std::vector<AttemptRecord>& chain, bool has_baseline, uint64_t seed) {
  std::vector<Candidate> correct, furthest;
  int progress = -1;
  for (size_t i = 0; i < chain.size(); ++i) {
    const eval::Verdict& verdict = chain[i].verdict;
    int index = static_cast<int>(i);
    if (verdict.status == eval::Status::kMalformed) continue;
    if (verdict.passed()) correct.push_back({index, verdict.speedup});
    if (IsVoid(verdict) || verdict.progress() < progress) continue;
    if (verdict.progress() > progress) furthest.clear();
    progress = verdict.progress();
    furthest.push_back({index, 1});
  }
  if (!correct.empty()) {
    size_t count = correct.size();
    if (has_baseline) correct.push_back({Parent::kBaseline, 1});
    return {Draw(correct, seed),
            fmt::format("in proportion to the speedup of {} correct attempts{}", count,
                        has_baseline ? " and the baseline's 1" : "")};
  }
  if (!furthest.empty()) {
    return {Draw(furthest, seed),
            fmt::format("none is correct: one of the {} that got furthest", furthest.size())};
  }
  if (has_baseline) return {Parent::kBaseline, "no attempt to build on yet: the baseline"};
  return {Parent::kNone, "no attempt to build on yet, and the task has no baseline"};
}

}  // namespace kw
