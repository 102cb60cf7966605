#include "compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <set>

#include "kw/eval/oracle.h"
#include "pattern.h"
#include "value_types.h"

namespace kw::eval {
namespace {

// The rule of a float output (design 4.1).
class FloatRule {
 public:
  FloatRule(DType dtype, const Tolerance& tolerance, double absolute_scale)
      : dtype_(dtype),
        absolute_(tolerance.absolute * absolute_scale),
        relative_(tolerance.relative),
        largest_(LargestFinite(dtype)) {}

  double Allowed(double expected) const {
    const double magnitude = std::fabs(expected);
    if (!(magnitude <= largest_)) return 0;
    return std::max(absolute_ + relative_ * magnitude, UnitInLastPlace(dtype_, expected));
  }
  // An error in units of what is allowed.
  double Units(double got, double expected) const {
    const double units = std::fabs(got - expected) / Allowed(expected);
    return std::isnan(units) ? std::numeric_limits<double>::infinity() : units;
  }
  bool Passes(double got, double expected) const {
    if (std::isnan(expected)) return std::isnan(got);
    if (std::isinf(expected)) return got == expected;
    const double magnitude = std::fabs(expected);
    if (magnitude > largest_) return true;  // the dtype cannot hold it: not judged
    const double error = std::fabs(got - expected);
    if (error <= absolute_ + relative_ * magnitude) return true;
    if (std::isinf(got)) {
      return std::signbit(got) == std::signbit(expected) &&
             magnitude + Allowed(expected) > largest_;
    }
    return error <= UnitInLastPlace(dtype_, expected);
  }

 private:
  DType dtype_;
  double absolute_, relative_, largest_;
};

struct Judged {
  ElementErrors errors;
  WrongOutput values;
  double allowed = 0, ulps = 0;  // at the first bad element
  double worst = 0;              // error of a bad element in units of what is allowed
};

// Adds up what is said of all elements of an output, in their order.
class Tally {
 public:
  void Add(double got, double expected, bool bad) {
    errors_.nan += std::isnan(got) ? 1 : 0;
    errors_.inf += std::isinf(got) ? 1 : 0;
    if (bad && errors_.bad++ == 0) errors_.first_bad = errors_.total;
    ++errors_.total;
    const double error = std::fabs(got - expected);
    if (!std::isfinite(error)) return;
    errors_.max_abs = std::max(errors_.max_abs, error);
    if (expected != 0) errors_.max_rel = std::max(errors_.max_rel, error / std::fabs(expected));
    sum_ += error;
    ++compared_;
  }
  ElementErrors Errors() const {
    ElementErrors errors = errors_;
    errors.mean_abs = compared_ == 0 ? 0 : sum_ / static_cast<double>(compared_);
    return errors;
  }

 private:
  ElementErrors errors_;
  double sum_ = 0;
  int64_t compared_ = 0;
};

Judged JudgeFloats(const Tensor& output, const FloatRule& rule, const std::string& bytes,
                   const std::vector<double>& expected, const std::vector<double>& slack) {
  const auto passes = [&](size_t i, double got) {
    return (i < slack.size() && std::fabs(got - expected[i]) <= slack[i]) ||
           rule.Passes(got, expected[i]);
  };
  // Most outputs are right, and many are large: their elements are not kept.
  constexpr size_t kPiece = 4096;
  const auto element_bytes = static_cast<size_t>(DTypeBytes(output.dtype));
  Judged judged;
  Tally tally;
  for (size_t start = 0; start < expected.size(); start += kPiece) {
    const std::vector<double> got =
        WidenFloats(output.dtype,
                    std::string_view(bytes).substr(start * element_bytes, kPiece * element_bytes));
    for (size_t i = 0; i < got.size(); ++i) {
      tally.Add(got[i], expected[start + i], !passes(start + i, got[i]));
    }
  }
  judged.errors = tally.Errors();
  if (judged.errors.bad == 0) return judged;

  WrongOutput& values = judged.values;
  values.got = WidenFloats(output.dtype, bytes);
  values.expected = expected;
  values.bad.resize(expected.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    if (passes(i, values.got[i])) continue;
    values.bad[i] = 1;
    judged.worst = std::max(judged.worst, rule.Units(values.got[i], expected[i]));
  }
  values.close = [rule](double value, double wanted) { return rule.Passes(value, wanted); };
  const auto first = static_cast<size_t>(judged.errors.first_bad);
  judged.allowed = rule.Allowed(expected[first]);
  judged.ulps = std::fabs(values.got[first] - expected[first]) /
                UnitInLastPlace(output.dtype, expected[first]);
  return judged;
}

// An output whose elements choose among those of an input along one axis: equal values tie.
class Selection {
 public:
  static Result<Selection> Make(const Task& task, const Tensor& output, const Case& c,
                                const std::map<std::string, int64_t>& axes) {
    Selection selection;
    const Tensor* input = nullptr;
    size_t at = 0;
    for (; at < task.inputs.size(); ++at) {
      if (task.inputs[at].name == output.selects) input = &task.inputs[at];
      if (input != nullptr) break;
    }
    const auto fault = [&](std::string_view what) {
      return Fail(ErrorCode::kInvalid,
                  fmt::format("output '{}' selects '{}': {}", output.name, output.selects, what));
    };
    if (input == nullptr || input->is_scalar) return fault("it is no input tensor");
    KW_ASSIGN(const CaseInputs inputs, GenerateInputs(task, c));
    if (IsFloat(input->dtype)) {
      selection.values_ = WidenFloats(input->dtype, inputs.tensors[at]);
    } else {
      for (const int64_t value : WidenIntegers(input->dtype, inputs.tensors[at])) {
        selection.values_.push_back(static_cast<double>(value));
      }
    }
    // Strides in the input of each of the output's axes, and of the axis that is chosen along.
    selection.strides_.assign(output.shape.size(), 0);
    int64_t stride = 1;
    for (size_t i = input->shape.size(); i-- > 0;) {
      const std::string& axis = input->shape[i];
      const auto in_output = std::find(output.shape.begin(), output.shape.end(), axis);
      if (in_output != output.shape.end()) {
        selection.strides_[static_cast<size_t>(in_output - output.shape.begin())] = stride;
      } else if (selection.range_ == 0) {
        selection.range_ = axes.at(axis);
        selection.stride_ = stride;
      } else {
        return fault("more than one axis could be meant");
      }
      stride *= axes.at(axis);
    }
    if (selection.range_ == 0) return fault("no axis is left to choose along");
    for (size_t i = 0; i < output.shape.size(); ++i) {
      selection.sizes_.push_back(axes.at(output.shape[i]));
      selection.several_ = selection.several_ || selection.strides_[i] == 0;
    }
    return selection;
  }

  // The flat index in the input of the line that output element `i` chooses from.
  int64_t Base(int64_t i) const {
    int64_t base = 0;
    for (size_t axis = sizes_.size(); axis-- > 0;) {
      base += i % sizes_[axis] * strides_[axis];
      i /= sizes_[axis];
    }
    return base;
  }
  bool InRange(int64_t chosen) const { return chosen >= 0 && chosen < range_; }
  double Value(int64_t base, int64_t chosen) const {
    return values_[static_cast<size_t>(base + chosen * stride_)];
  }
  // Several elements choose from one line: they must not choose the same.
  bool several() const { return several_; }

 private:
  std::vector<double> values_;
  std::vector<int64_t> strides_, sizes_;
  int64_t stride_ = 0, range_ = 0;
  bool several_ = false;
};

void JudgeSelection(const Selection& selection, const std::vector<int64_t>& got,
                    const std::vector<int64_t>& expected, std::vector<uint8_t>& bad) {
  std::set<std::pair<int64_t, int64_t>> chosen, wanted;
  for (size_t i = 0; i < got.size(); ++i) {
    const int64_t base = selection.Base(static_cast<int64_t>(i));
    if (got[i] == expected[i] || !selection.InRange(expected[i])) {
      bad[i] = got[i] == expected[i] ? 0 : 1;
    } else if (!selection.InRange(got[i])) {
      bad[i] = 1;
    } else {
      const double a = selection.Value(base, got[i]), b = selection.Value(base, expected[i]);
      bad[i] = a == b || (std::isnan(a) && std::isnan(b)) ? 0 : 1;
    }
    if (!selection.several()) continue;
    // A repetition is only right where the reference repeats as well.
    const bool repeated = !chosen.emplace(base, got[i]).second;
    const bool may_repeat = !wanted.emplace(base, expected[i]).second;
    if (repeated && !may_repeat) bad[i] = 1;
  }
}

Result<Judged> JudgeIntegers(const Task& task, const Tensor& output, const Case& c,
                             const std::map<std::string, int64_t>& axes, const std::string& bytes,
                             const std::vector<int64_t>& expected) {
  Judged judged;
  std::vector<int64_t> got = WidenIntegers(output.dtype, bytes);
  if (output.dtype == DType::kBool) {
    for (int64_t& value : got) value = value != 0 ? 1 : 0;
  }
  judged.values.bad.resize(expected.size());
  if (output.selects.empty()) {
    for (size_t i = 0; i < got.size(); ++i) judged.values.bad[i] = got[i] == expected[i] ? 0 : 1;
  } else {
    KW_ASSIGN(const Selection selection, Selection::Make(task, output, c, axes));
    JudgeSelection(selection, got, expected, judged.values.bad);
  }
  judged.values.got.assign(got.begin(), got.end());
  judged.values.expected.assign(expected.begin(), expected.end());
  judged.values.close = [](double value, double wanted) { return value == wanted; };
  Tally tally;
  for (size_t i = 0; i < got.size(); ++i) {
    tally.Add(judged.values.got[i], judged.values.expected[i], judged.values.bad[i] != 0);
  }
  judged.errors = tally.Errors();
  if (judged.errors.bad > 0) judged.worst = std::numeric_limits<double>::infinity();
  return judged;
}

std::vector<int64_t> Coordinates(int64_t index, const std::vector<int64_t>& shape) {
  std::vector<int64_t> at(shape.size());
  for (size_t axis = shape.size(); axis-- > 0;) {
    at[axis] = index % shape[axis];
    index /= shape[axis];
  }
  return at;
}

void KeepWorst(const ElementErrors& errors, ElementErrors& worst) {
  worst.max_abs = std::max(worst.max_abs, errors.max_abs);
  worst.max_rel = std::max(worst.max_rel, errors.max_rel);
  worst.mean_abs = std::max(worst.mean_abs, errors.mean_abs);
  worst.total += errors.total;
  worst.nan += errors.nan;
  worst.inf += errors.inf;
}

}  // namespace

Result<Comparison> CompareOutputs(const Task& task, const Case& c,
                                  const std::vector<std::string>& outputs,
                                  const Expected& expected) {
  KW_ASSIGN(const auto axes, task.AllAxes(c.axes));
  const size_t count = task.outputs.size();
  if (outputs.size() != count || expected.floats.size() != count ||
      expected.integers.size() != count) {
    return Fail(ErrorCode::kInternal, "not as many outputs as the task has");
  }
  Comparison comparison;
  for (size_t i = 0; i < count; ++i) {
    const Tensor& output = task.outputs[i];
    KW_ASSIGN(const int64_t elements, ElementCount(output, axes));
    const bool is_float = IsFloat(output.dtype);
    const size_t expected_elements =
        is_float ? expected.floats[i].size() : expected.integers[i].size();
    const auto bytes = static_cast<size_t>(elements * DTypeBytes(output.dtype));
    if (outputs[i].size() != bytes || expected_elements != static_cast<size_t>(elements)) {
      return Fail(ErrorCode::kInternal,
                  fmt::format("output '{}' does not have {} elements", output.name, elements));
    }
    Judged judged;
    if (is_float) {
      const FloatRule rule(output.dtype, ToleranceOf(task, output.dtype), expected.ScaleOf(i));
      judged = JudgeFloats(output, rule, outputs[i], expected.floats[i],
                           i < expected.slack.size() ? expected.slack[i] : std::vector<double>{});
    } else {
      KW_ASSIGN(judged, JudgeIntegers(task, output, c, axes, outputs[i], expected.integers[i]));
    }
    if (judged.errors.bad == 0) {
      KeepWorst(judged.errors, comparison.errors);
      continue;
    }
    comparison.ok = false;
    comparison.output = output.name;
    comparison.errors = judged.errors;
    for (const std::string& axis : output.shape) judged.values.shape.push_back(axes.at(axis));
    judged.values.axes = axes;
    const auto first = static_cast<size_t>(judged.errors.first_bad);
    comparison.at = Coordinates(judged.errors.first_bad, judged.values.shape);
    comparison.got = judged.values.got[first];
    comparison.expected = judged.values.expected[first];
    comparison.allowed = judged.allowed;
    comparison.ulps = judged.ulps;
    comparison.worst = judged.worst;
    Pattern pattern = FindPattern(judged.values);
    comparison.pattern = std::move(pattern.text);
    comparison.advice = std::move(pattern.advice);
    return comparison;
  }
  return comparison;
}

Tolerance ToleranceOf(const Task& task, DType dtype) {
  const auto found = task.tolerance.find(dtype);
  return found == task.tolerance.end() ? DefaultTolerance(dtype) : found->second;
}

Expected WithSlack(Expected expected, std::vector<std::vector<double>> sensitivity) {
  expected.slack = std::move(sensitivity);
  for (std::vector<double>& output : expected.slack) {
    for (double& element : output) element *= kSlackFactor;
  }
  return expected;
}

Result<Comparison> CompareLeniently(const Task& task, const Case& c,
                                    const std::vector<std::string>& outputs,
                                    const Expected& expected,
                                    const SensitivitySource& sensitivity) {
  KW_ASSIGN(Comparison comparison, CompareOutputs(task, c, outputs, expected));
  if (comparison.ok) return comparison;
  KW_ASSIGN(const std::vector<std::vector<double>> slack, sensitivity());
  if (slack.empty()) return comparison;
  KW_ASSIGN(comparison, CompareOutputs(task, c, outputs, WithSlack(expected, slack)));
  for (size_t i = 0; i < task.outputs.size() && !comparison.ok; ++i) {
    const auto first = static_cast<size_t>(std::max<int64_t>(comparison.errors.first_bad, 0));
    if (task.outputs[i].name == comparison.output && first < slack[i].size()) {
      comparison.sensitivity = slack[i][first];
    }
  }
  return comparison;
}

Result<Comparison> CompareWithReference(const Task& task, const Case& c,
                                        const std::vector<std::string>& outputs,
                                        Reference& reference) {
  KW_ASSIGN(const std::shared_ptr<const Expected> expected, reference.Evaluate(task, c));
  return CompareLeniently(task, c, outputs, *expected,
                          [&] { return reference.Sensitivity(task, c); });
}

}  // namespace kw::eval
