#include "blas_runs.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <limits>

#include "fmt/format.h"

namespace kw::eval::emu {

uint64_t Extent(const Runs& runs) {
  uint64_t extent = 0;
  if (runs.count == 0) return 0;
  if (__builtin_mul_overflow(runs.count - 1, runs.spacing, &extent) ||
      __builtin_add_overflow(extent, runs.bytes, &extent)) {
    return std::numeric_limits<uint64_t>::max();
  }
  return extent;
}

Runs RunsOf(const BlasMatrix& matrix, uint64_t address) {
  const uint64_t size = BytesOf(matrix.type);
  const auto rows = static_cast<uint64_t>(matrix.rows), lead = static_cast<uint64_t>(matrix.lead);
  const auto columns = static_cast<uint64_t>(matrix.columns);
  if (rows == 0 || columns == 0) return {};
  if (matrix.step == 1) {
    if (columns == 1 || lead == rows) return {address, rows * columns * size, 1, 0};
    return {address, rows * size, columns, lead * size};
  }
  // A vector; from its last element where the increment is negative.
  const auto distance = static_cast<uint64_t>(std::abs(matrix.step)) * size;
  const uint64_t first = matrix.step < 0 ? address - (rows - 1) * distance : address;
  return {first, size, matrix.step == 0 ? 1 : rows, distance};
}

bool Overlap(const Runs& one, const Runs& other) {
  if (one.count == 0 || other.count == 0) return false;
  if (one.count > other.count) return Overlap(other, one);
  const uint64_t end = other.first + Extent(other);
  for (uint64_t i = 0; i < one.count; ++i) {
    const uint64_t from = one.At(i), to = from + one.bytes;
    if (to <= other.first || from >= end) continue;
    // The last run of `other` that begins before `to`.
    const uint64_t last =
        other.spacing == 0 ? 0 : std::min(other.count - 1, (to - 1 - other.first) / other.spacing);
    if (other.At(last) + other.bytes > from) return true;
  }
  return false;
}

std::string Describe(const BlasMatrix& matrix) {
  std::string text;
  if (matrix.step != 1) {
    text = fmt::format("{} elements with an increment of {}", matrix.rows, matrix.step);
  } else if (matrix.columns == 1) {
    text = fmt::format("{} elements", matrix.rows);
  } else {
    std::string name = matrix.name;
    for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    text = fmt::format("{} x {} by columns with ld{} = {}", matrix.rows, matrix.columns, name,
                       matrix.lead);
  }
  if (matrix.transposed) text += ", used transposed";
  return text;
}

}  // namespace kw::eval::emu
