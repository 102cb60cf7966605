// Verdicts of what never ran; what is stored of those that failed.
#pragma once

#include <string>

#include "kw/eval/worker.h"

namespace kw::eval {

Verdict BuildFailedVerdict(const Task& task, const std::string& candidate_hash,
                           const BuildOutcome& outcome, uint64_t seed,
                           const std::string& device_kind, const std::string& device_name);

// What is needed to see a verdict's failing case again; `inputs_hash` is that case's.
Replay ReplayOf(const Task& task, const std::string& source, const Verdict& verdict,
                const std::string& inputs_hash);

}  // namespace kw::eval
