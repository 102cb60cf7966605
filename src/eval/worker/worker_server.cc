#include "worker_server.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <thread>
#include <utility>

#include "build_target.h"
#include "kw/base/hash.h"
#include "kw/base/log.h"
#include "kw/base/process.h"
#include "program_identity.h"

namespace kw::eval {
namespace {

constexpr size_t kKeptResults = 256;
constexpr size_t kMaxWaiting = 1024;

std::string CpuName() { return std::to_string(ProcessorCount()) + " threads"; }

ErrorMessage ErrorFor(const std::string& id, const Error& error) {
  return {id, std::string(CodeName(error.code)), error.ToString()};
}

}  // namespace

WorkerServer::WorkerServer(int in, int out, JudgeRooms rooms, ContentStore store)
    : in_(in), out_(out), rooms_(std::move(rooms)), store_(std::move(store)) {}

int WorkerServer::Serve() {
  std::thread judge([this] { JudgeJobs(); });
  const DeviceSheet& sheet = rooms_.device->sheet();
  HelloMessage hello;
  hello.build = ProgramIdentity();
  hello.devices = {{rooms_.device->kind(), rooms_.device->name(), sheet.hash}};
  hello.nvcc = rooms_.builder->toolchain().nvcc_version;
  hello.cpu = CpuName();
  Send(hello);
  const int status = ReadLines();

  std::unique_lock lock(mutex_);
  stopping_ = cancel_running_ = true;
  changed_.notify_all();
  // A judge in the middle of a call cannot be asked to stop; the kernel ends its guests with it.
  if (!changed_.wait_for(lock, std::chrono::milliseconds(300), [this] { return stopped_; })) {
    std::_Exit(status);
  }
  lock.unlock();
  judge.join();
  return status;
}

int WorkerServer::ReadLines() {
  LineReader reader(in_, kMaxLine);
  bool greeted = false;
  while (true) {
    Result<std::optional<std::string>> line = reader.Next();
    if (!line) {
      SendError("", line.error());
      return 1;
    }
    if (!*line) return 0;
    Result<Message> message = ParseMessage(**line);
    if (!greeted) {
      const auto* hello = message ? std::get_if<HelloMessage>(&*message) : nullptr;
      if (hello == nullptr) continue;
      if (hello->protocol != kProtocolVersion) {
        SendError("", Error{ErrorCode::kInvalid,
                            "this worker speaks protocol " + std::to_string(kProtocolVersion) +
                                ", not " + std::to_string(hello->protocol),
                            {}});
        return 1;
      }
      greeted = true;
      continue;
    }
    if (!message) {
      SendError("", message.error());
    } else if (const auto* evaluate = std::get_if<EvaluateMessage>(&*message)) {
      Take(*evaluate);
    } else if (const auto* blob = std::get_if<BlobMessage>(&*message)) {
      Take(*blob);
    } else if (const auto* cancel = std::get_if<CancelMessage>(&*message)) {
      Take(*cancel);
    } else if (std::holds_alternative<PingMessage>(*message)) {
      Send(PongMessage{});
    } else if (!std::holds_alternative<HelloMessage>(*message) &&
               !std::holds_alternative<PongMessage>(*message) &&
               !std::holds_alternative<ErrorMessage>(*message)) {
      SendError("", Error{ErrorCode::kInvalid, "a worker does not take this type of message", {}});
    }
    const std::lock_guard lock(out_mutex_);
    if (gone_) return 0;
  }
}

std::set<std::string> WorkerServer::Missing(const EvaluateMessage& message) {
  std::set<std::string> missing;
  const auto need = [&](const std::string& hash, Kind kind) {
    missing.insert(hash);
    asked_.emplace(hash, kind);
  };
  if (!store_.FindTask(message.task_hash)) need(message.task_hash, Kind::kTask);
  if (!store_.FindCandidate(message.candidate_hash)) need(message.candidate_hash, Kind::kCandidate);
  if (!message.object_hash.empty() && !rooms_.builder->FindObject(message.object_hash)) {
    need(message.object_hash, Kind::kObject);
  }
  return missing;
}

void WorkerServer::Take(const EvaluateMessage& message) {
  if (waiting_.contains(message.id)) return;
  {
    const std::lock_guard lock(mutex_);
    if (running_ == message.id) return;
    for (const EvaluateMessage& queued : queue_) {
      if (queued.id == message.id) return;
    }
    for (const auto& [id, line] : finished_) {
      if (id != message.id) continue;
      const std::lock_guard out_lock(out_mutex_);
      gone_ = gone_ || !WriteAll(out_, line);
      return;
    }
  }
  if (message.object_hash.empty() && rooms_.builder->toolchain().nvcc_version.empty()) {
    return SendError(
        message.id,
        Error{ErrorCode::kUnavailable, "this worker has no nvcc: it needs the built object", {}});
  }
  std::set<std::string> missing = Missing(message);
  if (!missing.empty()) {
    if (waiting_.size() >= kMaxWaiting) {
      return SendError(message.id,
                       Error{ErrorCode::kLimit, "too many evaluations wait for content", {}});
    }
    Send(NeedMessage{{missing.begin(), missing.end()}});
    waiting_[message.id] = {message, std::move(missing)};
    return;
  }
  const std::lock_guard lock(mutex_);
  queue_.push_back(message);
  changed_.notify_all();
}

void WorkerServer::Take(const BlobMessage& message) {
  if (!asked_.contains(message.hash)) {
    return SendError("",
                     Error{ErrorCode::kInvalid, "blob " + message.hash + " was not asked for", {}});
  }
  std::string& bytes = blobs_[message.hash];
  if (message.offset != bytes.size() || bytes.size() + message.data.size() > kMaxBlob) {
    const bool large = message.offset == bytes.size();
    return DropWaiting(message.hash,
                       Error{large ? ErrorCode::kLimit : ErrorCode::kInvalid,
                             "blob " + message.hash +
                                 (large ? " is larger than 512 MiB"
                                        : ": a chunk does not follow the one before it"),
                             {}});
  }
  bytes += message.data;
  if (!message.last) return;
  if (const Result<void> committed = Commit(message.hash, bytes); !committed) {
    return DropWaiting(message.hash, committed.error());
  }
  blobs_.erase(message.hash);
  asked_.erase(message.hash);
  for (auto it = waiting_.begin(); it != waiting_.end();) {
    it->second.missing.erase(message.hash);
    if (!it->second.missing.empty()) {
      ++it;
      continue;
    }
    const std::lock_guard lock(mutex_);
    queue_.push_back(std::move(it->second.message));
    changed_.notify_all();
    it = waiting_.erase(it);
  }
}

Result<void> WorkerServer::Commit(const std::string& hash, const std::string& bytes) {
  switch (asked_.at(hash)) {
    case Kind::kTask:
      KW_TRY(store_.StoreTask(hash, bytes));
      break;
    case Kind::kCandidate:
      KW_TRY(store_.StoreCandidate(hash, bytes));
      break;
    case Kind::kObject:
      KW_TRY(rooms_.builder->StoreObject(hash, bytes));
      break;
  }
  return {};
}

void WorkerServer::DropWaiting(const std::string& hash, const Error& error) {
  blobs_.erase(hash);
  asked_.erase(hash);
  for (auto it = waiting_.begin(); it != waiting_.end();) {
    if (!it->second.missing.contains(hash)) {
      ++it;
      continue;
    }
    SendError(it->first, error);
    it = waiting_.erase(it);
  }
}

void WorkerServer::Take(const CancelMessage& message) {
  bool dropped = waiting_.erase(message.id) > 0;
  {
    const std::lock_guard lock(mutex_);
    if (running_ == message.id) cancel_running_ = true;
    dropped |= std::erase_if(queue_, [&](const auto& m) { return m.id == message.id; }) > 0;
  }
  if (dropped) SendError(message.id, Error{ErrorCode::kCancelled, "cancelled before it began", {}});
}

void WorkerServer::Send(const Message& message) {
  const std::string line = FormatMessage(message);
  const std::lock_guard lock(out_mutex_);
  if (!gone_ && !WriteAll(out_, line)) gone_ = true;
}

void WorkerServer::SendError(const std::string& id, const Error& error) {
  Send(ErrorFor(id, error));
}

void WorkerServer::JudgeJobs() {
  while (true) {
    rooms_.device->Prepare();
    EvaluateMessage message;
    {
      std::unique_lock lock(mutex_);
      running_.clear();
      changed_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      if (stopping_) {
        stopped_ = true;
        changed_.notify_all();
        return;
      }
      message = std::move(queue_.front());
      queue_.pop_front();
      running_ = message.id;
      cancel_running_ = false;
    }
    const Result<Verdict> verdict = Judge(message);
    if (!verdict) {
      // Trouble of the surroundings may be gone when the same is asked again.
      const std::lock_guard lock(mutex_);
      running_.clear();
      SendError(message.id, verdict.error());
      continue;
    }
    std::string line = FormatMessage(ResultMessage{message.id, *verdict});
    if (line.size() > kMaxLine) {
      line = FormatMessage(
          ErrorFor(message.id, Error{ErrorCode::kLimit, "the verdict is longer than a line", {}}));
    }
    const std::lock_guard lock(mutex_);
    running_.clear();
    const std::lock_guard out_lock(out_mutex_);
    gone_ = gone_ || !WriteAll(out_, line);
    finished_.emplace_back(message.id, std::move(line));
    if (finished_.size() > kKeptResults) finished_.pop_front();
  }
}

Result<const Task*> WorkerServer::LoadStoredTask(const std::string& hash) {
  if (const auto it = tasks_.find(hash); it != tasks_.end()) return &it->second;
  const std::optional<std::string> folder = store_.FindTask(hash);
  if (!folder) return Fail(ErrorCode::kNotFound, "task " + hash + " has left the cache");
  KW_ASSIGN(Task task, LoadTask(*folder));
  if (task.hash != hash) {
    return Fail(ErrorCode::kCorrupt, *folder + " does not hold the task of its name");
  }
  return &tasks_.emplace(hash, std::move(task)).first->second;
}

Result<JudgeJob> WorkerServer::MakeJob(const EvaluateMessage& message) {
  JudgeJob job;
  KW_ASSIGN(const Task* task, LoadStoredTask(message.task_hash));
  job.task = *task;
  std::optional<std::string> source = store_.FindCandidate(message.candidate_hash);
  if (!source) return Fail(ErrorCode::kNotFound, "the candidate has left the cache");
  job.candidate_source = std::move(*source);
  job.candidate_hash = message.candidate_hash;
  job.resources = message.resources;
  job.seed = message.seed;
  job.effort = message.effort;
  job.oracle = message.oracle;
  job.only_case = message.only_case;
  job.dump = message.dump;
  if (message.wall_ms > 0) job.wall_ms = message.wall_ms;
  job.cancelled = [this] {
    const std::lock_guard lock(mutex_);
    return cancel_running_;
  };
  return job;
}

Result<Verdict> WorkerServer::Judge(const EvaluateMessage& message) {
  KW_ASSIGN(JudgeJob job, MakeJob(message));
  if (message.object_hash.empty()) {
    Send(ProgressMessage{message.id, "build"});
    KW_ASSIGN(const BuildOutcome built,
              rooms_.builder->BuildCandidate(job.candidate_source,
                                             TargetOf(job.task, rooms_.device->sheet())));
    if (!built.ok) {
      return BuildFailedVerdict(job.task, job.candidate_hash, built, message.seed,
                                rooms_.device->kind(), rooms_.device->name());
    }
    job.object_path = built.object_path;
    job.resources = built.resources;
  } else {
    std::optional<std::string> path = rooms_.builder->FindObject(message.object_hash);
    if (!path) return Fail(ErrorCode::kNotFound, "the object has left the cache");
    job.object_path = std::move(*path);
  }
  return JudgeCandidate(job, rooms_, [&](const std::string& stage) {
    Send(ProgressMessage{message.id, stage});
  });
}

}  // namespace kw::eval
