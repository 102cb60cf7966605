// How many attempts a method makes at a task: samples = parallel x iterations.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "kw/base/error.h"

namespace kw {

std::vector<std::string> MethodNames();

struct SamplePlan {
  int samples = 1, parallel = 1, iterations = 1;
};
// Fills in what is not given, as the method means it: best_of_n is all parallel; refine and metr
// run one chain unless told otherwise, four long when nothing says how long. kInvalid when three
// disagree, or do not divide, or do not fit the method.
[[nodiscard]] Result<SamplePlan> PlanSamples(const std::string& method, std::optional<int> samples,
                                             std::optional<int> parallel,
                                             std::optional<int> iterations);

}  // namespace kw
