// What some blocks of a large launch stored, against a reference for those elements alone.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "compare.h"
#include "kw/base/hash.h"
#include "slice.h"
#include "value_types.h"

namespace kw::eval {
namespace {

// What the reference may be asked for.
constexpr double kMostFlops = 1e9;
constexpr size_t kMostBoxes = 2000;
constexpr size_t kMostPoints = 16'000'000;

// The grid of a task's separable axes at a shape, row-major.
struct TensorGrid {
  std::vector<std::string> names;
  std::vector<int64_t> sizes;
  uint64_t Stride(const std::string& name) const {
    uint64_t stride = 1;
    for (size_t i = names.size(); i-- > 0; stride *= static_cast<uint64_t>(sizes[i])) {
      if (names[i] == name) return stride;
    }
    return 0;
  }
};

// The points of the grid that elements of an output lie at.
void AddPoints(const Tensor& output, const std::map<std::string, int64_t>& axes,
               const TensorGrid& grid, const std::string& stored, std::vector<uint64_t>& points) {
  struct Step {
    uint64_t size, stride;
  };
  std::vector<Step> steps;  // the last axis first
  for (size_t axis = output.shape.size(); axis-- > 0;) {
    const std::string& name = output.shape[axis];
    steps.push_back({static_cast<uint64_t>(axes.at(name)), grid.Stride(name)});
  }
  for (size_t i = 0; i < stored.size(); ++i) {
    if (stored[i] == 0) continue;
    uint64_t rest = i, point = 0;
    for (const Step& step : steps) {
      point += rest % step.size * step.stride;
      rest /= step.size;
    }
    if (points.empty() || points.back() != point) points.push_back(point);
  }
}

// A byte an element: 1 where all of it was stored.
Result<std::string> StoredElements(const Tensor& output, const std::map<std::string, int64_t>& axes,
                                   const ByteRuns& runs) {
  KW_ASSIGN(const int64_t count, ElementCount(output, axes));
  std::string stored(static_cast<size_t>(count), '\0');
  const auto bytes = static_cast<uint64_t>(DTypeBytes(output.dtype));
  for (const auto& [from, to] : runs) {
    const uint64_t first = (from + bytes - 1) / bytes,
                   end = std::min<uint64_t>(to / bytes, stored.size());
    for (uint64_t i = first; i < end; ++i) stored[i] = 1;
  }
  return stored;
}

// Elements that nobody stored count as right.
void FillUnstored(const Tensor& tensor, const Expected& expected, size_t output,
                  const std::string& stored, std::string* bytes) {
  const auto size = static_cast<size_t>(DTypeBytes(tensor.dtype));
  for (size_t i = 0; i < stored.size(); ++i) {
    if (stored[i] != 0) continue;
    std::string value;
    AppendRounded(tensor.dtype,
                  IsFloat(tensor.dtype) ? expected.floats[output][i]
                                        : static_cast<double>(expected.integers[output][i]),
                  value);
    bytes->replace(i * size, size, value);
  }
}

double FlopsAt(const Task& task, const Case& c) {
  const auto axes = task.AllAxes(c.axes);
  if (!axes) return kMostFlops;
  const auto elements = static_cast<double>(TotalElements(task, *axes).value_or(0));
  return std::max(elements, task.StatedFlops(*axes));
}

// Where a bad element of a box lies in the whole output.
void PlaceInWhole(const Task& task, const std::map<std::string, int64_t>& axes, const Slice& slice,
                  Comparison* comparison) {
  const auto output =
      std::find_if(task.outputs.begin(), task.outputs.end(),
                   [&](const Tensor& tensor) { return tensor.name == comparison->output; });
  int64_t flat = 0;
  for (size_t i = 0; i < output->shape.size(); ++i) {
    const auto chosen = slice.find(output->shape[i]);
    int64_t& at = comparison->at[i];
    if (chosen != slice.end()) at = chosen->second[static_cast<size_t>(at)];
    flat = flat * axes.at(output->shape[i]) + at;
  }
  comparison->errors.first_bad = flat;
  // These speak of the box's own shape.
  comparison->pattern.clear();
  comparison->advice.clear();
}

// One box of a sample.
class BoxCheck {
 public:
  BoxCheck(const Task& task, const Case& c, const std::map<std::string, int64_t>& axes,
           const CaseInputs& inputs, Reference& reference)
      : task_(task), case_(c), axes_(axes), inputs_(inputs), reference_(reference) {}

  Result<Comparison> Run(const std::vector<std::string>& outputs,
                         const std::vector<std::string>& stored, const Slice& slice) {
    const Case part = SliceCase(case_, slice);
    const CaseInputs inputs = SliceInputs(task_, axes_, inputs_, slice);
    KW_ASSIGN(Expected expected, reference_.EvaluateOn(task_, part, inputs));
    std::vector<std::string> got;
    for (size_t i = 0; i < task_.outputs.size(); ++i) {
      const Tensor& output = task_.outputs[i];
      const auto bytes = static_cast<size_t>(DTypeBytes(output.dtype));
      got.push_back(SliceBytes(output.shape, axes_, bytes, outputs[i], slice));
      FillUnstored(output, expected, i, SliceBytes(output.shape, axes_, 1, stored[i], slice),
                   &got.back());
    }
    KW_ASSIGN(Comparison comparison, CompareLeniently(task_, part, got, expected, [&] {
                return reference_.SensitivityOn(task_, part, inputs, expected);
              }));
    if (!comparison.ok) PlaceInWhole(task_, axes_, slice, &comparison);
    return comparison;
  }

 private:
  const Task& task_;
  const Case& case_;
  const std::map<std::string, int64_t>& axes_;
  const CaseInputs& inputs_;
  Reference& reference_;
};

}  // namespace

Result<SampleCheck> CheckSample(const Task& task, const Case& c, const CaseInputs& inputs,
                                const std::vector<std::string>& outputs,
                                const std::vector<ByteRuns>& runs, Reference& reference) {
  SampleCheck check;
  KW_ASSIGN(const auto axes, task.AllAxes(c.axes));
  TensorGrid grid;
  KW_ASSIGN(grid.names, SeparableAxes(task, reference, DeriveSeed(c.seed, "separable")));
  for (const std::string& name : grid.names) grid.sizes.push_back(axes.at(name));
  const auto unchecked = [&](std::string why) {
    check.unchecked = std::move(why);
    return check;
  };
  if (grid.names.empty()) {
    return unchecked("its outputs cannot be computed in parts: no axis of it is independent");
  }
  std::vector<std::string> stored;
  std::vector<uint64_t> points;
  for (size_t i = 0; i < task.outputs.size(); ++i) {
    KW_ASSIGN(stored.emplace_back(), StoredElements(task.outputs[i], axes, runs[i]));
    check.elements += std::count(stored.back().begin(), stored.back().end(), 1);
    AddPoints(task.outputs[i], axes, grid, stored.back(), points);
    if (points.size() > kMostPoints) return unchecked("the blocks that ran stored too much");
  }
  std::sort(points.begin(), points.end());
  points.erase(std::unique(points.begin(), points.end()), points.end());
  if (points.empty()) return unchecked("the blocks that ran stored no element of an output");
  std::vector<Slice> slices;
  double flops = 0;
  for (const Box& box : BoxesOf(points, grid.sizes)) {
    Slice& slice = slices.emplace_back();
    for (size_t i = 0; i < box.size(); ++i) slice[grid.names[i]] = box[i];
    flops += FlopsAt(task, SliceCase(c, slice));
  }
  if (flops > kMostFlops || slices.size() > kMostBoxes) {
    return unchecked("the reference would take too long for what the blocks that ran stored");
  }
  BoxCheck boxes(task, c, axes, inputs, reference);
  for (const Slice& slice : slices) {
    KW_ASSIGN(Comparison comparison, boxes.Run(outputs, stored, slice));
    check.comparison.errors.max_abs =
        std::max(check.comparison.errors.max_abs, comparison.errors.max_abs);
    if (comparison.ok) continue;
    check.comparison = std::move(comparison);
    break;
  }
  return check;
}

}  // namespace kw::eval
