// The shapes that a task admits.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "kw/base/random.h"
#include "kw/eval/task.h"

namespace kw::eval {

using Sizes = std::map<std::string, int64_t>;

// A case runs twice on an emulator: one of a million elements would cost more than all others.
inline constexpr double kMaxElements = 66'000;  // of one tensor
inline constexpr double kMaxFlops = 6e6;
inline constexpr int kShapeAttempts = 400;  // at a shape that the constraints admit

// All axes, const ones too, or nothing when a constraint refuses the sizes.
std::optional<Sizes> AdmittedAxes(const Task& task, const Sizes& sizes);

// Elements of all tensors: what a call costs is near enough in proportion. Nothing for sizes that
// are refused.
std::optional<double> ElementsAt(const Task& task, const Sizes& sizes);

// Constraints "axis == expression" say what to choose.
class Equalities {
 public:
  explicit Equalities(const Task& task);
  // The sizes with those axes as the others demand.
  Sizes Applied(Sizes sizes) const;

 private:
  const Task& task_;
  std::vector<std::pair<std::string, std::string>> equalities_;
};

// Finds shapes for one task: within the caps, and as its constraints demand.
class ShapeFinder {
 public:
  // The caps above are multiplied by `cap_factor`.
  ShapeFinder(const Task& task, Random random, double cap_factor);

  const std::vector<std::string>& names() const { return names_; }
  // The sizes to try of an axis, sorted: the task's own, or boundaries.
  const std::vector<int64_t>& list(size_t axis) const { return lists_[axis]; }
  Random& random() { return random_; }

  // False when the sizes are refused by a constraint or a cap.
  bool Admits(const Sizes& sizes) const;
  // Sizes as wished for, where `pinned` keeps its own as long as any others go with it.
  std::optional<Sizes> Near(Sizes wished, size_t pinned);
  int64_t Listed(size_t axis);
  // Between the axis's bounds, small sizes as often as large ones; now and then a multiple of what
  // constraints like to ask for.
  int64_t Uniform(size_t axis);

 private:
  bool IsSmall(const Sizes& all) const;
  Sizes Shrunk(Sizes sizes, size_t pinned) const;

  const Task& task_;
  Random random_;
  double cap_factor_;
  Equalities equalities_;
  std::vector<std::string> names_;
  std::vector<std::vector<int64_t>> lists_;
};

}  // namespace kw::eval
