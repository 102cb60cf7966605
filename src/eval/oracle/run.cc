#include <fmt/format.h>

#include "case_text.h"
#include "judge_call.h"
#include "kw/base/hash.h"
#include "kw/eval/oracle.h"

namespace kw::eval {
namespace {

constexpr int kRunsACase = 2;
constexpr std::string_view kSecondRun =
    "\nThe first of two runs with the same inputs was right: the result depends on what is not an "
    "input (uninitialised or stale memory, a race, state kept between calls).";

// What one case came to: a report when it failed.
struct CaseEnd {
  std::optional<OracleReport> failure;
  Comparison comparison;
  std::string hash;  // of the inputs
  bool bitwise = true;
};

class OracleRun {
 public:
  OracleRun(const Task& task, Session& session, Reference& reference, const OracleOptions& options)
      : task_(task), session_(session), reference_(reference), options_(options) {}

  Result<CaseEnd> RunCase(const Case& c) {
    KW_ASSIGN(const CaseInputs inputs, GenerateInputs(task_, c));
    KW_ASSIGN(CallRequest request, MakeCall(task_, c, inputs));
    CaseEnd end;
    end.hash = inputs.hash;
    std::vector<std::string> first_outputs;
    for (int run = 0; run < kRunsACase; ++run) {
      request.seed = DeriveSeed(c.seed, fmt::format("run/{}/{}", options_.seed, run));
      KW_ASSIGN(const CallOutcome outcome, Call(c, inputs, request));
      KW_ASSIGN(end.failure, JudgeCall(task_, c, outcome, reference_, run == 0 ? "" : kSecondRun,
                                       end.comparison));
      if (end.failure) return end;
      if (run == 0) {
        first_outputs = outcome.outputs;
      } else {
        end.bitwise = end.bitwise && first_outputs == outcome.outputs;
      }
    }
    if (!end.bitwise && task_.bitwise) end.failure = NotDeterministic(c);
    if (!end.failure && c.group == "original") KW_TRY(RunSwapped(c, end));
    return end;
  }

 private:
  Result<CallOutcome> Call(const Case& c, const CaseInputs& inputs, const CallRequest& request) {
    KW_ASSIGN(CallOutcome outcome, session_.Call(request));
    if (options_.after_call) options_.after_call(c, inputs, outcome);
    return outcome;
  }

  // Once more in the buffers of the last call, with almost the same inputs.
  Result<void> RunSwapped(const Case& original, CaseEnd& end) {
    const Case c = SwappedCase(original);
    KW_ASSIGN(const CaseInputs inputs, GenerateInputs(task_, c));
    if (inputs.hash == end.hash) return {};
    KW_ASSIGN(CallRequest request, MakeCall(task_, c, inputs));
    request.seed = DeriveSeed(c.seed, fmt::format("run/{}/swapped", options_.seed));
    request.reuse_buffers = true;
    KW_ASSIGN(const CallOutcome outcome, Call(c, inputs, request));
    KW_ASSIGN(end.failure, JudgeCall(task_, c, outcome, reference_, "", end.comparison));
    if (!end.failure) return {};
    end.hash = inputs.hash;
    if (end.failure->status == Status::kIncorrectNumerical) {
      end.failure->feedback +=
          "\nThe call before, with almost the same inputs in the same buffers, was right: compute "
          "the result anew in every call, whatever the inputs look like and wherever they lie.";
    }
    return {};
  }

  static OracleReport NotDeterministic(const Case& c) {
    OracleReport report = WrongResult(c, "not_deterministic");
    report.bitwise = false;
    report.feedback = fmt::format(
        "In {}: two runs with the same inputs gave different bits, and this task demands the "
        "same. Atomic additions of floating-point numbers are the usual cause.",
        DescribeCase(c));
    return report;
  }

  const Task& task_;
  Session& session_;
  Reference& reference_;
  const OracleOptions& options_;
};

}  // namespace

Result<OracleReport> RunOracle(const Task& task, const std::vector<Case>& cases, Session& session,
                               Reference& reference, const OracleOptions& options) {
  OracleRun run(task, session, reference, options);
  OracleReport passed;
  passed.ok = true;
  for (const Case& c : cases) {
    if (options.cancelled && options.cancelled()) {
      return Fail(ErrorCode::kCancelled, "the evaluation was cancelled");
    }
    KW_ASSIGN(CaseEnd end, run.RunCase(c));
    passed.bitwise = passed.bitwise && end.bitwise;
    passed.cases.push_back(
        {end.failure && end.failure->failing ? *end.failure->failing : c, !end.failure});
    if (!end.failure) {
      passed.comparison = std::move(end.comparison);
      continue;
    }
    OracleReport report = *std::move(end.failure);
    report.failing_inputs_hash = std::move(end.hash);
    report.bitwise = passed.bitwise && report.bitwise;
    report.cases = std::move(passed.cases);
    report.feedback += PassedBefore(report.cases);
    return report;
  }
  return passed;
}

}  // namespace kw::eval
