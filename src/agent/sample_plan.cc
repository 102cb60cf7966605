#include "sample_plan.h"

#include <fmt/format.h>

#include <cstdint>

namespace kw {
namespace {

constexpr int kDefaultSamples = 4;
constexpr int64_t kMostSamples = 1'000'000;

}  // namespace

std::vector<std::string> MethodNames() { return {"base", "best_of_n", "refine", "metr"}; }

Result<SamplePlan> PlanSamples(const std::string& method, std::optional<int> samples,
                               std::optional<int> parallel, std::optional<int> iterations) {
  if (method == "base") {
    if (samples.value_or(1) != 1 || parallel.value_or(1) != 1 || iterations.value_or(1) != 1) {
      return Fail(ErrorCode::kInvalid,
                  "method.name = 'base' makes one attempt at a task: leave out method.samples, "
                  "method.parallel and method.iterations, or choose another method");
    }
    return SamplePlan{};
  }
  if (method == "best_of_n") {
    if (iterations.value_or(1) != 1) {
      return Fail(ErrorCode::kInvalid,
                  "method.name = 'best_of_n' makes independent attempts: method.iterations must be "
                  "1 (refine and metr iterate)");
    }
    iterations = 1;
    if (!samples && !parallel) samples = kDefaultSamples;
  } else if (!samples && !iterations) {
    iterations = kDefaultSamples;
  }
  if (samples && !parallel && !iterations) parallel = 1;
  if (!samples && !parallel) parallel = 1;

  if (samples && parallel && iterations) {
    if (static_cast<int64_t>(*parallel) * *iterations != *samples) {
      return Fail(ErrorCode::kInvalid,
                  fmt::format("method.samples = {} is not method.parallel x method.iterations = "
                              "{} x {}: leave one of them out",
                              *samples, *parallel, *iterations));
    }
    return SamplePlan{*samples, *parallel, *iterations};
  }
  if (!samples) {
    int64_t product = static_cast<int64_t>(*parallel) * *iterations;
    if (product > kMostSamples) {
      return Fail(ErrorCode::kInvalid, fmt::format("method.parallel x method.iterations = {} "
                                                   "attempts a task is more than {}",
                                                   product, kMostSamples));
    }
    return SamplePlan{static_cast<int>(product), *parallel, *iterations};
  }
  int known = parallel ? *parallel : *iterations;
  if (*samples % known != 0) {
    return Fail(ErrorCode::kInvalid,
                fmt::format("method.samples = {} is no multiple of method.{} = {}", *samples,
                            parallel ? "parallel" : "iterations", known));
  }
  int other = *samples / known;
  return parallel ? SamplePlan{*samples, known, other} : SamplePlan{*samples, other, known};
}

}  // namespace kw
