#include "shapes.h"

#include <algorithm>
#include <cmath>

#include "kw/base/text.h"

namespace kw::eval {
namespace {

constexpr int64_t kBoundaries[] = {1,   2,   3,   7,   31,  32,  33,  63,   64,   65,
                                   127, 128, 129, 255, 256, 257, 999, 1000, 1023, 1025};

bool IsVarAxis(const Task& task, const std::string& name) {
  const Axis* axis = task.FindAxis(name);
  return axis != nullptr && axis->is_var;
}

}  // namespace

std::optional<Sizes> AdmittedAxes(const Task& task, const Sizes& sizes) {
  Result<Sizes> all = task.AllAxes(sizes);
  if (!all) return std::nullopt;
  Result<bool> satisfied = SatisfiesConstraints(task, *all);
  if (!satisfied || !*satisfied) return std::nullopt;
  return *std::move(all);
}

std::optional<double> ElementsAt(const Task& task, const Sizes& sizes) {
  const std::optional<Sizes> all = AdmittedAxes(task, sizes);
  if (!all) return std::nullopt;
  const Result<int64_t> total = TotalElements(task, *all);
  if (!total) return std::nullopt;
  return static_cast<double>(*total);
}

Equalities::Equalities(const Task& task) : task_(task) {
  for (const std::string& constraint : task.constraints) {
    const size_t at = constraint.find("==");
    if (at == std::string::npos || constraint.find("==", at + 2) != std::string::npos) continue;
    const std::string left(Trim(std::string_view(constraint).substr(0, at)));
    const std::string right(Trim(std::string_view(constraint).substr(at + 2)));
    if (IsVarAxis(task, left)) {
      equalities_.emplace_back(left, right);
    } else if (IsVarAxis(task, right)) {
      equalities_.emplace_back(right, left);
    }
  }
}

Sizes Equalities::Applied(Sizes sizes) const {
  for (const auto& [axis, expression] : equalities_) {
    Result<Sizes> all = task_.AllAxes(sizes);
    if (!all) continue;
    Result<double> value = EvaluateExpression(expression, *all);
    if (value && *value >= 1 && *value == std::floor(*value) && *value < 1e12) {
      sizes[axis] = static_cast<int64_t>(*value);
    }
  }
  return sizes;
}

ShapeFinder::ShapeFinder(const Task& task, Random random, double cap_factor)
    : task_(task), random_(random), cap_factor_(cap_factor), equalities_(task) {
  for (const Axis& axis : task.axes) {
    if (!axis.is_var) continue;
    std::vector<int64_t> sizes = axis.sizes;
    if (sizes.empty()) sizes.assign(std::begin(kBoundaries), std::end(kBoundaries));
    std::sort(sizes.begin(), sizes.end());
    sizes.erase(std::unique(sizes.begin(), sizes.end()), sizes.end());
    names_.push_back(axis.name);
    lists_.push_back(std::move(sizes));
  }
}

bool ShapeFinder::Admits(const Sizes& sizes) const {
  const std::optional<Sizes> all = AdmittedAxes(task_, sizes);
  return all && IsSmall(*all);
}

std::optional<Sizes> ShapeFinder::Near(Sizes wished, size_t pinned) {
  for (int attempt = 0; attempt < kShapeAttempts; ++attempt) {
    Sizes sizes = Shrunk(equalities_.Applied(wished), pinned);
    if (Admits(sizes)) return sizes;
    // After half of the attempts the pinned axis gives way too.
    for (size_t axis = 0; axis < names_.size(); ++axis) {
      if (axis == pinned && attempt < kShapeAttempts / 2) continue;
      wished[names_[axis]] = attempt % 2 == 0 ? Listed(axis) : Uniform(axis);
    }
  }
  return std::nullopt;
}

int64_t ShapeFinder::Listed(size_t axis) {
  return lists_[axis][random_.Below(lists_[axis].size())];
}

int64_t ShapeFinder::Uniform(size_t axis) {
  const auto low = static_cast<double>(lists_[axis].front());
  const auto high = static_cast<double>(lists_[axis].back());
  const auto size = static_cast<int64_t>(low * std::pow(high / low, random_.Uniform()));
  constexpr int64_t kMultiples[] = {1, 1, 1, 2, 4, 8, 16, 32, 64, 128};
  const int64_t multiple = kMultiples[random_.Below(std::size(kMultiples))];
  return std::max(multiple, size / multiple * multiple);
}

bool ShapeFinder::IsSmall(const Sizes& all) const {
  const auto fits = [&](const Tensor& tensor) {
    Result<int64_t> count = ElementCount(tensor, all);
    return count && static_cast<double>(*count) <= kMaxElements * cap_factor_;
  };
  if (!std::all_of(task_.inputs.begin(), task_.inputs.end(), fits)) return false;
  if (!std::all_of(task_.outputs.begin(), task_.outputs.end(), fits)) return false;
  return task_.StatedFlops(all) <= kMaxFlops * cap_factor_;
}

// Makes the largest axis but the pinned one smaller until the caps hold; the pinned one last.
Sizes ShapeFinder::Shrunk(Sizes sizes, size_t pinned) const {
  while (true) {
    Result<Sizes> all = task_.AllAxes(sizes);
    if (!all || IsSmall(*all)) return sizes;
    size_t largest = names_.size();
    for (size_t axis = 0; axis < names_.size(); ++axis) {
      if (axis == pinned || sizes[names_[axis]] <= lists_[axis].front()) continue;
      if (largest == names_.size() || sizes[names_[axis]] > sizes[names_[largest]]) {
        largest = axis;
      }
    }
    if (largest == names_.size()) {
      if (pinned >= names_.size() || sizes[names_[pinned]] <= lists_[pinned].front()) {
        return sizes;
      }
      largest = pinned;
    }
    int64_t& size = sizes[names_[largest]];
    const auto above = std::lower_bound(lists_[largest].begin(), lists_[largest].end(), size);
    size = *std::prev(above);
  }
}

}  // namespace kw::eval
