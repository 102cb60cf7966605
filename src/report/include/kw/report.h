// report: what a run amounts to: metrics, and tables for people and scripts.
//
//   std::cout << EpochTable(run) << BestTable(run);
//   double fast = FastP(BestSpeedups(run), 1.0);
//
// Pure functions of a RunRecord; any thread.
#pragma once

#include <string>
#include <vector>

#include "kw/agent.h"

namespace kw {

// fast_p (KernelBench, arXiv 2502.10517): the share of tasks whose kernel is correct and more than
// p times as fast as the baseline. `speedups` holds one value a task, 0 for an incorrect one.
double FastP(const std::vector<double>& speedups, double p);

// pass@k (Chen et al., arXiv 2107.03374): 1 - C(n-c, k) / C(n, k) for c correct of n samples; the
// chance that at least one of k samples drawn without replacement is correct. 0 <= c <= n, k <= n.
double PassAtK(int n, int c, int k);

// win@p: the share of tasks at which `ours` is correct and more than p times as fast as `theirs`
// (any correct kernel wins against an incorrect one). Both hold one speedup a task, same order.
double WinAtP(const std::vector<double>& ours, const std::vector<double>& theirs, double p);

// The best attempt's speedup per task, in the order of their names; 0 where none passed.
std::vector<double> BestSpeedups(const RunRecord& run);

// epoch | correct | fast_1 | speedup | memory items | rules | model calls | cost
std::string EpochTable(const RunRecord& run);
// task | verdict | speedup | where its source lies
std::string BestTable(const RunRecord& run);
// role | calls | tokens | cost | the models that answered. "" where the author alone was asked and
// its calls cost nothing that the other tables do not show.
std::string UsageTable(const RunRecord& run);
// "12 model calls, 3400 + 560 tokens, $0.0123; the guard stopped 2 answers, about 900 tokens
// saved".
std::string UsageLine(const Usage& usage);
// One object: the run, its epochs, the best of each task. Stable, for --json.
std::string RunToJson(const RunRecord& run, bool with_attempts = false);

}  // namespace kw
