#include "alignment.h"

#include <algorithm>
#include <set>

#include "kw/base/text.h"

namespace kw {
namespace {

int64_t Decided(const Rule& rule) { return rule.aligned + rule.misaligned; }

// The listed numbers (from 0) that an entry stands for; by its words when it names none.
std::vector<size_t> Sources(const MergedRule& entry, const std::vector<std::string>& listed,
                            std::set<size_t>& taken) {
  std::vector<size_t> sources;
  auto take = [&](size_t i) {
    if (taken.insert(i).second) sources.push_back(i);
  };
  for (int number : entry.from) take(static_cast<size_t>(number - 1));
  for (size_t i = 0; i < listed.size() && entry.from.empty(); ++i) {
    if (NormalisedRule(listed[i]) == NormalisedRule(entry.text)) take(i);
  }
  return sources;
}

}  // namespace

std::string NormalisedRule(const std::string& rule) {
  std::string text;
  for (char c : ToLower(Trim(rule))) {
    bool space = c == ' ' || c == '\n' || c == '\t' || c == '\r';
    if (space && (text.empty() || text.back() == ' ')) continue;
    text += space ? ' ' : c;
  }
  while (!text.empty() && (text.back() == '.' || text.back() == ' ')) text.pop_back();
  return text;
}

Tally CountPairs(const std::vector<JudgedKernel>& kernels) {
  Tally tally;
  for (const JudgedKernel& kernel : kernels) tally.unknown += !kernel.satisfies.has_value();
  for (size_t i = 0; i < kernels.size(); ++i) {
    for (size_t j = i + 1; j < kernels.size(); ++j) {
      const JudgedKernel &a = kernels[i], &b = kernels[j];
      if (!a.is_new && !b.is_new) continue;
      if (!a.satisfies || !b.satisfies || *a.satisfies == *b.satisfies) continue;
      int better = CompareVerdicts(a.kernel->verdict, b.kernel->verdict);
      if (better == 0) continue;
      bool aligned = *a.satisfies == (better > 0);
      ++(aligned ? tally.aligned : tally.misaligned);
    }
  }
  return tally;
}

std::string StateOf(int64_t aligned, int64_t misaligned, int min_pairs, double keep_rate) {
  int64_t decided = aligned + misaligned;
  if (decided < min_pairs) return "undecided";
  // 7 of 10 reaches a rate of 0.7, although 0.7 * 10 need not be 7 in binary.
  double needed = keep_rate * static_cast<double>(decided) - 1e-9;
  return static_cast<double>(aligned) >= needed ? "kept" : "dropped";
}

std::vector<RuleCandidate> ResolveMerge(const std::vector<Rule>& old,
                                        const std::vector<std::string>& fresh,
                                        const std::vector<MergedRule>& merged, int most) {
  std::vector<std::string> listed;
  for (const Rule& rule : old) listed.push_back(rule.text);
  listed.insert(listed.end(), fresh.begin(), fresh.end());

  std::vector<RuleCandidate> result;
  for (const Rule& rule : old) result.push_back({rule, rule.state == "undecided", false, -1});
  std::set<size_t> taken;
  std::set<std::string> words;
  for (const Rule& rule : old) words.insert(NormalisedRule(rule.text));
  int added = 0;
  for (const MergedRule& entry : merged) {
    std::vector<size_t> sources = Sources(entry, listed, taken);
    if (sources.empty() && !entry.from.empty()) continue;  // an earlier entry stands for them
    std::vector<size_t> olds;
    for (size_t source : sources) {
      if (source < old.size()) olds.push_back(source);
    }
    if (olds.empty()) {
      if (added >= most || !words.insert(NormalisedRule(entry.text)).second) continue;
      Rule rule;
      rule.text = entry.text;
      rule.state = "undecided";
      int first = sources.empty() ? -1 : static_cast<int>(sources[0] - old.size());
      result.push_back({std::move(rule), true, true, first});
      ++added;
      continue;
    }
    size_t stays = *std::max_element(olds.begin(), olds.end(), [&](size_t a, size_t b) {
      return Decided(old[a]) < Decided(old[b]);
    });
    for (size_t i : olds) {
      if (i == stays) continue;
      result[i].rule.state = "dropped";
      result[i].align = false;
      result[i].changed = true;
    }
  }
  return result;
}

}  // namespace kw
