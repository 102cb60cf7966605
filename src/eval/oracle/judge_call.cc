#include "judge_call.h"

#include <fmt/format.h>

#include "case_text.h"
#include "kw/base/text.h"

namespace kw::eval {
namespace {

constexpr size_t kPrintedShown = 400;

// The first output that nothing was written to.
const Tensor* NotWritten(const Task& task, const CallOutcome& outcome) {
  for (size_t i = 0; i < outcome.output_written.size() && i < task.outputs.size(); ++i) {
    if (!outcome.output_written[i]) return &task.outputs[i];
  }
  return nullptr;
}

Result<std::optional<OracleReport>> JudgeOutputs(const Task& task, const Case& c,
                                                 const CallOutcome& outcome, Reference& reference,
                                                 std::string_view hint, Comparison& comparison) {
  if (const Tensor* output = NotWritten(task, outcome)) {
    OracleReport report = WrongResult(c, "output_not_written");
    report.feedback = fmt::format(
        "In {}: nothing was written to the output '{}'. Is the kernel launched for this shape "
        "(a grid that is not empty, on the given stream), and does it store its result there?",
        DescribeCase(c), output->name);
    return report;
  }
  KW_ASSIGN(comparison, CompareWithReference(task, c, outcome.outputs, reference));
  if (comparison.ok) return std::nullopt;
  OracleReport report = WrongResult(c, "numerical");
  report.comparison = comparison;
  report.feedback =
      fmt::format("Wrong result in {}: {}", DescribeCase(c), DescribeDifference(comparison));
  report.feedback += hint;
  return report;
}

std::optional<OracleReport> WithPrinted(std::optional<OracleReport> report,
                                        const CallOutcome& outcome) {
  if (report && !outcome.printed.empty()) {
    report->feedback +=
        "\nThe kernel printed: " + Shorten(ToValidUtf8(outcome.printed), kPrintedShown);
  }
  return report;
}

}  // namespace

OracleReport WrongResult(const Case& c, std::string reason) {
  OracleReport report;
  report.status = Status::kIncorrectNumerical;
  report.reason = std::move(reason);
  report.failing = c;
  return report;
}

Result<std::optional<OracleReport>> JudgeCall(const Task& task, const Case& c,
                                              const CallOutcome& outcome, Reference& reference,
                                              std::string_view hint, Comparison& comparison) {
  std::optional<OracleReport> report = ReportOfCall(outcome, c);
  if (outcome.status != CallOutcome::Status::kOk) return WithPrinted(std::move(report), outcome);
  KW_ASSIGN(std::optional<OracleReport> wrong,
            JudgeOutputs(task, c, outcome, reference, hint, comparison));
  if (report && wrong) report->feedback += "\nBesides, the result is wrong: " + wrong->feedback;
  if (report) {
    report->comparison = comparison;
    return WithPrinted(std::move(report), outcome);
  }
  if (wrong && !outcome.message.empty()) wrong->feedback += "\nNote: " + outcome.message;
  return WithPrinted(std::move(wrong), outcome);
}

}  // namespace kw::eval
