#include "verdict.h"

namespace kw::eval {

int Verdict::progress() const {
  if (status == Status::kPassed) return 5;
  if (status == Status::kMalformed || stage == "extract" || stage == "precheck") return 0;
  if (stage == "build") return 1;
  if (stage == "load") return 2;
  if (stage == "oracle") return 3;
  return 4;
}

Verdict BuildFailedVerdict(const Task& task, const std::string& candidate_hash,
                           const BuildOutcome& outcome, uint64_t seed,
                           const std::string& device_kind, const std::string& device_name) {
  Verdict verdict;
  verdict.status = Status::kCompileError;
  verdict.stage = "build";
  verdict.reason = outcome.reason;
  verdict.feedback = outcome.feedback;
  verdict.environmental = outcome.environmental;
  verdict.task_name = task.name;
  verdict.task_hash = task.hash;
  verdict.candidate_hash = candidate_hash;
  verdict.seed = seed;
  verdict.device_kind = device_kind;
  verdict.device_name = device_name;
  return verdict;
}

Replay ReplayOf(const Task& task, const std::string& source, const Verdict& verdict,
                const std::string& inputs_hash) {
  Replay replay;
  replay.task_name = task.name;
  replay.task_folder = task.folder;
  replay.task_hash = task.hash;
  replay.candidate_hash = verdict.candidate_hash;
  replay.candidate_source = source;
  replay.c = *verdict.failing;
  replay.seed = verdict.seed;
  replay.inputs_hash = inputs_hash;
  replay.device = verdict.device_name;
  replay.status = StatusName(verdict.status);
  replay.feedback = verdict.feedback;
  return replay;
}

}  // namespace kw::eval
