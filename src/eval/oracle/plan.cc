#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "kw/base/hash.h"
#include "kw/base/random.h"
#include "kw/base/text.h"
#include "kw/eval/oracle.h"
#include "shapes.h"
#include "value_types.h"

namespace kw::eval {
namespace {

template <class T>
void Shuffle(std::vector<T>& items, size_t from, Random& random) {
  for (size_t i = items.size(); i > from + 1; --i) {
    std::swap(items[i - 1], items[from + random.Below(i - from)]);
  }
}

// Largest, smallest, then the others in a seeded order.
std::vector<int64_t> BoundaryOrder(const std::vector<int64_t>& sorted, Random& random) {
  std::vector<int64_t> order = {sorted.back()};
  if (sorted.size() > 1) order.push_back(sorted.front());
  for (size_t i = 1; i + 1 < sorted.size(); ++i) order.push_back(sorted[i]);
  Shuffle(order, 2, random);
  return order;
}

// The sizes of each axis that no shape has.
std::vector<std::pair<size_t, int64_t>> Unmet(const ShapeFinder& finder,
                                              const std::vector<Sizes>& shapes) {
  std::vector<std::pair<size_t, int64_t>> unmet;
  for (size_t axis = 0; axis < finder.names().size(); ++axis) {
    for (const int64_t size : finder.list(axis)) {
      const bool met = std::any_of(shapes.begin(), shapes.end(), [&](const Sizes& shape) {
        return shape.at(finder.names()[axis]) == size;
      });
      if (!met) unmet.emplace_back(axis, size);
    }
  }
  return unmet;
}

// Every size of every axis at least once, as far as `count` reaches: all axes walk through their
// sizes at the same time, out of step with each other; what the caps cut off comes after.
std::vector<Sizes> BoundaryShapes(ShapeFinder& finder, size_t count) {
  const size_t axes = finder.names().size();
  std::vector<std::vector<int64_t>> orders;
  size_t longest = 1;
  for (size_t axis = 0; axis < axes; ++axis) {
    orders.push_back(BoundaryOrder(finder.list(axis), finder.random()));
    longest = std::max(longest, orders.back().size());
  }
  std::vector<Sizes> shapes;
  for (size_t i = 0; i < std::min(count, longest); ++i) {
    Sizes wished;
    for (size_t axis = 0; axis < axes; ++axis) {
      wished[finder.names()[axis]] = orders[axis][(i + axis) % orders[axis].size()];
    }
    if (auto shape = finder.Near(wished, axes == 0 ? 0 : i % axes)) shapes.push_back(*shape);
  }
  for (const auto& [pinned, size] : Unmet(finder, shapes)) {
    if (shapes.size() >= count) break;
    Sizes wished;
    for (size_t axis = 0; axis < axes; ++axis) {
      wished[finder.names()[axis]] = axis == pinned ? size : finder.Listed(axis);
    }
    auto shape = finder.Near(wished, pinned);
    if (shape && shape->at(finder.names()[pinned]) == size) shapes.push_back(*shape);
  }
  return shapes;
}

using Pair = std::pair<std::pair<std::string, int64_t>, std::pair<std::string, int64_t>>;
std::set<Pair> PairsOf(const Sizes& sizes) {
  std::set<Pair> pairs;
  for (auto a = sizes.begin(); a != sizes.end(); ++a) {
    for (auto b = std::next(a); b != sizes.end(); ++b) pairs.insert({*a, *b});
  }
  return pairs;
}

// Every two listed sizes of different axes that no shape has yet.
std::vector<Pair> UnmetPairs(const ShapeFinder& finder, const std::set<Pair>& seen) {
  std::set<Pair> all;
  for (size_t a = 0; a < finder.names().size(); ++a) {
    for (size_t b = a + 1; b < finder.names().size(); ++b) {
      for (const int64_t first : finder.list(a)) {
        for (const int64_t second : finder.list(b)) {
          all.merge(PairsOf({{finder.names()[a], first}, {finder.names()[b], second}}));
        }
      }
    }
  }
  std::vector<Pair> unmet;
  std::set_difference(all.begin(), all.end(), seen.begin(), seen.end(), std::back_inserter(unmet));
  return unmet;
}

// Of several shapes with this pair of sizes, the one with the most pairs not seen yet; nothing
// where the constraints and caps seem to admit none.
std::optional<Sizes> PairShape(ShapeFinder& finder, const Pair& pair, const std::set<Pair>& seen) {
  constexpr size_t kCandidates = 12, kMisses = 4;
  std::optional<Sizes> best;
  size_t best_fresh = 0;
  for (size_t i = 0; i < kCandidates && (best || i < kMisses); ++i) {
    Sizes wished;
    size_t ends[2] = {0, 0};
    for (size_t axis = 0; axis < finder.names().size(); ++axis) {
      const std::string& name = finder.names()[axis];
      wished[name] = finder.Listed(axis);
      if (name == pair.first.first) ends[0] = axis;
      if (name == pair.second.first) ends[1] = axis;
    }
    wished[pair.first.first] = pair.first.second;
    wished[pair.second.first] = pair.second.second;
    std::optional<Sizes> shape = finder.Near(wished, ends[i % 2]);
    if (!shape) continue;
    const std::set<Pair> pairs = PairsOf(*shape);
    if (!pairs.contains(pair)) continue;
    const auto fresh = static_cast<size_t>(std::count_if(
        pairs.begin(), pairs.end(), [&](const Pair& other) { return !seen.contains(other); }));
    if (!best || fresh > best_fresh) {
      best = std::move(shape);
      best_fresh = fresh;
    }
  }
  return best;
}

// Pairwise covering, greedily, as far as `count` reaches: each shape has a pair that none before it
// has, and as many others as can be.
std::vector<Sizes> PairShapes(ShapeFinder& finder, const std::vector<Sizes>& before, size_t count) {
  std::set<Pair> seen;
  for (const Sizes& shape : before) seen.merge(PairsOf(shape));
  std::vector<Pair> unmet = UnmetPairs(finder, seen);
  Shuffle(unmet, 0, finder.random());
  std::vector<Sizes> shapes;
  for (const Pair& pair : unmet) {
    if (shapes.size() >= count) break;
    if (seen.contains(pair)) continue;
    if (std::optional<Sizes> shape = PairShape(finder, pair, seen)) {
      seen.merge(PairsOf(*shape));
      shapes.push_back(*std::move(shape));
    }
  }
  return shapes;
}

std::optional<Sizes> RandomShape(ShapeFinder& finder) {
  Sizes wished;
  for (size_t axis = 0; axis < finder.names().size(); ++axis) {
    wished[finder.names()[axis]] = finder.Uniform(axis);
  }
  const size_t pinned = finder.names().empty() ? 0 : finder.random().Below(finder.names().size());
  return finder.Near(wished, pinned);
}

std::map<std::string, double> DrawScalars(const Task& task, Random& random) {
  std::map<std::string, double> scalars;
  for (const Tensor& input : task.inputs) {
    if (!input.is_scalar) continue;
    double value = 0;
    if (!input.values.empty()) {
      value = input.values[random.Below(input.values.size())];
    } else if (input.range) {
      value = input.range->first + (input.range->second - input.range->first) * random.Uniform();
      if (!IsFloat(input.dtype)) {
        value = std::clamp(std::round(value), std::ceil(input.range->first),
                           std::floor(input.range->second));
      }
    } else if (input.dtype == DType::kBool) {
      value = random.Chance(0.5) ? 1 : 0;
    } else if (!IsFloat(input.dtype)) {
      value = static_cast<double>(1 + random.Below(8));
    } else {
      value = 0.5 + random.Uniform();
    }
    scalars[input.name] = RoundedTo(input.dtype, value);
  }
  return scalars;
}

bool HasGroups(const Task& task) {
  return std::any_of(task.inputs.begin(), task.inputs.end(),
                     [](const Tensor& input) { return !input.is_scalar && IsFloat(input.dtype); });
}

// "original" first, then each group in turn, in a seeded order.
std::vector<std::string> GroupOrder(const Task& task, Random& random) {
  if (!HasGroups(task)) return {"original"};
  std::vector<std::string> groups = ValueGroups(task);
  Shuffle(groups, 1, random);
  return groups;
}

std::vector<Sizes> PlanShapes(const Task& task, ShapeFinder& finder, size_t wanted) {
  // A quarter is left for pairs and random sizes.
  std::vector<Sizes> shapes = BoundaryShapes(finder, wanted - wanted / 4);
  std::set<Sizes> known(shapes.begin(), shapes.end());
  for (const Workload& workload : task.workloads) {
    if (shapes.size() >= wanted - wanted / 8 || !finder.Admits(workload.axes)) continue;
    if (known.insert(workload.axes).second) shapes.push_back(workload.axes);
  }
  const size_t random = std::max<size_t>(1, wanted / 8);
  const size_t pairs = wanted - std::min(wanted, shapes.size() + random);
  for (Sizes& shape : PairShapes(finder, shapes, pairs)) shapes.push_back(std::move(shape));
  while (shapes.size() < wanted) {
    std::optional<Sizes> shape = RandomShape(finder);
    if (!shape) break;
    shapes.push_back(*std::move(shape));
  }
  return shapes;
}

}  // namespace

uint64_t FuzzSeed(uint64_t run_seed, const Task& task) {
  return DeriveSeed(run_seed, "fuzz/" + task.hash);
}

Result<std::vector<Case>> PlanCases(const Task& task, uint64_t seed, int count) {
  if (count < 1) return Fail(ErrorCode::kInvalid, "a plan needs at least one case");
  const auto wanted = static_cast<size_t>(count);
  std::vector<Sizes> shapes;
  double cap_factor = 1;
  // Where const axes alone are beyond the caps, larger cases are better than none.
  for (; shapes.empty() && cap_factor <= 512; cap_factor *= 8) {
    ShapeFinder finder(task, Random(DeriveSeed(seed, "plan/shapes")), cap_factor);
    shapes = PlanShapes(task, finder, wanted);
  }
  if (shapes.empty()) {
    return Fail(ErrorCode::kInvalid,
                fmt::format("task '{}': no shape of at most {:.0f} elements a tensor satisfies its "
                            "constraints ({})",
                            task.name, kMaxElements * 512, Join(task.constraints, "; ")));
  }
  // A kernel that is wrong nearly everywhere is best shown where rows and columns tell it apart.
  std::stable_partition(shapes.begin(), shapes.end(), [](const Sizes& shape) {
    return std::none_of(shape.begin(), shape.end(),
                        [](const auto& axis) { return axis.second < 3; });
  });
  Random random(DeriveSeed(seed, "plan/values"));
  std::vector<std::string> groups = GroupOrder(task, random);
  std::vector<Case> cases;
  for (size_t i = 0; i < wanted; ++i) {
    // Another round meets other sizes.
    if (i > 0 && i % groups.size() == 0) Shuffle(groups, 0, random);
    Case c;
    c.id = fmt::format("c{:02}", i);
    c.seed = DeriveSeed(seed, "case/" + c.id);
    c.axes = shapes[i % shapes.size()];
    c.group = groups[i % groups.size()];
    c.scalars = DrawScalars(task, random);
    cases.push_back(std::move(c));
  }
  return cases;
}

std::optional<Case> UntimedCase(const Task& task, uint64_t seed) {
  Sizes low, high;
  double largest = 0;
  for (const Workload& workload : task.workloads) {
    for (const auto& [axis, size] : workload.axes) {
      const auto [at, fresh] = low.emplace(axis, size);
      if (!fresh) at->second = std::min(at->second, size);
      high[axis] = std::max(high[axis], size);
    }
    largest = std::max(largest, ElementsAt(task, workload.axes).value_or(0));
  }
  Random random(DeriveSeed(seed, "untimed"));
  std::optional<Case> best;
  double best_elements = 0;
  for (int attempt = 0; attempt < kShapeAttempts; ++attempt) {
    Case c;
    for (const auto& [axis, least] : low) {
      // An axis that all workloads have alike varies downwards.
      const int64_t most = high[axis],
                    from = least == most ? std::max<int64_t>(1, most / 2) : least;
      c.axes[axis] =
          from + static_cast<int64_t>(random.Below(static_cast<uint64_t>(most - from + 1)));
    }
    const std::optional<double> size = ElementsAt(task, c.axes);
    const bool timed = std::any_of(task.workloads.begin(), task.workloads.end(),
                                   [&](const Workload& w) { return w.axes == c.axes; });
    if (!size || timed || *size > largest || *size <= best_elements) continue;
    best_elements = *size;
    c.id = "untimed";
    c.seed = DeriveSeed(seed, "untimed/case");
    c.group = "original";
    best = std::move(c);
    // Half as large is large enough.
    if (best_elements * 2 >= largest) break;
  }
  if (best) best->scalars = DrawScalars(task, random);
  return best;
}

std::vector<Case> EnduranceCases(const Task& task, uint64_t seed) {
  constexpr size_t kShapes = 8, kInputsAShape = 2, kDraws = 32;
  constexpr double kTrivial = 64;  // elements of all tensors
  // The caps grow where a task has no shape as small.
  std::vector<Sizes> shapes;
  for (double caps = 1.0 / 256; shapes.empty() && caps <= 512; caps *= 8) {
    ShapeFinder finder(task, Random(DeriveSeed(seed, "endurance/shapes")), caps);
    for (size_t i = 0; i < kDraws && shapes.size() < kShapes; ++i) {
      const std::optional<Sizes> shape = RandomShape(finder);
      const bool known = shape && std::find(shapes.begin(), shapes.end(), *shape) != shapes.end();
      if (shape && !known && ElementsAt(task, *shape).value_or(0) >= kTrivial) {
        shapes.push_back(*shape);
      }
    }
  }
  Random random(DeriveSeed(seed, "endurance/values"));
  std::vector<Case> cases;
  for (size_t i = 0; i < shapes.size() * kInputsAShape; ++i) {
    Case c;
    c.id = fmt::format("endurance-{}", i);
    c.seed = DeriveSeed(seed, c.id);
    c.axes = shapes[i % shapes.size()];
    c.group = "original";
    c.scalars = DrawScalars(task, random);
    cases.push_back(std::move(c));
  }
  return cases;
}

Case SwappedCase(const Case& c) {
  Case swapped = c;
  swapped.id += "-swapped";
  swapped.group = kSwappedGroup;
  return swapped;
}

Case WorkloadCase(const Task& task, const Workload& workload, uint64_t seed) {
  Case c;
  c.id = "w-" + workload.uuid.substr(0, 8);
  c.seed = DeriveSeed(seed, "workload/" + workload.uuid);
  c.axes = workload.axes;
  c.group = "original";
  Random random(DeriveSeed(c.seed, "scalars"));
  c.scalars = DrawScalars(task, random);
  for (const auto& [name, value] : workload.scalars) c.scalars[name] = value;
  return c;
}

}  // namespace kw::eval
