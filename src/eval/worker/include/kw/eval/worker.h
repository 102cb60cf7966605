// worker: one whole evaluation, and the process that does it.
//
//   KW_ASSIGN(std::unique_ptr<Evaluator> evaluator, MakeEvaluator(config));
//   KW_ASSIGN(Verdict verdict, evaluator->Evaluate(task, source, {.seed = 1}));
//
// The controller extracts, prechecks and builds; a kwright-worker process runs the oracle and the
// timing (protocol: docs/formats/worker-protocol.md). A verdict depends only on (candidate, task,
// seed, device). Verdicts are cached by content, environmental ones never.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "kw/eval/build.h"
#include "kw/eval/extract.h"
#include "kw/eval/oracle.h"
#include "kw/eval/task.h"
#include "kw/eval/timing.h"

namespace kw::eval {

// Design 4.3; docs/formats/verdict.md.
struct Verdict {
  Status status = Status::kUnsupported;
  std::string stage;     // extract | precheck | build | load | oracle | timing | confirm
  std::string reason;    // stable code
  std::string feedback;  // text for the author
  std::string task_name, task_hash, candidate_hash;
  uint64_t seed = 0;
  std::string device_kind, device_name;
  std::string timing_kind = "modelled";
  std::string hazards = "unchecked";
  bool bitwise = true;
  bool environmental = false;
  OracleKind oracle = OracleKind::kFull;  // whose verdict this is
  std::vector<CaseResult> cases;
  std::optional<Case> failing;
  ElementErrors errors;  // of the failing case
  std::vector<WorkloadTime> workloads;
  double speedup = 0;  // geometric mean; 0 unless passed
  std::string replay_id;

  bool passed() const { return status == Status::kPassed; }
  // How far it got, for choosing among incorrect attempts: 0 malformed .. 5 passed.
  int progress() const;
};
std::string VerdictToJson(const Verdict& verdict);  // one line, design 4.3
[[nodiscard]] Result<Verdict> VerdictFromJson(std::string_view json);

struct EvaluateOptions {
  uint64_t seed = 0;
  Effort effort = Effort::kStandard;
  std::function<void(const std::string& stage)> progress;  // may be empty
  OracleKind oracle = OracleKind::kFull;
};

struct EvaluatorConfig {
  std::string home;                         // ProgramHome()
  std::string cache;                        // CacheDirectory()
  std::string replays;                      // folder of stored failures; "" = cache + "/replays"
  std::string device = "a100_sxm4";         // data sheet
  int workers = 2;                          // processes that judge at once
  int threads = 0;                          // of one worker's emulator; 0: the processors' share
  std::vector<std::string> worker_command;  // empty: the kwright-worker beside this program
  bool use_verdict_cache = true;
};

// Thread-safe: `workers` evaluations run at once, more wait.
class Evaluator {
 public:
  virtual ~Evaluator() = default;
  // A verdict for an answer that was malformed: nothing was built.
  virtual Verdict Malformed(const Task& task, const Extraction& extraction, uint64_t seed) = 0;
  // Build alone, and the verdict for a build that failed.
  [[nodiscard]] virtual Result<BuildOutcome> Build(const Task& task, const std::string& source) = 0;
  virtual Verdict BuildFailed(const Task& task, const std::string& source,
                              const BuildOutcome& outcome, uint64_t seed) = 0;
  // Oracle and timing of an object, in a worker. A worker that dies is replaced and the job is
  // sent again once; then the verdict is environmental.
  [[nodiscard]] virtual Result<Verdict> Judge(const Task& task, const std::string& source,
                                              const BuildOutcome& built,
                                              const EvaluateOptions& options) = 0;
  // All of it, from source text: precheck, build, judge.
  [[nodiscard]] virtual Result<Verdict> Evaluate(const Task& task, const std::string& source,
                                                 const EvaluateOptions& options) = 0;
  // Re-creates a stored failure's inputs, compares their hash, judges that case again.
  struct ReplayOutcome {
    std::string inputs_hash;
    bool same_inputs = false;
    Verdict verdict;
  };
  // `dump`: a folder that its last call's tensors are written to (DumpCall), or "".
  [[nodiscard]] virtual Result<ReplayOutcome> RunReplay(const std::string& id,
                                                        const std::string& dump = "") = 0;
  virtual const DeviceSheet& sheet() const = 0;
  virtual const ToolchainInfo& toolchain() const = 0;
};
[[nodiscard]] Result<std::unique_ptr<Evaluator>> MakeEvaluator(EvaluatorConfig config);

// The judging side: what kwright-worker does with one job. In-process, for the worker and tests.
struct JudgeJob {
  Task task;
  std::string candidate_source, candidate_hash;
  std::string object_path;
  std::vector<KernelResources> resources;
  uint64_t seed = 0;
  Effort effort = Effort::kStandard;
  OracleKind oracle = OracleKind::kFull;
  std::optional<Case> only_case;    // replay: this case alone, and no timing
  std::string dump;                 // of a replay: folder for its last call's tensors
  int64_t wall_ms = 45'000;         // backstop; running into it makes the verdict environmental
  std::function<bool()> cancelled;  // asked between cases; may be empty
};
struct JudgeRooms {  // what a judge works with; all outlive it
  Device* device = nullptr;
  Builder* builder = nullptr;
  Reference* reference = nullptr;
  std::string cache;  // baselines' times
  std::string replays;
};
[[nodiscard]] Result<Verdict> JudgeCandidate(const JudgeJob& job, const JudgeRooms& rooms,
                                             const std::function<void(const std::string&)>& stage);

// Speaks the worker protocol until the end of input. Returns the exit status of kwright-worker.
int ServeWorker(int in, int out, const EvaluatorConfig& config);

}  // namespace kw::eval
