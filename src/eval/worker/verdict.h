// Verdicts of what never ran.
#pragma once

#include <string>

#include "kw/eval/worker.h"

namespace kw::eval {

Verdict BuildFailedVerdict(const Task& task, const std::string& candidate_hash,
                           const BuildOutcome& outcome, uint64_t seed,
                           const std::string& device_kind, const std::string& device_name);

}  // namespace kw::eval
