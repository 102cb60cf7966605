#include <fmt/format.h>

#include "case_text.h"
#include "kw/base/hash.h"
#include "kw/base/text.h"
#include "kw/eval/oracle.h"

namespace kw::eval {
namespace {

constexpr int kRunsACase = 2;
constexpr size_t kPrintedShown = 400;

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
      KW_ASSIGN(const CallOutcome outcome, session_.Call(request));
      KW_ASSIGN(end.failure, Judge(c, outcome, run, end.comparison));
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
  // Once more in the buffers of the last call, with almost the same inputs.
  Result<void> RunSwapped(const Case& original, CaseEnd& end) {
    const Case c = SwappedCase(original);
    KW_ASSIGN(const CaseInputs inputs, GenerateInputs(task_, c));
    if (inputs.hash == end.hash) return {};
    KW_ASSIGN(CallRequest request, MakeCall(task_, c, inputs));
    request.seed = DeriveSeed(c.seed, fmt::format("run/{}/swapped", options_.seed));
    request.reuse_buffers = true;
    KW_ASSIGN(const CallOutcome outcome, session_.Call(request));
    KW_ASSIGN(end.failure, Judge(c, outcome, 0, end.comparison));
    if (!end.failure) return {};
    end.hash = inputs.hash;
    if (end.failure->status == Status::kIncorrectNumerical) {
      end.failure->feedback +=
          "\nThe call before, with almost the same inputs in the same buffers, was right: compute "
          "the result anew in every call, whatever the inputs look like and wherever they lie.";
    }
    return {};
  }

  // A failure of one call, or nothing.
  Result<std::optional<OracleReport>> Judge(const Case& c, const CallOutcome& outcome, int run,
                                            Comparison& comparison) {
    std::optional<OracleReport> report = ReportOfCall(outcome, c);
    if (outcome.status != CallOutcome::Status::kOk) return WithPrinted(std::move(report), outcome);
    KW_ASSIGN(std::optional<OracleReport> wrong, JudgeOutputs(c, outcome, run, comparison));
    if (report && wrong) report->feedback += "\nBesides, the result is wrong: " + wrong->feedback;
    if (report) {
      report->comparison = comparison;
      return WithPrinted(std::move(report), outcome);
    }
    if (wrong && !outcome.message.empty()) wrong->feedback += "\nNote: " + outcome.message;
    return WithPrinted(std::move(wrong), outcome);
  }

  Result<std::optional<OracleReport>> JudgeOutputs(const Case& c, const CallOutcome& outcome,
                                                   int run, Comparison& comparison) {
    for (size_t i = 0; i < outcome.output_written.size() && i < task_.outputs.size(); ++i) {
      if (outcome.output_written[i]) continue;
      OracleReport report = Wrong(c, "output_not_written");
      report.feedback = fmt::format(
          "In {}: nothing was written to the output '{}'. Is the kernel launched for this shape "
          "(a grid that is not empty, on the given stream), and does it store its result there?",
          DescribeCase(c), task_.outputs[i].name);
      return report;
    }
    KW_ASSIGN(comparison, CompareWithReference(task_, c, outcome.outputs, reference_));
    if (comparison.ok) return std::nullopt;
    OracleReport report = Wrong(c, "numerical");
    report.comparison = comparison;
    report.feedback =
        fmt::format("Wrong result in {}: {}", DescribeCase(c), DescribeDifference(comparison));
    if (run > 0) {
      report.feedback +=
          "\nThe first of two runs with the same inputs was right: the result depends on what is "
          "not an input (uninitialised or stale memory, a race, state kept between calls).";
    }
    return report;
  }

  static OracleReport Wrong(const Case& c, std::string reason) {
    OracleReport report;
    report.status = Status::kIncorrectNumerical;
    report.reason = std::move(reason);
    report.failing = c;
    return report;
  }

  static OracleReport NotDeterministic(const Case& c) {
    OracleReport report = Wrong(c, "not_deterministic");
    report.bitwise = false;
    report.feedback = fmt::format(
        "In {}: two runs with the same inputs gave different bits, and this task demands the "
        "same. Atomic additions of floating-point numbers are the usual cause.",
        DescribeCase(c));
    return report;
  }

  static std::optional<OracleReport> WithPrinted(std::optional<OracleReport> report,
                                                 const CallOutcome& outcome) {
    if (report && !outcome.printed.empty()) {
      report->feedback +=
          "\nThe kernel printed: " + Shorten(ToValidUtf8(outcome.printed), kPrintedShown);
    }
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
    const size_t before = report.cases.size() - 1;
    if (before > 0) {
      report.feedback +=
          fmt::format("\n{} case{} passed before this one.", before, before == 1 ? "" : "s");
    }
    return report;
  }
  return passed;
}

}  // namespace kw::eval
