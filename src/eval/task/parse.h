// The parts of loading a task: each reads one file's text into the task, and checks it against
// what the earlier parts have read. Order: definition, settings, workloads.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "kw/eval/task.h"

namespace kw::eval {

inline constexpr int64_t kMaxAxisSize = int64_t{1} << 31;
inline constexpr int64_t kMaxElements = int64_t{1} << 40;
inline constexpr size_t kMaxWorkloads = 10000;
inline constexpr size_t kMaxFuzzSizes = 256;

[[nodiscard]] Result<void> ReadDefinition(std::string_view text, Task& task);  // definition.json
[[nodiscard]] Result<void> ReadSettings(std::string_view text, Task& task);    // task.toml
[[nodiscard]] Result<void> ReadWorkloads(std::string_view text, Task& task);   // workloads.jsonl

// Fails where the text is no expression, or names what is not in `names`.
[[nodiscard]] Result<void> CheckExpression(std::string_view expression,
                                           const std::vector<std::string>& names);
// The constraint is about the values of an input, not about sizes.
bool IsValueConstraint(const Task& task, std::string_view constraint);

bool IsTaskName(std::string_view name);    // [a-z0-9_.-]+, not starting with a dot
bool IsIdentifier(std::string_view name);  // of C
std::vector<std::string> AxisNames(const Task& task);
std::vector<std::string> InputNames(const Task& task);
Tensor* FindTensor(std::vector<Tensor>& tensors, std::string_view name);

// `value` can be held by the dtype: an integer for integers, 0 or 1 for bool, within its range.
[[nodiscard]] Result<void> CheckValue(DType dtype, double value, std::string_view where);
double LowestValue(DType dtype);
double HighestValue(DType dtype);

}  // namespace kw::eval
