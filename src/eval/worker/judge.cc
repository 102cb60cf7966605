// One evaluation from the object on: load, oracle, timing, endurance.
#include <fmt/format.h>

#include <optional>
#include <utility>

#include "baseline_times.h"
#include "kw/base/clock.h"
#include "kw/base/hash.h"
#include "kw/eval/worker.h"
#include "limited_session.h"
#include "now.h"
#include "passed_feedback.h"
#include "verdict.h"

namespace kw::eval {
namespace {

Verdict StartVerdict(const JudgeJob& job, const Device& device) {
  Verdict verdict;
  verdict.task_name = job.task.name;
  verdict.task_hash = job.task.hash;
  verdict.candidate_hash = job.candidate_hash;
  verdict.seed = job.seed;
  verdict.oracle = job.oracle;
  verdict.device_kind = device.kind();
  verdict.device_name = device.name();
  return verdict;
}

// Keeps what is needed to see the failure again, and names it in the verdict.
Result<void> KeepReplay(const JudgeJob& job, const JudgeRooms& rooms, const OracleReport& report,
                        Verdict& verdict) {
  if (!report.failing || report.environmental || rooms.replays.empty()) return {};
  if (job.oracle == OracleKind::kAllclose) return {};  // a replay is judged in full
  KW_ASSIGN(verdict.replay_id,
            StoreReplay(rooms.replays, ReplayOf(job.task, job.candidate_source, verdict,
                                                report.failing_inputs_hash)));
  return {};
}

// Where a candidate failed, and how.
struct Failure {
  std::string stage;
  OracleReport report;
};
using Stages = Result<std::optional<Failure>>;

Result<void> TakeFailure(const JudgeJob& job, const JudgeRooms& rooms, const Failure& failure,
                         Verdict& verdict) {
  const OracleReport& report = failure.report;
  verdict.status = report.status;
  verdict.stage = failure.stage;
  verdict.reason = report.reason;
  verdict.feedback = report.feedback;
  verdict.environmental = report.environmental;
  verdict.failing = report.failing;
  verdict.errors = report.comparison.errors;
  if (report.hazards == "found") verdict.hazards = "found";
  const bool known =
      !verdict.cases.empty() && verdict.failing && verdict.cases.back().c.id == verdict.failing->id;
  if (verdict.failing && !known) verdict.cases.push_back({*verdict.failing, false});
  return KeepReplay(job, rooms, report, verdict);
}

VerdictLimits LimitsOf(const JudgeJob& job) {
  VerdictLimits limits;
  const auto standard = static_cast<uint64_t>(CaseCount(Effort::kStandard));
  const auto cases = static_cast<uint64_t>(CaseCount(job.effort));
  if (cases > standard) limits.lane_instructions = limits.lane_instructions / standard * cases;
  limits.wall_ms = job.wall_ms;
  return limits;
}

OracleOptions OptionsOf(const JudgeJob& job) {
  return {.seed = job.seed, .cancelled = job.cancelled};
}

Result<OpenOutcome> OpenSession(const JudgeJob& job, const JudgeRooms& rooms) {
  return rooms.device->Open({.object_path = job.object_path,
                             .parameters = CandidateParameters(job.task),
                             .seed = DeriveSeed(job.seed, "session"),
                             .registers = RegistersOf(job.resources),
                             .libraries = job.task.allowed_libraries});
}

void TakeOracle(const OracleReport& report, Verdict& verdict) {
  verdict.cases = report.cases;
  verdict.hazards = report.hazards;
  verdict.bitwise = report.bitwise;
}

// What a replay leaves behind.
struct LastCall {
  Case c;
  CaseInputs inputs;
  CallOutcome outcome;
};

// A replay: one case as the oracle runs it; where it failed after many calls, as many again.
Stages JudgeOnlyCase(const JudgeJob& job, const JudgeRooms& rooms, LimitedSession& session,
                     Verdict& verdict) {
  const Case& c = *job.only_case;
  OracleOptions options = OptionsOf(job);
  std::optional<LastCall> last;
  if (!job.dump.empty()) {
    options.after_call = [&](const Case& called, const CaseInputs& inputs, const CallOutcome& out) {
      last = LastCall{called, inputs, out};
    };
  }
  KW_ASSIGN(OracleReport report, FitsInFull(job.task, c.axes)
                                     ? RunOracle(job.task, {c}, session, *rooms.reference, options)
                                     : CheckInPart(job.task, c, session, rooms.device->sheet(),
                                                   job.resources, *rooms.reference));
  if (last) {
    KW_TRY(DumpCall(job.task, last->c, last->inputs, last->outcome, *rooms.reference, job.dump));
  }
  TakeOracle(report, verdict);
  const int64_t calls_left = c.calls_before + 1 - session.calls();
  if (report.ok && c.calls_before > 0 && calls_left > 0) {
    KW_ASSIGN(report, RunEndurance(job.task, {c}, session, *rooms.reference,
                                   {.seed = job.seed,
                                    .calls_before = session.calls(),
                                    .calls = static_cast<uint64_t>(calls_left),
                                    .cancelled = job.cancelled}));
    if (!report.ok) verdict.cases.clear();  // it comes in as one that failed
  }
  if (!report.ok) return Failure{"oracle", std::move(report)};
  verdict.feedback = "This case alone is right now; the timed workloads were not run.";
  if (c.calls_before > 0) {
    verdict.feedback += fmt::format(" It failed as call {} then; {} calls of it are right now.",
                                    c.calls_before + 1, session.calls());
  }
  return std::nullopt;
}

// What a benchmark's check says, to be compared with; nothing else is looked at.
Stages JudgeByAllclose(const JudgeJob& job, const JudgeRooms& rooms, LimitedSession& session,
                       Verdict& verdict) {
  KW_ASSIGN(OracleReport report, RunAllclose(job.task, session, *rooms.reference, OptionsOf(job)));
  TakeOracle(report, verdict);
  if (!report.ok) return Failure{"oracle", std::move(report)};
  verdict.feedback = fmt::format(
      "Close in {} trials of ordinary random inputs at one shape, as benchmarks look at it. No "
      "other shape or value was tried, no hazard was looked for, and it was not timed.",
      report.cases.size());
  return std::nullopt;
}

// Fuzzing, the timed workloads, endurance.
Stages JudgeInFull(const JudgeJob& job, const JudgeRooms& rooms, LimitedSession& session,
                   const std::function<void(const char*)>& enter, Verdict& verdict) {
  KW_ASSIGN(const std::vector<Case> cases,
            PlanCases(job.task, FuzzSeed(job.seed, job.task), CaseCount(job.effort)));
  KW_ASSIGN(OracleReport report,
            RunOracle(job.task, cases, session, *rooms.reference, OptionsOf(job)));
  TakeOracle(report, verdict);
  if (!report.ok) return Failure{"oracle", std::move(report)};

  enter("timing");
  KW_ASSIGN(const auto baseline_us, BaselineTimes(job.task, rooms));
  KW_ASSIGN(TimingReport timing,
            TimeWorkloads(job.task, session, rooms.device->sheet(), job.resources, *rooms.reference,
                          baseline_us, DeriveSeed(job.seed, "timing")));
  if (!timing.ok) return Failure{"timing", std::move(timing.failure)};

  enter("endurance");
  const uint64_t seed = DeriveSeed(FuzzSeed(job.seed, job.task), "endurance");
  KW_ASSIGN(OracleReport lasting,
            RunEndurance(job.task, EnduranceCases(job.task, seed), session, *rooms.reference,
                         {.seed = seed,
                          .calls_before = session.calls(),
                          .calls = std::nullopt,
                          .cancelled = job.cancelled}));
  if (!lasting.ok) return Failure{"endurance", std::move(lasting)};
  verdict.stage = "timing";
  verdict.workloads = std::move(timing.workloads);
  verdict.speedup = timing.speedup;
  verdict.feedback = PassedFeedback(job.task, verdict, rooms.device->sheet());
  return std::nullopt;
}

// The smallest case that fails as this one did. What it may cost in all is counted; where the
// backstop ends it, the failure stays as it was seen.
Result<OracleReport> Shrunk(const JudgeJob& job, const JudgeRooms& rooms, OracleReport report,
                            int64_t end_ms) {
  constexpr uint64_t kLaneInstructions = 1'000'000'000;
  constexpr int64_t kWallMs = 15'000;
  VerdictLimits limits{.lane_instructions = kLaneInstructions};
  end_ms = std::min(end_ms, NowMs() + kWallMs);
  return ShrinkFailure(job.task, std::move(report), [&](const Case& c) -> Result<OracleReport> {
    limits.wall_ms = end_ms - NowMs();
    KW_ASSIGN(const OpenOutcome opened, OpenSession(job, rooms));
    if (!opened.session) return Fail(ErrorCode::kInternal, "it loads no more: " + opened.message);
    rooms.device->Prepare();
    LimitedSession session(*opened.session, limits, SystemClock());
    KW_ASSIGN(OracleReport outcome,
              RunOracle(job.task, {c}, session, *rooms.reference, OptionsOf(job)));
    limits.lane_instructions = session.lane_instructions_left();
    return outcome;
  });
}

}  // namespace

Result<Verdict> JudgeCandidate(const JudgeJob& job, const JudgeRooms& rooms,
                               const std::function<void(const std::string&)>& stage) {
  const int64_t end_ms = NowMs() + job.wall_ms;
  Verdict verdict = StartVerdict(job, *rooms.device);
  const auto enter = [&](const char* name) {
    verdict.stage = name;
    if (stage) stage(name);
  };

  enter("load");
  KW_ASSIGN(OpenOutcome opened, OpenSession(job, rooms));
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
  const bool by_allclose = job.oracle == OracleKind::kAllclose;
  KW_ASSIGN(std::optional<Failure> failure,
            job.only_case ? JudgeOnlyCase(job, rooms, session, verdict)
            : by_allclose ? JudgeByAllclose(job, rooms, session, verdict)
                          : JudgeInFull(job, rooms, session, enter, verdict));
  if (!failure) {
    verdict.status = Status::kPassed;
    verdict.reason = "passed";
    return verdict;
  }
  opened.session.reset();
  if (!job.only_case && !by_allclose) {
    KW_ASSIGN(failure->report, Shrunk(job, rooms, std::move(failure->report), end_ms));
  }
  KW_TRY(TakeFailure(job, rooms, *failure, verdict));
  return verdict;
}

}  // namespace kw::eval
