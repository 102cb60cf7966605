// The check of benchmarks: one shape, a few random inputs, one tolerance a dtype.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "case_text.h"
#include "judge_call.h"
#include "kw/base/hash.h"
#include "kw/eval/oracle.h"
#include "value_types.h"

namespace kw::eval {
namespace {

constexpr int kTrials = 5;

// atol = rtol. KernelBench's, by precision; it has none for float8, which is held no harder.
double AllcloseTolerance(DType dtype) { return DTypeBytes(dtype) <= 2 ? 1e-2 : 1e-4; }

// The shape that a benchmark would have.
Result<Case> BenchmarkCase(const Task& task, uint64_t seed) {
  for (const Workload& workload : task.workloads) {
    if (FitsInFull(task, workload.axes)) return WorkloadCase(task, workload, seed);
  }
  for (const Workload& workload : task.workloads) {
    if (auto scaled = ScaledCase(task, WorkloadCase(task, workload, seed))) return *scaled;
  }
  return Fail(ErrorCode::kInvalid, "task " + task.name +
                                       ": no workload, nor a smaller shape that stands in for "
                                       "one, can be checked as a whole");
}

// Counts what is not close into `comparison`, which is of the first output that has such elements.
template <class T>
void CompareAll(const Tensor& output, const std::vector<T>& got, const std::vector<T>& expected,
                Comparison& comparison) {
  const double tolerance = AllcloseTolerance(output.dtype);
  ElementErrors errors;
  errors.total = static_cast<int64_t>(got.size());
  for (size_t i = 0; i < got.size(); ++i) {
    const auto value = static_cast<double>(got[i]), wanted = static_cast<double>(expected[i]);
    const double error = std::fabs(value - wanted);
    errors.nan += std::isnan(value) ? 1 : 0;
    errors.inf += std::isinf(value) ? 1 : 0;
    if (std::isfinite(error)) errors.max_abs = std::max(errors.max_abs, error);
    const bool close =
        got[i] == expected[i] ||
        (std::is_floating_point_v<T> && error <= tolerance + tolerance * std::fabs(wanted));
    if (close) continue;
    if (errors.bad++ == 0) errors.first_bad = static_cast<int64_t>(i);
  }
  if (!comparison.ok || errors.bad == 0) return;
  comparison.ok = false;
  comparison.output = output.name;
  comparison.errors = errors;
}

Result<Comparison> Compare(const Task& task, const Case& c, const CallOutcome& outcome,
                           Reference& reference) {
  KW_ASSIGN(const auto expected, reference.Evaluate(task, c));
  KW_CHECK(outcome.outputs.size() == task.outputs.size(), "a call that is fine has all outputs");
  Comparison comparison;
  for (size_t i = 0; i < task.outputs.size(); ++i) {
    const Tensor& output = task.outputs[i];
    if (!expected->floats[i].empty()) {
      CompareAll(output, WidenFloats(output.dtype, outcome.outputs[i]), expected->floats[i],
                 comparison);
    } else {
      CompareAll(output, WidenIntegers(output.dtype, outcome.outputs[i]), expected->integers[i],
                 comparison);
    }
  }
  return comparison;
}

// Nothing when the trial is passed.
Result<std::optional<OracleReport>> Trial(const Task& task, const Case& c, Session& session,
                                          Reference& reference) {
  KW_ASSIGN(const CaseInputs inputs, GenerateInputs(task, c));
  KW_ASSIGN(const CallRequest request, MakeCall(task, c, inputs));
  KW_ASSIGN(const CallOutcome outcome, session.Call(request));
  if (outcome.status != CallOutcome::Status::kOk) return ReportOfCall(outcome, c);
  KW_ASSIGN(Comparison comparison, Compare(task, c, outcome, reference));
  if (comparison.ok) return std::nullopt;
  OracleReport report = WrongResult(c, "numerical");
  const ElementErrors& errors = comparison.errors;
  report.feedback =
      fmt::format("In {}: {} of {} elements of {} are not close, the largest error is {:.4g}.",
                  DescribeCase(c), errors.bad, errors.total, comparison.output, errors.max_abs);
  report.comparison = std::move(comparison);
  return report;
}

}  // namespace

Result<OracleReport> RunAllclose(const Task& task, Session& session, Reference& reference,
                                 const OracleOptions& options) {
  std::vector<CaseResult> trials;
  for (int trial = 1; trial <= kTrials; ++trial) {
    if (options.cancelled && options.cancelled()) {
      return Fail(ErrorCode::kCancelled, "the evaluation was cancelled");
    }
    const uint64_t seed =
        DeriveSeed(FuzzSeed(options.seed, task), fmt::format("allclose/{}", trial));
    KW_ASSIGN(Case c, BenchmarkCase(task, seed));
    c.id = fmt::format("t{}", trial);
    KW_ASSIGN(std::optional<OracleReport> failure, Trial(task, c, session, reference));
    trials.push_back({c, !failure});
    if (!failure) continue;
    failure->cases = std::move(trials);
    failure->hazards = "unchecked";
    return std::move(*failure);
  }
  OracleReport passed;
  passed.ok = true;
  passed.hazards = "unchecked";
  passed.cases = std::move(trials);
  return passed;
}

}  // namespace kw::eval
