// The worker's side of the protocol: one thread reads, one judges.
#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "content_store.h"
#include "kw/eval/worker.h"
#include "protocol.h"
#include "verdict.h"

namespace kw::eval {

class WorkerServer {
 public:
  // `rooms` outlives the server; the device is the one that its hello names.
  WorkerServer(int in, int out, JudgeRooms rooms, ContentStore store);

  // Until the end of input. 0, or 1 after a line that breaks the protocol for good.
  int Serve();

 private:
  struct Waiting {
    EvaluateMessage message;
    std::set<std::string> missing;
  };

  int ReadLines();
  void JudgeJobs();
  Result<Verdict> Judge(const EvaluateMessage& message);
  Result<JudgeJob> MakeJob(const EvaluateMessage& message);
  Result<const Task*> LoadStoredTask(const std::string& hash);

  void Take(const EvaluateMessage& message);
  void Take(const BlobMessage& message);
  void Take(const CancelMessage& message);
  Result<void> Commit(const std::string& hash, const std::string& bytes);
  std::set<std::string> Missing(const EvaluateMessage& message);
  void DropWaiting(const std::string& hash, const Error& error);
  void Send(const Message& message);
  void SendError(const std::string& id, const Error& error);

  const int in_, out_;
  const JudgeRooms rooms_;
  ContentStore store_;
  std::map<std::string, Task> tasks_;  // judge thread only

  // Reader thread only.
  std::map<std::string, Waiting> waiting_;    // by id
  std::map<std::string, std::string> blobs_;  // by hash, so far
  enum class Kind { kTask, kCandidate, kObject };
  std::map<std::string, Kind> asked_;

  std::mutex out_mutex_;
  bool gone_ = false;  // the other side does not read any more; under out_mutex_

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<EvaluateMessage> queue_;
  std::string running_;
  bool cancel_running_ = false, stopping_ = false, stopped_ = false;
  std::deque<std::pair<std::string, std::string>> finished_;  // id, line
};

}  // namespace kw::eval
