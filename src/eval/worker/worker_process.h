// The controller's end of one worker: a child process that speaks the protocol.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kw/base/process.h"
#include "kw/eval/worker.h"
#include "protocol.h"

namespace kw::eval {

class WorkerProcess {
 public:
  // Starts it and waits for its hello; lines before that are ignored. kInvalid when it judges for
  // another device than `sheet` or speaks another protocol.
  static Result<std::unique_ptr<WorkerProcess>> Start(const std::vector<std::string>& command,
                                                      const DeviceSheet& sheet,
                                                      int64_t hello_timeout_ms);

  // Contents by hash, made only when the worker asks.
  using Provider = std::function<Result<std::string>(const std::string& hash)>;
  struct Outcome {
    bool lost = false;       // the worker died or broke the protocol; of no more use
    bool timed_out = false;  // it did not answer in time; of no more use
    std::string lost_text;
    std::optional<Error> error;  // its answer was an error
    Verdict verdict;             // when none of the above
  };
  Outcome Evaluate(const EvaluateMessage& message, const Provider& provider,
                   const std::function<void(const std::string&)>& progress, int64_t timeout_ms);

  const HelloMessage& hello() const { return hello_; }

 private:
  explicit WorkerProcess(Child child) : child_(std::move(child)), reader_(child_.out(), kMaxLine) {}
  Result<void> SendBlobs(const std::vector<std::string>& hashes, const Provider& provider);

  Child child_;
  LineReader reader_;
  HelloMessage hello_;
};

}  // namespace kw::eval
