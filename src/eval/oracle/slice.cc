#include "slice.h"

#include <algorithm>
#include <cstring>

#include "value_types.h"

namespace kw::eval {

std::string SliceBytes(const std::vector<std::string>& shape,
                       const std::map<std::string, int64_t>& axes, size_t element_bytes,
                       const std::string& bytes, const Slice& slice) {
  // The bytes of one index along each axis, and of all.
  std::vector<size_t> strides(shape.size());
  size_t stride = element_bytes;
  for (size_t i = shape.size(); i-- > 0;) {
    strides[i] = stride;
    stride *= static_cast<size_t>(axes.at(shape[i]));
  }
  // Axes behind the last one that is sliced are copied in one piece.
  size_t depth = shape.size();
  while (depth > 0 && !slice.contains(shape[depth - 1])) --depth;
  const size_t piece = depth == 0 ? bytes.size() : strides[depth - 1];
  std::string out;
  const auto walk = [&](const auto& self, size_t axis, size_t at) -> void {
    if (axis == depth) {
      out.append(bytes, at, piece);
      return;
    }
    const auto chosen = slice.find(shape[axis]);
    if (chosen == slice.end()) {
      for (int64_t i = 0; i < axes.at(shape[axis]); ++i) {
        self(self, axis + 1, at + static_cast<size_t>(i) * strides[axis]);
      }
    } else {
      for (const int64_t i : chosen->second) {
        self(self, axis + 1, at + static_cast<size_t>(i) * strides[axis]);
      }
    }
  };
  walk(walk, 0, 0);
  return out;
}

CaseInputs SliceInputs(const Task& task, const std::map<std::string, int64_t>& axes,
                       const CaseInputs& inputs, const Slice& slice) {
  CaseInputs sliced;
  for (size_t i = 0; i < task.inputs.size(); ++i) {
    const Tensor& input = task.inputs[i];
    sliced.tensors.push_back(input.is_scalar
                                 ? std::string()
                                 : SliceBytes(input.shape, axes,
                                              static_cast<size_t>(DTypeBytes(input.dtype)),
                                              inputs.tensors[i], slice));
  }
  return sliced;
}

Case SliceCase(Case c, const Slice& slice) {
  for (const auto& [axis, indices] : slice) c.axes[axis] = static_cast<int64_t>(indices.size());
  return c;
}

namespace {

constexpr int kCasesToTry = 3;  // an axis

template <class T>
std::string BytesOfElements(const std::vector<T>& values) {
  return std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
}

// Does the reference give for a slice the slice of what it gives for the whole?
Result<bool> IsSeparable(const Task& task, const Case& c, const Slice& slice,
                         Reference& reference) {
  KW_ASSIGN(const auto axes, task.AllAxes(c.axes));
  KW_ASSIGN(const CaseInputs inputs, GenerateInputs(task, c));
  KW_ASSIGN(const std::shared_ptr<const Expected> whole, reference.Evaluate(task, c));
  const Result<Expected> part =
      reference.EvaluateOn(task, SliceCase(c, slice), SliceInputs(task, axes, inputs, slice));
  // A reference that fails at the slice needs the whole.
  if (!part)
    return part.error().code == ErrorCode::kInvalid ? Result<bool>(false) : Fail(part.error());
  for (size_t i = 0; i < task.outputs.size(); ++i) {
    const bool is_float = IsFloat(task.outputs[i].dtype);
    const std::string all =
        is_float ? BytesOfElements(whole->floats[i]) : BytesOfElements(whole->integers[i]);
    const std::string some =
        is_float ? BytesOfElements(part->floats[i]) : BytesOfElements(part->integers[i]);
    if (SliceBytes(task.outputs[i].shape, axes, 8, all, slice) != some) return false;
  }
  return true;
}

std::vector<int64_t> SomeIndices(int64_t size) {
  std::vector<int64_t> some = {size / 3, size / 2, size - 1};
  some.erase(std::unique(some.begin(), some.end()), some.end());
  return some;
}

// Is it so at several cases that are long enough along these axes?
Result<bool> AreSeparable(const Task& task, const std::vector<Case>& cases,
                          const std::vector<std::string>& names, Reference& reference) {
  int tried = 0;
  for (const Case& c : cases) {
    Slice slice;
    for (const std::string& name : names) {
      if (c.axes.at(name) >= 4) slice[name] = SomeIndices(c.axes.at(name));
    }
    if (slice.size() != names.size()) continue;
    KW_ASSIGN(const bool separable, IsSeparable(task, c, slice, reference));
    if (!separable) return false;
    if (++tried == kCasesToTry) break;
  }
  return tried > 0;
}

}  // namespace

Result<std::vector<std::string>> SeparableAxes(const Task& task, Reference& reference,
                                               uint64_t seed) {
  std::vector<std::string> names;
  for (const Tensor& output : task.outputs) {
    if (!output.selects.empty()) return names;  // judged by the values of the whole input
  }
  KW_ASSIGN(std::vector<Case> cases, PlanCases(task, seed, CaseCount(Effort::kStandard)));
  for (Case& c : cases) c.group = "original";
  for (const Axis& axis : task.axes) {
    const bool everywhere =
        std::all_of(task.outputs.begin(), task.outputs.end(), [&](const Tensor& output) {
          return std::find(output.shape.begin(), output.shape.end(), axis.name) !=
                 output.shape.end();
        });
    if (!axis.is_var || !everywhere) continue;
    KW_ASSIGN(const bool separable, AreSeparable(task, cases, {axis.name}, reference));
    if (separable) names.push_back(axis.name);
  }
  if (names.size() < 2) return names;
  KW_ASSIGN(const bool together, AreSeparable(task, cases, names, reference));
  if (!together) names.resize(1);
  return names;
}

std::vector<Box> BoxesOf(const std::vector<uint64_t>& points, const std::vector<int64_t>& sizes) {
  std::vector<uint64_t> strides(sizes.size());
  uint64_t stride = 1;
  for (size_t i = sizes.size(); i-- > 0;) {
    strides[i] = stride;
    stride *= static_cast<uint64_t>(sizes[i]);
  }
  const auto index = [&](uint64_t point, size_t axis) {
    return static_cast<int64_t>(point / strides[axis] % static_cast<uint64_t>(sizes[axis]));
  };
  using Points = std::vector<uint64_t>::const_iterator;
  const auto split = [&](const auto& self, Points from, Points to,
                         size_t axis) -> std::vector<Box> {
    if (axis + 1 == sizes.size()) {
      Box box(1);
      for (Points at = from; at != to; ++at) box[0].push_back(index(*at, axis));
      return {std::move(box)};
    }
    // Indices below which the same lies belong together.
    std::map<std::vector<Box>, std::vector<int64_t>> alike;
    while (from != to) {
      const int64_t i = index(*from, axis);
      const Points end =
          std::find_if(from, to, [&](uint64_t point) { return index(point, axis) != i; });
      alike[self(self, from, end, axis + 1)].push_back(i);
      from = end;
    }
    std::vector<Box> boxes;
    for (const auto& [below, indices] : alike) {
      for (const Box& rest : below) {
        Box box = {indices};
        box.insert(box.end(), rest.begin(), rest.end());
        boxes.push_back(std::move(box));
      }
    }
    return boxes;
  };
  if (points.empty() || sizes.empty()) return {};
  return split(split, points.begin(), points.end(), 0);
}

}  // namespace kw::eval
