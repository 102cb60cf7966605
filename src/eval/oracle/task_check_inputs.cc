// Does every input matter, and every axis? Values are drawn again for what is asked about, and some
// output of some case must become another.
#include <fmt/format.h>

#include <algorithm>

#include "kw/base/random.h"
#include "kw/base/text.h"
#include "task_check.h"

namespace kw::eval {
namespace {

using State = CheckStep::State;

// The case with other values everywhere.
Case Redrawn(Case c) {
  c.seed = DeriveSeed(c.seed, "task check");
  c.group = "original";
  return c;
}

// Indices that mean something together cannot be exchanged one by one.
bool CanBeMixed(const Tensor& tensor) {
  return tensor.kind == InputKind::kAny || tensor.kind == InputKind::kPositive ||
         (tensor.kind == InputKind::kIndex && !tensor.unique);
}

bool HasAxis(const Tensor& tensor, const std::string& axis) {
  return !tensor.is_scalar &&
         std::find(tensor.shape.begin(), tensor.shape.end(), axis) != tensor.shape.end();
}

// The tensor with other values at every index along `axis` but the first.
std::string MixedAlong(const Tensor& tensor, const std::map<std::string, int64_t>& axes,
                       const std::string& axis, const std::string& bytes,
                       const std::string& other) {
  std::string mixed = bytes;
  const auto width = static_cast<size_t>(DTypeBytes(tensor.dtype));
  int64_t stride = 1;
  for (size_t at = tensor.shape.size(); at-- > 0;) {
    const int64_t size = axes.at(tensor.shape[at]);
    if (tensor.shape[at] == axis) {
      for (size_t i = 0; i < bytes.size() / width; ++i) {
        if (static_cast<int64_t>(i) / stride % size == 0) continue;
        mixed.replace(i * width, width, other, i * width, width);
      }
    }
    stride *= size;
  }
  return mixed;
}

// True when the reference gives another result for these inputs, or none: it looks at them.
Result<bool> Changes(const Task& task, const CheckedCase& checked, const Case& c,
                     const CaseInputs& inputs, Reference& reference) {
  auto changed = reference.EvaluateOn(task, c, inputs);
  if (!changed && changed.error().code == ErrorCode::kInvalid) return true;
  if (!changed) return Fail(std::move(changed).error());
  return !DifferenceOf(task, *checked.expected, *changed).empty();
}

// Another value of a scalar that some case has; nothing where all have the same.
std::optional<double> OtherValue(const std::vector<CheckedCase>& cases, const std::string& name,
                                 double value) {
  for (const CheckedCase& checked : cases) {
    const auto found = checked.c.scalars.find(name);
    if (found != checked.c.scalars.end() && found->second != value) return found->second;
  }
  return std::nullopt;
}

Result<bool> InputMatters(const Task& task, const std::vector<CheckedCase>& cases, size_t input,
                          Reference& reference) {
  const Tensor& tensor = task.inputs[input];
  for (const CheckedCase& checked : cases) {
    Case c = checked.c;
    CaseInputs inputs = checked.inputs;
    if (tensor.is_scalar) {
      const auto other = OtherValue(cases, tensor.name, c.scalars.at(tensor.name));
      if (!other) return true;  // it has one value only, and is as good as a constant
      c.scalars[tensor.name] = *other;
    } else {
      KW_ASSIGN(CaseInputs other, GenerateInputs(task, Redrawn(c)));
      if (other.tensors[input] == inputs.tensors[input]) continue;
      inputs.tensors[input] = std::move(other.tensors[input]);
    }
    KW_ASSIGN(const bool changes, Changes(task, checked, c, inputs, reference));
    if (changes) return true;
  }
  return false;
}

struct AxisFinding {
  bool matters = false, tried = false;
};

Result<AxisFinding> AxisMatters(const Task& task, const std::vector<CheckedCase>& cases,
                                const std::string& axis, Reference& reference) {
  AxisFinding finding;
  for (const CheckedCase& checked : cases) {
    KW_ASSIGN(const auto axes, task.AllAxes(checked.c.axes));
    if (axes.at(axis) < 2) continue;
    finding.tried = true;
    KW_ASSIGN(const CaseInputs other, GenerateInputs(task, Redrawn(checked.c)));
    CaseInputs inputs = checked.inputs;
    for (size_t i = 0; i < task.inputs.size(); ++i) {
      const Tensor& tensor = task.inputs[i];
      if (!HasAxis(tensor, axis)) continue;
      inputs.tensors[i] = CanBeMixed(tensor)
                              ? MixedAlong(tensor, axes, axis, inputs.tensors[i], other.tensors[i])
                              : other.tensors[i];
    }
    KW_ASSIGN(finding.matters, Changes(task, checked, checked.c, inputs, reference));
    if (finding.matters) return finding;
  }
  return finding;
}

// Of an axis that no tensor has: its size is all there is to it.
Result<AxisFinding> SizeMatters(const Task& task, const std::vector<CheckedCase>& cases,
                                const std::string& axis, Reference& reference) {
  AxisFinding finding;
  for (const CheckedCase& checked : cases) {
    for (const CheckedCase& other : cases) {
      Case c = checked.c;
      c.axes[axis] = other.c.axes.at(axis);
      if (c.axes == checked.c.axes) continue;
      KW_ASSIGN(const auto axes, task.AllAxes(c.axes));
      const auto admitted = SatisfiesConstraints(task, axes);
      if (!admitted || !*admitted) continue;
      finding.tried = true;
      KW_ASSIGN(finding.matters, Changes(task, checked, c, checked.inputs, reference));
      if (finding.matters) return finding;
    }
  }
  return finding;
}

std::vector<std::string> TensorsWith(const std::vector<Tensor>& tensors, const std::string& axis) {
  std::vector<std::string> names;
  for (const Tensor& tensor : tensors) {
    if (HasAxis(tensor, axis)) names.push_back("'" + tensor.name + "'");
  }
  return names;
}

// "" when the axis matters, else what is wrong with it.
Result<std::string> FaultOfAxis(const Task& task, const std::vector<CheckedCase>& cases,
                                const Axis& axis, Reference& reference) {
  const std::vector<std::string> inputs = TensorsWith(task.inputs, axis.name);
  if (!axis.is_var && (inputs.empty() || axis.value < 2)) return std::string();
  if (inputs.empty() && !TensorsWith(task.outputs, axis.name).empty()) return std::string();
  KW_ASSIGN(const AxisFinding finding, inputs.empty()
                                           ? SizeMatters(task, cases, axis.name, reference)
                                           : AxisMatters(task, cases, axis.name, reference));
  if (finding.matters) return std::string();
  if (!finding.tried) {
    return fmt::format(
        "axis '{}' is never larger than 1 or never another: give it more sizes in "
        "task.toml, [axes.{}]",
        axis.name, axis.name);
  }
  if (inputs.empty()) {
    return fmt::format("axis '{}' is in no tensor and its size changes no output: remove it",
                       axis.name);
  }
  return fmt::format(
      "axis '{}': what {} beyond its first index changes no output in any case: "
      "reference.cpp does not go along it",
      axis.name, Join(inputs, " and ") + (inputs.size() == 1 ? " holds" : " hold"));
}

}  // namespace

Result<CheckStep> CheckInputsMatter(const Task& task, const std::vector<CheckedCase>& cases,
                                    Reference& reference) {
  CheckStep step{State::kOk, "every input matters", ""};
  std::vector<std::string> faults;
  for (size_t i = 0; i < task.inputs.size(); ++i) {
    KW_ASSIGN(const bool matters, InputMatters(task, cases, i, reference));
    if (matters) continue;
    faults.push_back(
        fmt::format("input '{}' changes no output in any case: reference.cpp ignores "
                    "it, or the schema never draws values that matter",
                    task.inputs[i].name));
  }
  if (!faults.empty()) return CheckStep{State::kFailed, step.name, Join(faults, "; ")};
  step.text = fmt::format("{} of them", task.inputs.size());
  return step;
}

Result<CheckStep> CheckAxesMatter(const Task& task, const std::vector<CheckedCase>& cases,
                                  Reference& reference) {
  CheckStep step{State::kOk, "every axis matters", ""};
  std::vector<std::string> faults;
  for (const Axis& axis : task.axes) {
    KW_ASSIGN(std::string fault, FaultOfAxis(task, cases, axis, reference));
    if (!fault.empty()) faults.push_back(std::move(fault));
  }
  if (!faults.empty()) return CheckStep{State::kFailed, step.name, Join(faults, "; ")};
  step.text = fmt::format("{} of them", task.axes.size());
  return step;
}

}  // namespace kw::eval
