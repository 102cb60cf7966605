// One evaluation from the object on: load, oracle, timing, endurance.
#include <fmt/format.h>

#include <utility>

#include "baseline_times.h"
#include "kw/base/clock.h"
#include "kw/base/hash.h"
#include "kw/eval/worker.h"
#include "limited_session.h"
#include "passed_feedback.h"

namespace kw::eval {
namespace {

Verdict StartVerdict(const JudgeJob& job, const Device& device) {
  Verdict verdict;
  verdict.task_name = job.task.name;
  verdict.task_hash = job.task.hash;
  verdict.candidate_hash = job.candidate_hash;
  verdict.seed = job.seed;
  verdict.device_kind = device.kind();
  verdict.device_name = device.name();
  return verdict;
}

void TakeFailure(const OracleReport& report, const std::string& stage, Verdict& verdict) {
  verdict.status = report.status;
  verdict.stage = stage;
  verdict.reason = report.reason;
  verdict.feedback = report.feedback;
  verdict.environmental = report.environmental;
  verdict.failing = report.failing;
  verdict.errors = report.comparison.errors;
  if (report.hazards == "found") verdict.hazards = "found";
}

// Keeps what is needed to see the failure again, and names it in the verdict.
Result<void> KeepReplay(const JudgeJob& job, const JudgeRooms& rooms, const OracleReport& report,
                        Verdict& verdict) {
  if (!report.failing || report.environmental || rooms.replays.empty()) return {};
  Replay replay;
  replay.task_name = job.task.name;
  replay.task_folder = job.task.folder;
  replay.task_hash = job.task.hash;
  replay.candidate_hash = job.candidate_hash;
  replay.candidate_source = job.candidate_source;
  replay.c = *report.failing;
  replay.inputs_hash = report.failing_inputs_hash;
  replay.device = rooms.device->name();
  replay.status = StatusName(report.status);
  replay.feedback = report.feedback;
  KW_ASSIGN(verdict.replay_id, StoreReplay(rooms.replays, std::move(replay)));
  return {};
}

// The verdict on a candidate that failed at `stage`.
Result<void> Failed(const JudgeJob& job, const JudgeRooms& rooms, const OracleReport& report,
                    const std::string& stage, Verdict& verdict) {
  TakeFailure(report, stage, verdict);
  const bool known =
      !verdict.cases.empty() && verdict.failing && verdict.cases.back().c.id == verdict.failing->id;
  if (verdict.failing && !known) verdict.cases.push_back({*verdict.failing, false});
  return KeepReplay(job, rooms, report, verdict);
}

// A replay: one case as the oracle runs it; where it failed after many calls, as many again.
Result<void> JudgeOnlyCase(const JudgeJob& job, const JudgeRooms& rooms, LimitedSession& session,
                           Verdict& verdict) {
  const Case& c = *job.only_case;
  const OracleOptions options{.seed = job.seed, .cancelled = job.cancelled};
  KW_ASSIGN(OracleReport report, FitsInFull(job.task, c.axes)
                                     ? RunOracle(job.task, {c}, session, *rooms.reference, options)
                                     : CheckInPart(job.task, c, session, rooms.device->sheet(),
                                                   job.resources, *rooms.reference));
  verdict.cases = report.cases;
  verdict.hazards = report.hazards;
  verdict.bitwise = report.bitwise;
  const int64_t calls_left = c.calls_before + 1 - session.calls();
  if (report.ok && c.calls_before > 0 && calls_left > 0) {
    KW_ASSIGN(report, RunEndurance(job.task, {c}, session, *rooms.reference,
                                   {.seed = job.seed,
                                    .calls_before = session.calls(),
                                    .calls = static_cast<uint64_t>(calls_left),
                                    .cancelled = job.cancelled}));
    if (!report.ok) verdict.cases.clear();  // it comes in as one that failed
  }
  if (!report.ok) return Failed(job, rooms, report, "oracle", verdict);
  verdict.status = Status::kPassed;
  verdict.reason = "passed";
  verdict.feedback = "This case alone is right now; the timed workloads were not run.";
  if (c.calls_before > 0) {
    verdict.feedback += fmt::format(" It failed as call {} then; {} calls of it are right now.",
                                    c.calls_before + 1, session.calls());
  }
  return {};
}

VerdictLimits LimitsOf(const JudgeJob& job) {
  VerdictLimits limits;
  const auto standard = static_cast<uint64_t>(CaseCount(Effort::kStandard));
  const auto cases = static_cast<uint64_t>(CaseCount(job.effort));
  if (cases > standard) limits.lane_instructions = limits.lane_instructions / standard * cases;
  limits.wall_ms = job.wall_ms;
  return limits;
}

}  // namespace

Result<Verdict> JudgeCandidate(const JudgeJob& job, const JudgeRooms& rooms,
                               const std::function<void(const std::string&)>& stage) {
  const auto enter = [&](const char* name) {
    if (stage) stage(name);
  };
  Verdict verdict = StartVerdict(job, *rooms.device);

  enter("load");
  verdict.stage = "load";
  KW_ASSIGN(OpenOutcome opened, rooms.device->Open({.object_path = job.object_path,
                                                    .parameters = CandidateParameters(job.task),
                                                    .seed = DeriveSeed(job.seed, "session"),
                                                    .registers = RegistersOf(job.resources),
                                                    .libraries = job.task.allowed_libraries}));
  if (!opened.session) {
    verdict.status = opened.unsupported ? Status::kUnsupported
                     : opened.rejected  ? Status::kRejected
                                        : Status::kRuntimeError;
    verdict.reason = opened.unsupported ? "unsupported"
                     : opened.rejected  ? "symbol_redefined"
                                        : "load_failed";
    verdict.feedback = opened.message;
    return verdict;
  }
  // The next candidate's processes start while this one is judged.
  rooms.device->Prepare();
  LimitedSession session(*opened.session, LimitsOf(job), SystemClock());

  enter("oracle");
  verdict.stage = "oracle";
  if (job.only_case) {
    KW_TRY(JudgeOnlyCase(job, rooms, session, verdict));
    return verdict;
  }
  KW_ASSIGN(const std::vector<Case> cases,
            PlanCases(job.task, FuzzSeed(job.seed, job.task), CaseCount(job.effort)));
  KW_ASSIGN(OracleReport report, RunOracle(job.task, cases, session, *rooms.reference,
                                           {.seed = job.seed, .cancelled = job.cancelled}));
  verdict.cases = report.cases;
  verdict.hazards = report.hazards;
  verdict.bitwise = report.bitwise;
  if (!report.ok) {
    KW_TRY(Failed(job, rooms, report, "oracle", verdict));
    return verdict;
  }

  enter("timing");
  verdict.stage = "timing";
  KW_ASSIGN(const auto baseline_us, BaselineTimes(job.task, rooms));
  KW_ASSIGN(TimingReport timing,
            TimeWorkloads(job.task, session, rooms.device->sheet(), job.resources, *rooms.reference,
                          baseline_us, DeriveSeed(job.seed, "timing")));
  if (!timing.ok) {
    KW_TRY(Failed(job, rooms, timing.failure, "timing", verdict));
    return verdict;
  }

  enter("endurance");
  const uint64_t seed = DeriveSeed(FuzzSeed(job.seed, job.task), "endurance");
  KW_ASSIGN(const OracleReport lasting,
            RunEndurance(job.task, EnduranceCases(job.task, seed), session, *rooms.reference,
                         {.seed = seed,
                          .calls_before = session.calls(),
                          .calls = std::nullopt,
                          .cancelled = job.cancelled}));
  if (!lasting.ok) {
    KW_TRY(Failed(job, rooms, lasting, "endurance", verdict));
    return verdict;
  }
  verdict.status = Status::kPassed;
  verdict.reason = "passed";
  verdict.workloads = std::move(timing.workloads);
  verdict.speedup = timing.speedup;
  verdict.feedback = PassedFeedback(job.task, verdict, rooms.device->sheet());
  return verdict;
}

}  // namespace kw::eval
