#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "kw/base/hash.h"
#include "kw/eval/timing.h"

namespace kw::eval {
namespace {

std::string DescribeAxes(const std::map<std::string, int64_t>& axes) {
  std::string text;
  for (const auto& [name, size] : axes) {
    text += fmt::format("{}{}={}", text.empty() ? "" : ", ", name, size);
  }
  return text.empty() ? "the only shape" : text;
}

std::string GroupNote(const std::string& group) {
  return group == "original" ? "" : "; value group " + group;
}

OracleReport WrongReport(const Case& c, const CaseInputs& inputs, Comparison comparison) {
  OracleReport report;
  report.status = Status::kIncorrectNumerical;
  report.reason = "numerical";
  const ElementErrors& e = comparison.errors;
  report.feedback = fmt::format(
      "{} ({}{}) {} of {} elements of {} are wrong (largest absolute error {:.4g}, first wrong "
      "element {}), although the smaller test cases passed. {}",
      c.id == "untimed" ? "At a shape as large as the timed ones" : "On the timed workload",
      DescribeAxes(c.axes), GroupNote(c.group), e.bad, e.total, comparison.output, e.max_abs,
      e.first_bad,
      c.group == kSwappedGroup
          ? "The call before, with almost the same inputs in the same buffers, was right: compute "
            "the result anew in every call."
          : "Check index arithmetic and launch limits at this size.");
  if (e.nan > 0) report.feedback += fmt::format(" {} elements are NaN.", e.nan);
  if (!comparison.pattern.empty()) report.feedback += " " + comparison.pattern + ".";
  report.failing = c;
  report.failing_inputs_hash = inputs.hash;
  report.comparison = std::move(comparison);
  return report;
}

OracleReport TooFastReport(const Case& c, const CaseInputs& inputs, double us, double bound_us) {
  OracleReport report;
  report.status = Status::kRejected;
  report.reason = "faster_than_roofline";
  report.feedback = fmt::format(
      "On the timed workload ({}) the modelled {:.3f} us are below {:.3f} us, the least time that "
      "the device needs to read the inputs and write the outputs once and do the least operations "
      "of this task. The kernel does not do all of its work, or the task states its cost too high.",
      DescribeAxes(c.axes), us, bound_us);
  report.failing = c;
  report.failing_inputs_hash = inputs.hash;
  return report;
}

// Values that show who leaves out what ordinary inputs do not need.
std::string HardGroup(uint64_t seed) { return (seed & 1) != 0 ? "outlier" : "negative"; }

// What one call on fresh inputs showed: a time, or what went wrong.
struct Timed {
  TimeEstimate time;
  std::optional<OracleReport> failure;
  CaseInputs inputs;
};

Result<Timed> TimeOnce(const Task& task, const Case& c, Session& session, const DeviceSheet& sheet,
                       const std::vector<KernelResources>& resources, Reference& reference,
                       bool reuse_buffers = false) {
  Timed timed;
  KW_ASSIGN(timed.inputs, GenerateInputs(task, c));
  KW_ASSIGN(CallRequest request, MakeCall(task, c, timed.inputs));
  request.reuse_buffers = reuse_buffers;
  KW_ASSIGN(CallOutcome outcome, session.Call(request));
  if (auto report = ReportOfCall(outcome, c)) {
    report->failing_inputs_hash = timed.inputs.hash;
    timed.failure = std::move(*report);
    return timed;
  }
  KW_ASSIGN(Comparison comparison, CompareWithReference(task, c, outcome.outputs, reference));
  if (!comparison.ok) {
    timed.failure = WrongReport(c, timed.inputs, std::move(comparison));
    return timed;
  }
  timed.time = ModelCall(sheet, outcome, resources);
  return timed;
}

}  // namespace

Result<TimingReport> TimeWorkloads(const Task& task, Session& session, const DeviceSheet& sheet,
                                   const std::vector<KernelResources>& resources,
                                   Reference& reference,
                                   const std::map<std::string, double>& baseline_us,
                                   uint64_t seed) {
  TimingReport report;
  std::vector<double> speedups;
  for (const Workload& workload : task.workloads) {
    const auto fail = [&](OracleReport failure) {
      report.failure = std::move(failure);
      return report;
    };
    const std::string purpose = "workload/" + workload.uuid;
    const auto fresh = [&](const char* which) {
      return WorkloadCase(task, workload, DeriveSeed(seed, purpose + which));
    };
    // What is timed is a second call at the shape, on other inputs in the same buffers: a kernel
    // may keep a workspace that it made in the first one, and one that keeps its answer shows. The
    // first one's values are hard ones: the timed shape is not always served easy inputs.
    Case first = fresh("/first");
    first.group = HardGroup(first.seed);
    KW_ASSIGN(Timed timed, TimeOnce(task, first, session, sheet, resources, reference));
    if (timed.failure) return fail(std::move(*timed.failure));
    const Case c = fresh("/timed");
    KW_ASSIGN(timed, TimeOnce(task, c, session, sheet, resources, reference, true));
    if (timed.failure) return fail(std::move(*timed.failure));
    KW_ASSIGN(Timed swapped,
              TimeOnce(task, SwappedCase(c), session, sheet, resources, reference, true));
    if (swapped.failure) return fail(std::move(*swapped.failure));

    KW_ASSIGN(const auto axes, task.AllAxes(c.axes));
    KW_ASSIGN(const std::optional<double> roofline, RooflineUs(task, sheet, axes));
    if (roofline && timed.time.us < *roofline) {
      const Case again = fresh("/again");
      KW_ASSIGN(timed, TimeOnce(task, again, session, sheet, resources, reference));
      if (timed.failure) return fail(std::move(*timed.failure));
      if (timed.time.us < *roofline) {
        return fail(TooFastReport(again, timed.inputs, timed.time.us, *roofline));
      }
    }
    WorkloadTime row;
    row.uuid = workload.uuid;
    row.time = timed.time;
    if (roofline) row.roofline = *roofline / row.time.us;
    if (const auto it = baseline_us.find(workload.uuid); it != baseline_us.end()) {
      row.baseline_us = it->second;
      row.speedup = it->second / row.time.us;
      speedups.push_back(row.speedup);
    }
    report.workloads.push_back(std::move(row));
  }
  if (const std::optional<Case> untimed = UntimedCase(task, seed)) {
    KW_ASSIGN(Timed other, TimeOnce(task, *untimed, session, sheet, resources, reference));
    if (other.failure) {
      report.failure = std::move(*other.failure);
      return report;
    }
  }
  report.ok = true;
  report.speedup = GeometricMean(speedups);
  return report;
}

}  // namespace kw::eval
