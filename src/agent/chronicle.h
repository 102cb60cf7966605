// What a run has done so far, as its loop goes on: the earlier attempts of each task, the best
// kernels as files (FOLDER/best/TASK.cu), and the figures of each epoch.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "learner.h"

namespace kw {

// The best of some attempts, by index: correct before incorrect, checked in full before in part,
// then the speedup as CompareVerdicts has it (a tie goes to the earlier); of incorrect ones the
// one that got furthest. `attempts` is not empty.
size_t BestOf(const std::vector<const AttemptRecord*>& attempts);

// The figures of one epoch from its attempts. Attempts that could not be judged count nowhere,
// and neither does a task that has only such.
EpochRecord SummariseEpoch(int epoch, const std::vector<const AttemptRecord*>& attempts);

// The calls of an epoch, and what they sum up to.
void SetUsage(EpochRecord& record, UsageByRole usage);

class Chronicle {
 public:
  // All outlive it; `bank` may be null.
  Chronicle(std::string folder, Journal& journal, Bank* bank, Reporter& reporter);

  const History& history() const { return history_; }
  [[nodiscard]] Result<void> EndBatch(std::vector<Trajectory> trajectories);
  [[nodiscard]] Result<void> EndEpoch(int epoch);

 private:
  [[nodiscard]] Result<void> WriteBest(const std::string& task);

  std::string folder_;
  Journal& journal_;
  Bank* bank_;
  Reporter& reporter_;
  History history_;
  std::map<std::string, std::string> written_;  // task -> step of the kernel in best/
};

}  // namespace kw
