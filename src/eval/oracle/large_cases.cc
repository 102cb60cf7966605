// Shapes too large to be checked as a whole, and smaller ones that stand in for them.
#include <algorithm>
#include <cmath>

#include "kw/eval/oracle.h"

namespace kw::eval {
namespace {

// What a call may cost: the emulator runs some billion operations a second, the reference less, and
// a verdict makes several calls at each shape.
constexpr double kMostFlopsACall = 4e8;
constexpr double kMostElementsACall = 3e7;
// Tiles are of 16 to 128 elements a side as a rule: what is left over at an edge stays as it is.
constexpr int64_t kResidues = 128;

int64_t Shrunk(int64_t size, double factor) {
  const int64_t rest = size % kResidues, whole = size / kResidues;
  if (whole <= 1) return size;
  const auto kept = static_cast<int64_t>(std::floor(static_cast<double>(whole) * factor));
  return std::max<int64_t>(kept, 1) * kResidues + rest;
}

}  // namespace

bool FitsInFull(const Task& task, const std::map<std::string, int64_t>& var) {
  const auto axes = task.AllAxes(var);
  if (!axes) return true;  // whoever calls it will say what is wrong
  const auto elements = TotalElements(task, *axes);
  if (!elements || static_cast<double>(*elements) > kMostElementsACall) return false;
  return task.StatedFlops(*axes) <= kMostFlopsACall;
}

std::optional<Case> ScaledCase(const Task& task, const Case& c) {
  Case scaled = c;
  scaled.id = c.id + "/scaled";
  for (double factor = 1; factor > 1e-4; factor *= 0.95) {
    for (auto& [axis, size] : scaled.axes) size = Shrunk(c.axes.at(axis), factor);
    if (!FitsInFull(task, scaled.axes)) continue;
    const auto axes = task.AllAxes(scaled.axes);
    if (!axes) return std::nullopt;
    const auto admitted = SatisfiesConstraints(task, *axes);
    if (admitted && *admitted) return scaled;
  }
  return std::nullopt;
}

}  // namespace kw::eval
