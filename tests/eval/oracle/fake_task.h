// Tasks made in memory, and the seams' fakes: a session that computes on the CPU with a chosen
// fault, and a reference that calls a function.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "kw/eval/oracle.h"

namespace kw::eval {

inline Tensor TensorOf(std::string name, std::vector<std::string> shape,
                       DType dtype = DType::kFloat32) {
  Tensor tensor;
  tensor.name = std::move(name);
  tensor.dtype = dtype;
  tensor.shape = std::move(shape);
  return tensor;
}

inline Tensor ScalarOf(std::string name, DType dtype = DType::kFloat32) {
  Tensor tensor;
  tensor.name = std::move(name);
  tensor.dtype = dtype;
  tensor.is_scalar = true;
  return tensor;
}

inline Axis VarAxis(std::string name, std::vector<int64_t> sizes = {}) {
  Axis axis;
  axis.name = std::move(name);
  axis.is_var = true;
  axis.sizes = std::move(sizes);
  return axis;
}

// y[rows, cols] = 2 * x[rows, cols]
inline Task DoubleTask() {
  Task task;
  task.name = "double";
  task.hash = "hash of double";
  task.axes = {VarAxis("rows", {1, 3, 7}), VarAxis("cols", {1, 31, 32, 33, 100})};
  task.inputs = {TensorOf("x", {"rows", "cols"})};
  task.outputs = {TensorOf("y", {"rows", "cols"})};
  task.tolerance[DType::kFloat32] = {1e-6, 1e-6};
  task.reference_cpp = R"(#include <cstdint>
extern "C" void reference(const double* x, double* y, int64_t rows, int64_t cols) {
  for (int64_t i = 0; i < rows * cols; ++i) y[i] = 2 * x[i];
})";
  return task;
}

inline std::vector<float> FloatsOf(const std::string& bytes) {
  std::vector<float> values(bytes.size() / 4);
  std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char*>(values.data()));
  return values;
}
inline std::string BytesOf(const std::vector<float>& values) {
  return std::string(reinterpret_cast<const char*>(values.data()), values.size() * 4);
}

// DoubleTask's kernel, and what a test changes about it.
class FakeSession : public Session {
 public:
  // May change the outcome of call number `calls()`.
  std::function<void(CallOutcome&, const CallRequest&)> fault;

  Result<CallOutcome> Call(const CallRequest& request) override {
    requests.push_back(request);
    CallOutcome outcome;
    std::vector<float> values = FloatsOf(request.arguments[0].bytes);
    for (float& value : values) value *= 2;
    outcome.outputs = {BytesOf(values)};
    outcome.output_written = {true};
    if (fault) fault(outcome, request);
    return outcome;
  }

  std::vector<CallRequest> requests;
};

// DoubleTask's reference.
class FakeReference : public Reference {
 public:
  Result<std::shared_ptr<const Expected>> Evaluate(const Task& task, const Case& c) override {
    ++evaluations;
    if (error) return Fail(*error);
    KW_ASSIGN(Expected expected, EvaluateOn(task, c, *GenerateInputs(task, c)));
    return std::make_shared<const Expected>(std::move(expected));
  }

  Result<Expected> EvaluateOn(const Task&, const Case&, const CaseInputs& inputs) override {
    Expected expected;
    expected.floats.emplace_back();
    for (const float value : FloatsOf(inputs.tensors[0])) {
      expected.floats[0].push_back(2.0 * value);
    }
    expected.integers.emplace_back();
    return expected;
  }

  Result<std::vector<std::vector<double>>> Sensitivity(const Task& task, const Case& c) override {
    if (sensitivity == 0) return std::vector<std::vector<double>>{};
    const size_t count = (*Evaluate(task, c))->floats[0].size();
    return std::vector<std::vector<double>>{std::vector<double>(count, sensitivity)};
  }

  double sensitivity = 0;  // of every element
  std::optional<Error> error;
  int evaluations = 0;
};

inline Case CaseOf(std::map<std::string, int64_t> axes, std::string group = "original") {
  Case c;
  c.id = "c03";
  c.seed = 7;
  c.axes = std::move(axes);
  c.group = std::move(group);
  return c;
}

}  // namespace kw::eval
