// METR: which earlier attempt the next one builds on, sampled by efficiency.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kw/agent.h"

namespace kw {

struct Parent {
  int index = kBaseline;  // into the chain
  std::string why;        // for --explain
  static constexpr int kBaseline = -1, kNone = -2;
};

// Correct attempts in proportion to their speedup, the baseline among them with 1. While none is
// correct, those that got furthest through the pipeline, with equal odds; with no well-formed
// attempt the baseline; without a baseline (`has_baseline` false) nothing. MALFORMED attempts are
// never parents. A pure function of its arguments.
Parent SampleParent(const std::vector<AttemptRecord>& chain, bool has_baseline, uint64_t seed);

}  // namespace kw
