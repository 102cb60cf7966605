#include <fmt/format.h>

#include <algorithm>
#include <future>
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
      c.id.starts_with("untimed") ? "At a shape as large as the timed ones"
      : c.id.ends_with("/scaled") ? "At a shape that stands in for the timed workload"
                                  : "On the timed workload",
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

// What calls on fresh inputs showed: a time, or what went wrong.
struct Timed {
  TimeEstimate time;
  std::optional<OracleReport> failure;
  CaseInputs inputs;
  std::optional<double> roofline = {};  // us
  std::string checked = "full";
};

// A call that was not as it should be is the failure.
bool NoteFault(const CallOutcome& outcome, const Case& c, Timed* timed) {
  timed->failure = ReportOfCall(outcome, c);
  if (timed->failure) timed->failure->failing_inputs_hash = timed->inputs.hash;
  return timed->failure.has_value();
}

// What all calls of a task's workloads have in common.
class WorkloadTimer {
 public:
  WorkloadTimer(const Task& task, Session& session, const DeviceSheet& sheet,
                const std::vector<KernelResources>& resources, Reference& reference)
      : task_(task),
        session_(session),
        sheet_(sheet),
        resources_(resources),
        reference_(reference) {}

  // A call whose outputs are right, or the failure.
  Result<Timed> TimeOnce(const Case& c, bool reuse_buffers = false) {
    Timed timed;
    KW_ASSIGN(timed.inputs, GenerateInputs(task_, c));
    KW_ASSIGN(CallRequest request, MakeCall(task_, c, timed.inputs));
    request.reuse_buffers = reuse_buffers;
    // At these shapes the reference takes as long as the candidate: it works at the same time, and
    // the comparison finds what it said.
    auto expected = std::async(std::launch::async,
                               [&] { return reference_.EvaluateCase(task_, c, timed.inputs); });
    Result<CallOutcome> called = session_.Call(request);
    KW_TRY(expected.get());
    KW_ASSIGN(CallOutcome outcome, std::move(called));
    if (NoteFault(outcome, c, &timed)) return timed;
    KW_ASSIGN(Comparison comparison, CompareWithReference(task_, c, outcome.outputs, reference_));
    if (!comparison.ok) {
      timed.failure = WrongReport(c, timed.inputs, std::move(comparison));
      return timed;
    }
    timed.time = ModelCall(sheet_, outcome, resources_);
    return timed;
  }

  // Three calls. What is timed is the second one at the shape, on other inputs in the same buffers:
  // a kernel may keep a workspace that it made in the first one, and one that keeps its answer
  // shows. The first one's values are hard ones: the timed shape is not always served easy inputs.
  Result<Timed> TimeInFull(const Case& first, const Case& c, const Case& again) {
    KW_ASSIGN(Timed timed, TimeOnce(first));
    if (timed.failure) return timed;
    KW_ASSIGN(timed, TimeOnce(c, true));
    if (timed.failure) return timed;
    KW_ASSIGN(Timed swapped, TimeOnce(SwappedCase(c), true));
    if (swapped.failure) return swapped;
    KW_ASSIGN(timed.roofline, Roofline(c));
    if (!timed.roofline || timed.time.us >= *timed.roofline) return timed;
    KW_ASSIGN(Timed slower, TimeOnce(again));
    if (slower.failure) return slower;
    slower.roofline = timed.roofline;
    if (slower.time.us < *slower.roofline) {
      slower.failure = TooFastReport(again, slower.inputs, slower.time.us, *slower.roofline);
    }
    return slower;
  }

  // A shape that is too large for that: the three calls at a smaller one, then one call of which
  // only some blocks run. Where that says nothing, the smaller shape's time is extrapolated.
  Result<Timed> TimeInPart(const Case& scaled_first, const Case& scaled, const Case& scaled_again,
                           const Case& whole) {
    KW_ASSIGN(Timed timed, TimeInFull(scaled_first, scaled, scaled_again));
    if (timed.failure) return timed;
    KW_ASSIGN(std::optional<Timed> sampled, TimeSample(whole));
    if (sampled) return *std::move(sampled);
    timed.checked = "scaled";
    KW_ASSIGN(const double factor, CostRatio(whole, scaled));
    timed.time.us *= factor;
    timed.time.p5 = timed.time.us * (1 - kScaledError);
    timed.time.p95 = timed.time.us * (1 + kScaledError);
    KW_ASSIGN(timed.roofline, Roofline(whole));
    return timed;
  }

  // Nothing where the call shows neither a mistake nor a time.
  Result<std::optional<Timed>> TimeSample(const Case& c);

 private:
  static constexpr uint64_t kSampledLanes = 100'000'000;  // a launch
  static constexpr uint64_t kMostBytes = 2ULL << 30;      // of the tensors of a sampled call
  static constexpr double kScaledError = 0.5;             // caches and occupancy differ by shape
  static constexpr double kGuessedError = 0.25;  // where values are missing, branches may differ

  // Compares what a sampled call has stored.
  Result<void> JudgeSample(const Case& c, const CallOutcome& outcome, Timed* timed);

  Result<std::optional<double>> Roofline(const Case& c) {
    KW_ASSIGN(const auto axes, task_.AllAxes(c.axes));
    return RooflineUs(task_, sheet_, axes);
  }

  // How much more work a case is than another: by the task's cost, or by its tensors.
  Result<double> CostRatio(const Case& c, const Case& other) {
    double ratio = 0;
    for (const std::string& cost : {task_.cost_flops, task_.cost_bytes}) {
      if (cost.empty()) continue;
      KW_ASSIGN(const auto axes, task_.AllAxes(c.axes));
      KW_ASSIGN(const auto other_axes, task_.AllAxes(other.axes));
      KW_ASSIGN(const double now, EvaluateExpression(cost, axes));
      KW_ASSIGN(const double then, EvaluateExpression(cost, other_axes));
      ratio = std::max(ratio, now / std::max(then, 1.0));
    }
    if (ratio > 0) return ratio;
    const auto elements = [&](const Case& shape) -> Result<double> {
      KW_ASSIGN(const auto axes, task_.AllAxes(shape.axes));
      KW_ASSIGN(const int64_t total, TotalElements(task_, axes));
      return static_cast<double>(1 + total);
    };
    KW_ASSIGN(const double now, elements(c));
    KW_ASSIGN(const double then, elements(other));
    return now / then;
  }

  const Task& task_;
  Session& session_;
  const DeviceSheet& sheet_;
  const std::vector<KernelResources>& resources_;
  Reference& reference_;
};

Result<std::optional<Timed>> WorkloadTimer::TimeSample(const Case& c) {
  KW_ASSIGN(const auto axes, task_.AllAxes(c.axes));
  uint64_t bytes = 0;
  for (const auto* tensors : {&task_.inputs, &task_.outputs}) {
    for (const Tensor& tensor : *tensors) {
      KW_ASSIGN(const int64_t count, ElementCount(tensor, axes));
      bytes += static_cast<uint64_t>(count * DTypeBytes(tensor.dtype));
    }
  }
  if (bytes > kMostBytes) return std::nullopt;
  Timed timed;
  KW_ASSIGN(timed.inputs, GenerateInputs(task_, c));
  KW_ASSIGN(CallRequest request, MakeCall(task_, c, timed.inputs));
  request.sampling = Sampling{DeriveSeed(c.seed, "blocks"), kSampledLanes};
  KW_ASSIGN(CallOutcome outcome, session_.Call(request));
  // Blocks that cannot be sampled may be more than the budget.
  if (outcome.status == CallOutcome::Status::kDeviceLimit) return std::nullopt;
  double error = 0;
  for (const LaunchRecord& launch : outcome.launches) error = std::max(error, 2 * launch.error);
  if (outcome.sampled && !outcome.sampled->unusable.empty()) {
    // Values are missing, and with them hazards mean nothing; the work is much the same.
    if (outcome.status != CallOutcome::Status::kOk) return std::nullopt;
    timed.checked = "scaled";
    error = std::max(error, kGuessedError);
  } else {
    KW_TRY(JudgeSample(c, outcome, &timed));
    if (timed.failure) return timed;
  }
  timed.time = ModelCall(sheet_, outcome, resources_);
  timed.time.p5 = timed.time.us * std::max(0.0, 1 - error);
  timed.time.p95 = timed.time.us * (1 + error);
  KW_ASSIGN(timed.roofline, Roofline(c));
  if (timed.roofline && timed.time.p95 < *timed.roofline) {
    timed.failure = TooFastReport(c, timed.inputs, timed.time.us, *timed.roofline);
  }
  return timed;
}

Result<void> WorkloadTimer::JudgeSample(const Case& c, const CallOutcome& outcome, Timed* timed) {
  if (NoteFault(outcome, c, timed)) return {};
  std::vector<ByteRuns> stored;
  for (const std::string& output : outcome.outputs) stored.push_back({{0, output.size()}});
  if (outcome.sampled) stored = outcome.sampled->stored;
  KW_ASSIGN(SampleCheck check,
            CheckSample(task_, c, timed->inputs, outcome.outputs, stored, reference_));
  if (!check.comparison.ok) {
    timed->failure = WrongReport(c, timed->inputs, std::move(check.comparison));
  }
  // Blocks that store far too little leave elements that nobody stores, and nobody has seen.
  KW_ASSIGN(const auto axes, task_.AllAxes(c.axes));
  double all = 0, per_block_run = 1;
  for (const Tensor& output : task_.outputs) {
    KW_ASSIGN(const int64_t count, ElementCount(output, axes));
    all += static_cast<double>(count);
  }
  for (const LaunchRecord& launch : outcome.launches) {
    if (launch.blocks_run == 0) continue;
    const auto blocks = static_cast<double>(BlockCount(launch.grid));
    per_block_run = std::max(per_block_run, blocks / static_cast<double>(launch.blocks_run));
  }
  const bool covered = static_cast<double>(check.elements) * per_block_run >= all / 2;
  timed->checked = check.unchecked.empty() && covered ? "sampled" : "scaled";
  return {};
}

// A case that fits, at the same shape or at one that stands in for it.
std::optional<Case> Fitting(const Task& task, const Case& c) {
  return FitsInFull(task, c.axes) ? c : ScaledCase(task, c);
}

}  // namespace

Result<OracleReport> CheckInPart(const Task& task, const Case& c, Session& session,
                                 const DeviceSheet& sheet,
                                 const std::vector<KernelResources>& resources,
                                 Reference& reference) {
  WorkloadTimer timer(task, session, sheet, resources, reference);
  KW_ASSIGN(std::optional<Timed> timed, timer.TimeSample(c));
  if (timed && timed->failure) return *std::move(timed->failure);
  OracleReport report;
  report.ok = true;
  report.cases = {{c, true}};
  return report;
}

Result<TimingReport> TimeWorkloads(const Task& task, Session& session, const DeviceSheet& sheet,
                                   const std::vector<KernelResources>& resources,
                                   Reference& reference,
                                   const std::map<std::string, double>& baseline_us,
                                   uint64_t seed) {
  TimingReport report;
  std::vector<double> speedups;
  WorkloadTimer timer(task, session, sheet, resources, reference);
  size_t turn = seed;
  for (const Workload& workload : task.workloads) {
    const auto fresh = [&](const char* which) {
      return WorkloadCase(task, workload, DeriveSeed(seed, "workload/" + workload.uuid + which));
    };
    Case first = fresh("/first");
    first.group = kHardGroups[turn++ % std::size(kHardGroups)];
    const Case c = fresh("/timed"), again = fresh("/again");
    const std::optional<Case> fitting = Fitting(task, c);
    // A shape that nothing smaller can stand in for is tried as it is.
    const bool in_full = !fitting || fitting->axes == c.axes;
    KW_ASSIGN(Timed timed, in_full ? timer.TimeInFull(first, c, again)
                                   : timer.TimeInPart(*Fitting(task, first), *fitting,
                                                      *Fitting(task, again), c));
    if (timed.failure) {
      report.failure = std::move(*timed.failure);
      return report;
    }
    WorkloadTime row;
    row.uuid = workload.uuid;
    row.checked = timed.checked;
    row.time = timed.time;
    if (timed.roofline) row.roofline = *timed.roofline / row.time.us;
    if (const auto it = baseline_us.find(workload.uuid); it != baseline_us.end()) {
      row.baseline_us = it->second;
      row.speedup = it->second / row.time.us;
      speedups.push_back(row.speedup);
    }
    report.workloads.push_back(std::move(row));
  }
  std::optional<Case> untimed = UntimedCase(task, seed);
  if (untimed) untimed = Fitting(task, *untimed);
  if (untimed) {
    KW_ASSIGN(Timed other, timer.TimeOnce(*untimed));
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
