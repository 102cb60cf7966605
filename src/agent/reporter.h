// Tells the observer, one call at a time.
#pragma once

#include <mutex>
#include <string>

#include "kw/agent.h"

namespace kw {

class Reporter {
 public:
  explicit Reporter(RunObserver& observer) : observer_(observer) {}

  void Began(const RunRecord& run, int attempts_done) {
    std::lock_guard guard(mutex_);
    observer_.Began(run, attempts_done);
  }
  void Stage(const std::string& task, const std::string& stage) {
    std::lock_guard guard(mutex_);
    observer_.Stage(task, stage);
  }
  void Attempted(const AttemptRecord& attempt) {
    std::lock_guard guard(mutex_);
    observer_.Attempted(attempt);
  }
  void EpochEnded(const EpochRecord& epoch) {
    std::lock_guard guard(mutex_);
    observer_.EpochEnded(epoch);
  }

 private:
  RunObserver& observer_;
  std::mutex mutex_;
};

}  // namespace kw
