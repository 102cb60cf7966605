// EvolRule: do the kernels that follow a rule turn out better than those that do not? (After
// AutoRule, arXiv 2506.15651; design section 2.)
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kw/agent.h"
#include "model_output.h"

namespace kw {

// One kernel of a task, with what the judge said of a rule.
struct JudgedKernel {
  const AttemptRecord* kernel = nullptr;
  bool is_new = false;            // of this batch: pairs of two older ones were counted before
  std::optional<bool> satisfies;  // nothing: the judge gave no answer
};

struct Tally {
  int64_t aligned = 0, misaligned = 0, unknown = 0;
};

// Over all pairs of kernels of one task, at least one of them new, of which exactly one satisfies
// the rule and one is better: aligned when the satisfying one is the better one. `unknown` counts
// the kernels without an answer.
Tally CountPairs(const std::vector<JudgedKernel>& kernels);

// "kept" at a rate of at least `keep_rate` over at least `min_pairs` decided pairs; "dropped"
// below it; "undecided" with fewer pairs.
std::string StateOf(int64_t aligned, int64_t misaligned, int min_pairs, double keep_rate);

// Rules that differ in case, spacing or the final stop alone are one.
std::string NormalisedRule(const std::string& rule);

// A rule on its way through a batch.
struct RuleCandidate {
  Rule rule;             // id 0: it is new
  bool align = false;    // to be judged in this batch
  bool changed = false;  // to be written at its end
  int fresh = -1;        // the first fresh statement that a new one stands for
};

// What a merge leaves. The prompt listed `old` (kept and undecided rules, from 1) and then
// `fresh`. An old rule keeps its words and its counts, whatever is merged into it; of several old
// ones merged into one the best proven stays and the others are dropped. What no entry names: old
// rules stay, fresh ones are left out. At most `most` fresh rules.
std::vector<RuleCandidate> ResolveMerge(const std::vector<Rule>& old,
                                        const std::vector<std::string>& fresh,
                                        const std::vector<MergedRule>& merged, int most);

}  // namespace kw
