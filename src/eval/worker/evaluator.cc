// The controller's side: precheck and build here, the rest in a worker.
#include <algorithm>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <utility>

#include "build_target.h"
#include "content_store.h"
#include "kw/base/clock.h"
#include "kw/base/file.h"
#include "kw/base/hash.h"
#include "kw/base/log.h"
#include "kw/base/process.h"
#include "kw/eval/worker.h"
#include "now.h"
#include "program_identity.h"
#include "verdict.h"
#include "verdict_cache.h"
#include "worker_pool.h"

namespace kw::eval {
namespace {

// `Evaluate` answers within a minute: compiling has its CPU limit, judging has what is left.
constexpr int64_t kEvaluateMs = 57'000;
constexpr int64_t kJudgeMs = 45'000;
constexpr int64_t kLeastJudgeMs = 5'000;
constexpr int64_t kGraceMs = 4'000;  // beyond a worker's own wall limit, before it is killed
constexpr int64_t kBuildWallMs = 40'000;
constexpr int64_t kRetryBuildMs = 10'000;  // one that ended later is not tried again
constexpr int64_t kLocalHelloMs = 20'000;
constexpr int kMostThreads = 16;              // of a worker
constexpr int64_t kCommandHelloMs = 600'000;  // a scheduler may let it wait

// Trouble that may be gone when the same is tried again.
bool IsPassing(ErrorCode code) {
  return code == ErrorCode::kIo || code == ErrorCode::kInternal || code == ErrorCode::kTimeout;
}

class LocalEvaluator : public Evaluator {
 public:
  LocalEvaluator(EvaluatorConfig config, DeviceSheet sheet, Builder builder)
      : config_(std::move(config)),
        sheet_(std::move(sheet)),
        builder_(std::move(builder)),
        store_(config_.cache),
        verdicts_(config_.cache + "/verdicts"),
        pool_(config_.workers, [this] { return StartWorker(); }),
        builds_left_(std::max(1, config_.workers)) {}

  ~LocalEvaluator() override {
    for (std::thread& thread : warming_) thread.join();
  }

  Verdict Malformed(const Task& task, const Extraction& extraction, uint64_t seed) override;
  Result<BuildOutcome> Build(const Task& task, const std::string& source) override;
  Verdict BuildFailed(const Task& task, const std::string& source, const BuildOutcome& outcome,
                      uint64_t seed) override;
  Result<Verdict> Judge(const Task& task, const std::string& source, const BuildOutcome& built,
                        const EvaluateOptions& options) override;
  Result<Verdict> Evaluate(const Task& task, const std::string& source,
                           const EvaluateOptions& options) override;
  Result<ReplayOutcome> RunReplay(const std::string& id, const std::string& dump) override;
  const DeviceSheet& sheet() const override { return sheet_; }
  const ToolchainInfo& toolchain() const override { return builder_.toolchain(); }

 private:
  // How long one judgement may take, and whether there is time for a second one.
  struct TimeFrame {
    int64_t judge_ms = kJudgeMs;
    std::optional<int64_t> end_ms;
  };
  // A replay's case, and the folder for its tensors.
  struct OnlyCase {
    Case c;
    std::string dump;
  };
  std::string KindName() const { return "emulator"; }
  Result<std::unique_ptr<WorkerProcess>> StartWorker();
  void Warm(const Task& task);
  Result<Verdict> JudgeWithin(const Task& task, const std::string& source,
                              const BuildOutcome& built, const EvaluateOptions& options,
                              const std::optional<OnlyCase>& only, const TimeFrame& frame);
  Result<Verdict> JudgeOnce(const Task& task, const EvaluateMessage& message,
                            const BuildOutcome& built, const EvaluateOptions& options,
                            int64_t judge_ms);
  Result<void> KeepContent(const Task& task, const std::string& hash, const std::string& source);
  void KeepReplay(const Task& task, const std::string& source, const Verdict& verdict);
  Verdict Lost(const Task& task, const EvaluateMessage& message, Status status,
               const std::string& reason, const std::string& feedback) const;

  const EvaluatorConfig config_;
  const DeviceSheet sheet_;
  Builder builder_;
  ContentStore store_;
  VerdictCache verdicts_;
  WorkerPool pool_;

  std::mutex mutex_;
  std::condition_variable build_done_;
  int builds_left_;
  std::set<std::string> warmed_;  // task hashes
  std::vector<std::thread> warming_;
};

Result<std::unique_ptr<WorkerProcess>> LocalEvaluator::StartWorker() {
  if (!config_.worker_command.empty()) {
    return WorkerProcess::Start(config_.worker_command, sheet_, kCommandHelloMs);
  }
  const int threads = config_.threads > 0 ? config_.threads : ProcessorCount() / config_.workers;
  return WorkerProcess::Start(
      {ProgramDirectory() + "/kwright-worker", "--home", config_.home, "--cache", config_.cache,
       "--replays", config_.replays, "--device", config_.device, "--threads",
       std::to_string(std::clamp(threads, 1, kMostThreads))},
      sheet_, kLocalHelloMs);
}

// The baseline and the reference are built beside the first candidate of a task, into the build
// cache that local workers share: a worker then finds them there.
void LocalEvaluator::Warm(const Task& task) {
  const std::lock_guard lock(mutex_);
  if (!config_.worker_command.empty() || !warmed_.insert(task.hash).second) return;
  warming_.emplace_back([this, baseline = task.BaselineFor(sheet_.sm), cpp = task.reference_cpp,
                         target = TargetOf(task, sheet_)] {
    // Whoever needs them meets the same errors, and reports them.
    if (!cpp.empty()) static_cast<void>(builder_.BuildReference(cpp));
    if (!baseline.empty()) {
      static_cast<void>(builder_.BuildCandidate(baseline, target));
    }
  });
}

Verdict LocalEvaluator::Malformed(const Task& task, const Extraction& extraction, uint64_t seed) {
  Verdict verdict;
  verdict.status = Status::kMalformed;
  verdict.stage = extraction.source.empty() ? "extract" : "precheck";
  verdict.reason = extraction.reason;
  verdict.feedback = extraction.feedback;
  verdict.task_name = task.name;
  verdict.task_hash = task.hash;
  verdict.candidate_hash = ContentHash(extraction.source);
  verdict.seed = seed;
  verdict.device_kind = KindName();
  verdict.device_name = sheet_.name;
  return verdict;
}

Verdict LocalEvaluator::BuildFailed(const Task& task, const std::string& source,
                                    const BuildOutcome& outcome, uint64_t seed) {
  return BuildFailedVerdict(task, ContentHash(source), outcome, seed, KindName(), sheet_.name);
}

Result<BuildOutcome> LocalEvaluator::Build(const Task& task, const std::string& source) {
  Warm(task);
  {
    std::unique_lock lock(mutex_);
    build_done_.wait(lock, [this] { return builds_left_ > 0; });
    --builds_left_;
  }
  auto outcome = builder_.BuildCandidate(source, TargetOf(task, sheet_));
  const std::lock_guard lock(mutex_);
  ++builds_left_;
  build_done_.notify_one();
  return outcome;
}

Result<void> LocalEvaluator::KeepContent(const Task& task, const std::string& hash,
                                         const std::string& source) {
  KW_TRY(store_.StoreCandidate(hash, source));
  if (store_.FindTask(task.hash)) return {};
  KW_ASSIGN(const std::string pack, PackTask(task));
  KW_TRY(store_.StoreTask(task.hash, pack));
  return {};
}

Verdict LocalEvaluator::Lost(const Task& task, const EvaluateMessage& message, Status status,
                             const std::string& reason, const std::string& feedback) const {
  Verdict verdict;
  verdict.status = status;
  verdict.stage = "oracle";
  verdict.reason = reason;
  verdict.feedback = feedback;
  verdict.task_name = task.name;
  verdict.task_hash = task.hash;
  verdict.candidate_hash = message.candidate_hash;
  verdict.seed = message.seed;
  verdict.device_kind = KindName();
  verdict.device_name = sheet_.name;
  verdict.environmental = true;
  verdict.oracle = message.oracle;
  return verdict;
}

Result<Verdict> LocalEvaluator::JudgeOnce(const Task& task, const EvaluateMessage& message,
                                          const BuildOutcome& built, const EvaluateOptions& options,
                                          int64_t judge_ms) {
  const auto provide = [&](const std::string& hash) -> Result<std::string> {
    if (hash == message.task_hash) return PackTask(task);
    if (hash == message.candidate_hash) return *store_.FindCandidate(hash);
    if (hash == message.object_hash) return ReadFile(built.object_path);
    return Fail(ErrorCode::kNotFound,
                "a worker asks for " + hash + ", which is not part of its job");
  };
  KW_ASSIGN(const WorkerProcess::Outcome outcome,
            pool_.Evaluate(message, provide, options.progress, judge_ms + kGraceMs));
  if (outcome.error) {
    if (!IsPassing(outcome.error->code)) return Fail(*outcome.error);
    return Lost(task, message, Status::kUnsupported, "judge_failed",
                "The judge failed, not the kernel: " + outcome.error->ToString());
  }
  if (outcome.timed_out) {
    return Lost(task, message, Status::kTimeout, "wall_clock",
                "The evaluation did not end in time, although no counted limit was reached: the "
                "machine was too busy, or the host code waits.");
  }
  if (outcome.lost) {
    return Lost(task, message, Status::kUnsupported, "worker_lost",
                "The process that judges died twice (" + outcome.lost_text +
                    "); nothing is known about this kernel.");
  }
  return outcome.verdict;
}

// A worker may keep replays elsewhere, or on another machine.
void LocalEvaluator::KeepReplay(const Task& task, const std::string& source,
                                const Verdict& verdict) {
  if (!verdict.failing || verdict.environmental || verdict.replay_id.empty()) return;
  if (LoadReplay(config_.replays, verdict.replay_id)) return;
  const auto inputs = GenerateInputs(task, *verdict.failing);
  if (!inputs) return;
  if (auto stored = StoreReplay(config_.replays, ReplayOf(task, source, verdict, inputs->hash));
      !stored) {
    log::Warn("a replay is not kept: " + stored.error().ToString());
  }
}

Result<Verdict> LocalEvaluator::JudgeWithin(const Task& task, const std::string& source,
                                            const BuildOutcome& built,
                                            const EvaluateOptions& options,
                                            const std::optional<OnlyCase>& only,
                                            const TimeFrame& frame) {
  EvaluateMessage message;
  message.id = FreshUuid();
  message.task_hash = task.hash;
  message.candidate_hash = ContentHash(source);
  message.object_hash = built.object_hash;
  message.seed = options.seed;
  message.effort = options.effort;
  message.oracle = options.oracle;
  message.resources = built.resources;
  if (only) {
    message.only_case = only->c;
    message.dump = only->dump;
  }
  const bool cached = config_.use_verdict_cache && !only;
  const std::string key = VerdictCache::Key(task, message.candidate_hash, built, sheet_, options);
  if (cached) {
    if (std::optional<Verdict> verdict = verdicts_.Find(key)) {
      KeepReplay(task, source, *verdict);
      return std::move(*verdict);
    }
  }
  KW_TRY(KeepContent(task, message.candidate_hash, source));
  for (int attempt = 0;; ++attempt) {
    int64_t judge_ms = frame.judge_ms;
    if (frame.end_ms) judge_ms = std::min(judge_ms, *frame.end_ms - NowMs() - kGraceMs);
    message.wall_ms = std::max(judge_ms, kLeastJudgeMs);
    KW_ASSIGN(Verdict verdict, JudgeOnce(task, message, built, options, message.wall_ms));
    const bool time_left = !frame.end_ms || NowMs() + kLeastJudgeMs + kGraceMs < *frame.end_ms;
    if (verdict.environmental && attempt == 0 && time_left) {
      message.id = FreshUuid();
      continue;
    }
    if (cached) verdicts_.Store(key, verdict);
    KeepReplay(task, source, verdict);
    return verdict;
  }
}

Result<Verdict> LocalEvaluator::Judge(const Task& task, const std::string& source,
                                      const BuildOutcome& built, const EvaluateOptions& options) {
  TimeFrame frame;
  const int standard = CaseCount(Effort::kStandard);
  frame.judge_ms = kJudgeMs * std::max(standard, CaseCount(options.effort)) / standard;
  return JudgeWithin(task, source, built, options, std::nullopt, frame);
}

Result<Verdict> LocalEvaluator::Evaluate(const Task& task, const std::string& source,
                                         const EvaluateOptions& options) {
  const auto stage = [&](const char* name) {
    if (options.progress) options.progress(name);
  };
  const int64_t start_ms = NowMs();
  stage("precheck");
  const Extraction checked = PrecheckSource(source, task);
  if (!checked.ok) {
    Verdict verdict = Malformed(task, checked, options.seed);
    verdict.stage = "precheck";
    verdict.candidate_hash = ContentHash(source);
    verdict.oracle = options.oracle;
    return verdict;
  }
  stage("build");
  KW_ASSIGN(BuildOutcome built, Build(task, source));
  if (built.environmental && NowMs() - start_ms < kRetryBuildMs) {
    KW_ASSIGN(built, Build(task, source));
  }
  if (!built.ok) {
    Verdict verdict = BuildFailed(task, source, built, options.seed);
    verdict.oracle = options.oracle;
    return verdict;
  }
  TimeFrame frame;
  if (options.effort == Effort::kDeep) return Judge(task, source, built, options);
  frame.end_ms = start_ms + kEvaluateMs;
  return JudgeWithin(task, source, built, options, std::nullopt, frame);
}

Result<Evaluator::ReplayOutcome> LocalEvaluator::RunReplay(const std::string& id,
                                                           const std::string& dump) {
  KW_ASSIGN(const Replay replay, LoadReplay(config_.replays, id));
  if (replay.device != sheet_.name) {
    return Fail(ErrorCode::kInvalid, "replay " + id + " was seen on the device " + replay.device +
                                         ", not on " + sheet_.name + ": name it with --device");
  }
  const std::string folder = store_.FindTask(replay.task_hash).value_or(replay.task_folder);
  KW_ASSIGN(const Task task, LoadTask(folder));
  if (task.hash != replay.task_hash) {
    return Fail(ErrorCode::kConflict, "the task " + replay.task_name + " in " + folder +
                                          " has changed since replay " + id + " was stored");
  }
  ReplayOutcome outcome;
  KW_ASSIGN(const CaseInputs inputs, GenerateInputs(task, replay.c));
  outcome.inputs_hash = inputs.hash;
  outcome.same_inputs = inputs.hash == replay.inputs_hash;
  KW_ASSIGN(const BuildOutcome built, Build(task, replay.candidate_source));
  if (!built.ok) {
    outcome.verdict = BuildFailed(task, replay.candidate_source, built, replay.seed);
    return outcome;
  }
  KW_ASSIGN(outcome.verdict, JudgeWithin(task, replay.candidate_source, built,
                                         {.seed = replay.seed}, OnlyCase{replay.c, dump}, {}));
  return outcome;
}

}  // namespace

Result<std::unique_ptr<Evaluator>> MakeEvaluator(EvaluatorConfig config) {
  IgnoreBrokenPipes();
  if (config.workers < 1 || config.workers > 256) {
    return Fail(ErrorCode::kInvalid,
                "workers = " + std::to_string(config.workers) + ": there are 1 to 256 of them");
  }
  KW_ASSIGN(DeviceSheet sheet, LoadDeviceSheet(config.home + "/data/devices", config.device));
  if (config.replays.empty()) config.replays = config.cache + "/replays";
  KW_ASSIGN(Builder builder,
            Builder::Make({.cache = config.cache + "/build", .wall_ms = kBuildWallMs}));
  return std::make_unique<LocalEvaluator>(std::move(config), std::move(sheet), std::move(builder));
}

}  // namespace kw::eval
