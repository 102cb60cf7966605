// Parts of tensors along named axes.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "kw/eval/oracle.h"

namespace kw::eval {

// Of each of these axes only these indices, in order; of other axes all.
using Slice = std::map<std::string, std::vector<int64_t>>;

// The elements of a row-major tensor whose axes have these names and sizes.
std::string SliceBytes(const std::vector<std::string>& shape,
                       const std::map<std::string, int64_t>& axes, size_t element_bytes,
                       const std::string& bytes, const Slice& slice);
// A case's inputs and sizes; `axes` are all of the whole case.
CaseInputs SliceInputs(const Task& task, const std::map<std::string, int64_t>& axes,
                       const CaseInputs& inputs, const Slice& slice);
Case SliceCase(Case c, const Slice& slice);

// The var axes along which the outputs do not depend on each other: at small shapes the reference
// gives for a slice of the inputs the very slice of what it gives for all of them, along each of
// the axes and along all together.
[[nodiscard]] Result<std::vector<std::string>> SeparableAxes(const Task& task, Reference& reference,
                                                             uint64_t seed);

// Points of a grid as few boxes: products of index sets, one set an axis. `points` are row-major
// indices over `sizes`, sorted, each once.
using Box = std::vector<std::vector<int64_t>>;
std::vector<Box> BoxesOf(const std::vector<uint64_t>& points, const std::vector<int64_t>& sizes);

}  // namespace kw::eval
