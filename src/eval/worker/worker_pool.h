// A fixed number of workers, each started when it is first needed and replaced when it dies.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "worker_process.h"

namespace kw::eval {

// Thread-safe.
class WorkerPool {
 public:
  using Starter = std::function<Result<std::unique_ptr<WorkerProcess>>()>;
  WorkerPool(int workers, Starter starter);

  // Waits for a free worker and gives it the job; `message.wall_ms` and the worker's own limits
  // end it before timeout_ms. A worker that dies is replaced and the job is sent again once.
  // The error is that of starting one.
  [[nodiscard]] Result<WorkerProcess::Outcome> Evaluate(
      const EvaluateMessage& message, const WorkerProcess::Provider& provider,
      const std::function<void(const std::string&)>& progress, int64_t timeout_ms);

 private:
  using Slot = std::unique_ptr<WorkerProcess>;
  Slot Acquire();
  void Release(Slot slot);

  const Starter starter_;
  std::mutex mutex_;
  std::condition_variable freed_;
  std::vector<Slot> idle_;  // null: not started yet
};

}  // namespace kw::eval
