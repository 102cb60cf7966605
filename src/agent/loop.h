// The learning loop.
#pragma once

#include <vector>

#include "chronicle.h"
#include "learner.h"
#include "method.h"

namespace kw {

// What the loop goes round with; all outlive it.
struct LoopRooms {
  const RunConfig& config;
  const std::vector<eval::Task>& tasks;
  const AttemptRooms& attempts;
  Method& method;
  Learner& learner;
  Chronicle& chronicle;
};

// Runs a run to its end. What the journal holds already is gone through without being done again.
[[nodiscard]] Result<void> RunEpochs(const LoopRooms& run);

// The tasks of one epoch, shuffled by the run's seed and cut into batches.
std::vector<std::vector<const eval::Task*>> BatchesOf(const std::vector<eval::Task>& tasks,
                                                      const RunConfig& config, int epoch);

}  // namespace kw
