// Comparison that asks how sensitive elements are only when some of them fail.
#pragma once

#include <functional>

#include "kw/eval/oracle.h"

namespace kw::eval {

// How many times its sensitivity an element may be off: rounding errors of a few operations, where
// the sensitivity is that of one.
inline constexpr double kSlackFactor = 8;

// What the task allows for outputs of a float dtype.
Tolerance ToleranceOf(const Task& task, DType dtype);

// The values with a few times their sensitivity (Reference::Sensitivity) as slack.
Expected WithSlack(Expected expected, std::vector<std::vector<double>> sensitivity);

using SensitivitySource = std::function<Result<std::vector<std::vector<double>>>()>;

// Where elements fail, each is allowed a few times its sensitivity: an ill-conditioned element is
// never held against a kernel.
[[nodiscard]] Result<Comparison> CompareLeniently(const Task& task, const Case& c,
                                                  const std::vector<std::string>& outputs,
                                                  const Expected& expected,
                                                  const SensitivitySource& sensitivity);

}  // namespace kw::eval
