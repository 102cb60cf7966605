#include <fmt/format.h>

#include <algorithm>

#include "kw/eval/oracle.h"
#include "value_types.h"

namespace kw::eval {
namespace {

const Tensor* FindTensor(const std::vector<Tensor>& tensors, size_t index) {
  return index < tensors.size() ? &tensors[index] : nullptr;
}

// A kernel whose tiles hardly fit a shape takes hundreds of instructions for an operation that
// counts, and is right all the same.
uint64_t BudgetOf(const Task& task, const std::map<std::string, int64_t>& axes) {
  constexpr double kLeast = 2e9, kMost = 8e9, kInstructionsAFlop = 1000;
  return static_cast<uint64_t>(
      std::min(kLeast + kInstructionsAFlop * task.StatedFlops(axes), kMost));
}

}  // namespace

Result<CallRequest> MakeCall(const Task& task, const Case& c, const CaseInputs& inputs) {
  KW_ASSIGN(const auto axes, task.AllAxes(c.axes));
  CallRequest request;
  request.seed = c.seed;
  request.lane_instruction_budget = BudgetOf(task, axes);
  std::vector<int64_t> sizes;  // of the axes that are passed
  for (const Axis& var : task.axes) {
    if (var.is_var) sizes.push_back(axes.at(var.name));
  }
  size_t input = 0, output = 0, axis = 0;
  for (const Parameter& parameter : CandidateParameters(task)) {
    CallArgument argument;
    argument.parameter = parameter;
    switch (parameter.role) {
      case Parameter::Role::kStream:
        continue;
      case Parameter::Role::kInput:
        KW_CHECK(input < inputs.tensors.size(), "contents for every input");
        argument.bytes = inputs.tensors[input++];
        break;
      case Parameter::Role::kScalar: {
        const Tensor* scalar = FindTensor(task.inputs, input++);
        KW_CHECK(scalar != nullptr, "parameters follow the inputs");
        const auto value = c.scalars.find(scalar->name);
        if (value == c.scalars.end()) {
          return Fail(ErrorCode::kInvalid,
                      fmt::format("case {}: no value for scalar '{}'", c.id, scalar->name));
        }
        const double rounded = RoundedTo(scalar->dtype, value->second);
        argument.real = rounded;
        argument.integer = static_cast<int64_t>(rounded);
        break;
      }
      case Parameter::Role::kOutput: {
        const Tensor* tensor = FindTensor(task.outputs, output++);
        KW_CHECK(tensor != nullptr, "parameters follow the outputs");
        KW_ASSIGN(const int64_t count, ElementCount(*tensor, axes));
        argument.output_bytes =
            static_cast<uint64_t>(count) * static_cast<uint64_t>(DTypeBytes(tensor->dtype));
        break;
      }
      case Parameter::Role::kAxis:
        KW_CHECK(axis < sizes.size(), "axis parameters follow the axes");
        argument.integer = sizes[axis++];
        break;
    }
    request.arguments.push_back(std::move(argument));
  }
  return request;
}

}  // namespace kw::eval
