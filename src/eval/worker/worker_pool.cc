#include "worker_pool.h"

#include <algorithm>

#include "kw/base/log.h"

namespace kw::eval {

WorkerPool::WorkerPool(int workers, Starter starter) : starter_(std::move(starter)) {
  idle_.resize(static_cast<size_t>(std::max(1, workers)));
}

WorkerPool::Slot WorkerPool::Acquire() {
  std::unique_lock lock(mutex_);
  freed_.wait(lock, [this] { return !idle_.empty(); });
  // A running one before one that must be started.
  auto it = std::find_if(idle_.begin(), idle_.end(), [](const Slot& s) { return s != nullptr; });
  if (it == idle_.end()) it = std::prev(idle_.end());
  Slot slot = std::move(*it);
  idle_.erase(it);
  return slot;
}

void WorkerPool::Release(Slot slot) {
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(slot));
  freed_.notify_one();
}

Result<WorkerProcess::Outcome> WorkerPool::Evaluate(
    const EvaluateMessage& message, const WorkerProcess::Provider& provider,
    const std::function<void(const std::string&)>& progress, int64_t timeout_ms) {
  Slot slot = Acquire();
  for (int attempt = 0;; ++attempt) {
    if (slot == nullptr) {
      Result<Slot> started = starter_();
      if (!started) {
        Release(nullptr);
        return Fail(std::move(started).error());
      }
      slot = std::move(*started);
    }
    WorkerProcess::Outcome outcome = slot->Evaluate(message, provider, progress, timeout_ms);
    if (outcome.lost || outcome.timed_out) slot.reset();
    if (!outcome.lost || outcome.error || attempt == 1) {
      Release(std::move(slot));
      return outcome;
    }
    log::Warn("a worker was lost (" + outcome.lost_text + "); its job is sent again");
  }
}

}  // namespace kw::eval
