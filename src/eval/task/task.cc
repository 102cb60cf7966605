#include "kw/eval/task.h"

#include "fmt/core.h"
#include "kw/base/text.h"
#include "parse.h"

namespace kw::eval {

const Axis* Task::FindAxis(std::string_view axis) const {
  for (const Axis& candidate : axes) {
    if (candidate.name == axis) return &candidate;
  }
  return nullptr;
}

Result<std::map<std::string, int64_t>> Task::AllAxes(
    const std::map<std::string, int64_t>& var) const {
  std::map<std::string, int64_t> all;
  for (const Axis& axis : axes) {
    if (!axis.is_var) {
      all[axis.name] = axis.value;
      continue;
    }
    const auto found = var.find(axis.name);
    if (found == var.end()) {
      return Fail(ErrorCode::kInvalid, fmt::format("no size for axis '{}'", axis.name));
    }
    if (found->second < 1 || found->second > kMaxAxisSize) {
      return Fail(ErrorCode::kInvalid, fmt::format("axis '{}' has size {}; it must be 1 to {}",
                                                   axis.name, found->second, kMaxAxisSize));
    }
    all[axis.name] = found->second;
  }
  for (const auto& [name, size] : var) {
    const Axis* const axis = FindAxis(name);
    if (axis == nullptr) {
      return Fail(ErrorCode::kInvalid, UnknownName("axis", name, AxisNames(*this)));
    }
    if (!axis->is_var && axis->value != size) {
      return Fail(ErrorCode::kInvalid,
                  fmt::format("axis '{}' is const {}, not {}", name, axis->value, size));
    }
  }
  return all;
}

double Task::StatedFlops(const std::map<std::string, int64_t>& all_axes) const {
  return cost_flops.empty() ? 0 : EvaluateExpression(cost_flops, all_axes).value_or(0);
}

const std::string& Task::BaselineFor(int sm) const {
  const auto above = baseline_by_sm.upper_bound(sm);
  return above == baseline_by_sm.begin() ? baseline_cu : std::prev(above)->second;
}

Result<int64_t> ElementCount(const Tensor& tensor, const std::map<std::string, int64_t>& axes) {
  int64_t count = 1;
  for (const std::string& name : tensor.shape) {
    const auto found = axes.find(name);
    if (found == axes.end()) {
      return Fail(ErrorCode::kInvalid,
                  fmt::format("tensor '{}': no size for axis '{}'", tensor.name, name));
    }
    if (found->second < 1) {
      return Fail(ErrorCode::kInvalid, fmt::format("tensor '{}': axis '{}' has size {}",
                                                   tensor.name, name, found->second));
    }
    if (found->second > kMaxElements / count) {
      return Fail(ErrorCode::kLimit,
                  fmt::format("tensor '{}' has more than 2^40 elements", tensor.name));
    }
    count *= found->second;
  }
  return count;
}

Result<int64_t> TotalElements(const Task& task, const std::map<std::string, int64_t>& axes) {
  int64_t total = 0;
  for (const std::vector<Tensor>* tensors : {&task.inputs, &task.outputs}) {
    for (const Tensor& tensor : *tensors) {
      KW_ASSIGN(const int64_t count, ElementCount(tensor, axes));
      total += count;
    }
  }
  return total;
}

bool IsTaskName(std::string_view name) {
  if (name.empty() || name.size() > 128 || name[0] == '.') return false;
  for (const char c : name) {
    const bool good =
        (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
    if (!good) return false;
  }
  return true;
}

bool IsIdentifier(std::string_view name) {
  if (name.empty() || name.size() > 128 || (name[0] >= '0' && name[0] <= '9')) return false;
  for (const char c : name) {
    const bool good =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    if (!good) return false;
  }
  return true;
}

std::vector<std::string> AxisNames(const Task& task) {
  std::vector<std::string> names;
  for (const Axis& axis : task.axes) names.push_back(axis.name);
  return names;
}

std::vector<std::string> InputNames(const Task& task) {
  std::vector<std::string> names;
  for (const Tensor& input : task.inputs) names.push_back(input.name);
  return names;
}

Tensor* FindTensor(std::vector<Tensor>& tensors, std::string_view name) {
  for (Tensor& tensor : tensors) {
    if (tensor.name == name) return &tensor;
  }
  return nullptr;
}

}  // namespace kw::eval
