#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "kw/base/hash.h"
#include "kw/base/text.h"
#include "kw/eval/oracle.h"
#include "value_draw.h"
#include "value_types.h"

namespace kw::eval {
namespace {

// Rows of a ramp start at different values for every row length but multiples of this prime, and
// its steps are exact in every dtype of 10 bits of mantissa.
constexpr int64_t kRampPeriod = 251;
constexpr double kRampStep = 1.0 / 64;
// exp() of such values is 0 even in float32: what starts a maximum at 0 shows.
constexpr double kFarBelowZero = -112;

enum class Group {
  kOriginal,
  kTimes3,
  kTimesHundredth,
  kNegative,
  kZerosAndOnes,
  kConstant,
  kRamp,
  kOutlier,
  kOpposed,
  kSwapped,
  kTiny,
  kLargest,
  kNonfinite,
};
constexpr std::string_view kGroupNames[] = {
    "original", "x3",      "x0.01",       "negative", "zeros_and_ones", "constant",     "ramp",
    "outlier",  "opposed", kSwappedGroup, kTinyGroup, kLargestGroup,    kNonfiniteGroup};
constexpr size_t kCommonGroups = 8;  // of every task
constexpr size_t kOpposedGroup = 8;  // of those with two float tensors
// Exchanges of two elements that make "swapped" of "original": few enough to slip past whoever
// looks at samples, and no sum over all elements tells.
constexpr uint64_t kSwaps = 8;

Result<Group> GroupFromName(const std::string& name) {
  for (size_t i = 0; i < std::size(kGroupNames); ++i) {
    if (kGroupNames[i] == name) return static_cast<Group>(i);
  }
  return Fail(ErrorCode::kInvalid,
              UnknownName("value group", name, {std::begin(kGroupNames), std::end(kGroupNames)}));
}

// What all elements of one tensor have in common.
struct TensorDraw {
  const Tensor& tensor;
  Group group;
  int64_t count, row_length;
  int64_t outlier_at = -1;               // -1: another input has it
  std::vector<int64_t> outlier_columns;  // of every other row; empty: there is one alone
  uint64_t outlier_bits = 0, constant_bits = 0;
  bool even_cuts = false, negative = false;  // negative: of "opposed"
};

// A multiple of 1/8 in [-3, 3], never 0: sums of many of them are exact.
double ConstantFromBits(uint64_t bits) {
  const double magnitude = static_cast<double>(1 + (bits >> 1) % 24) / 8;
  return (bits & 1) != 0 ? -magnitude : magnitude;
}

// Every other row lies far below zero, as wide as it is far: its mean and variance are not harder
// to compute than those of other rows.
double Negative(const TensorDraw& draw, int64_t index, uint64_t bits) {
  const double magnitude = std::fabs(NormalFromBits(bits));
  // A vector is a weight or a bias of all rows: far from zero it would only lose digits.
  if (draw.tensor.shape.size() < 2) return -magnitude;
  const auto row = static_cast<uint64_t>(index / draw.row_length);
  return ((row + draw.constant_bits) & 1) != 0 ? kFarBelowZero * (1 + magnitude) : -magnitude;
}

// Every fourth row is all zeros: whoever divides by a row's length or sum must see to that.
double ZeroOrOne(const TensorDraw& draw, int64_t index, uint64_t bits) {
  const auto row = static_cast<uint64_t>(index / draw.row_length);
  if (draw.tensor.shape.size() > 1 && (row + draw.constant_bits) % 4 == 0) return 0;
  return static_cast<double>(bits >> 63);
}

// One element in eight, and by its low bits which sign.
bool IsRare(uint64_t bits) { return bits >> 61 == 0; }

double LargestOrNormal(const TensorDraw& draw, uint64_t bits) {
  const double largest = LargestFinite(draw.tensor.dtype);
  return IsRare(bits) ? ((bits & 1) != 0 ? -largest : largest) : NormalFromBits(bits);
}

double NonfiniteOrNormal(uint64_t bits) {
  if (!IsRare(bits)) return NormalFromBits(bits);
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const uint64_t which = bits % 3;
  return which == 0 ? std::numeric_limits<double>::quiet_NaN()
                    : (which == 1 ? kInfinity : -kInfinity);
}

double OutlierOf(DType dtype) { return std::min(1e4, LargestFinite(dtype) / 64); }

bool IsOutlier(const TensorDraw& draw, int64_t index) {
  if (draw.outlier_columns.empty()) return index == draw.outlier_at;
  const auto row = static_cast<uint64_t>(index / draw.row_length) + draw.outlier_bits;
  const size_t columns = draw.outlier_columns.size();
  return row % 2 == 0 && index % draw.row_length == draw.outlier_columns[row / 2 % columns];
}

double Unbounded(const TensorDraw& draw, int64_t index, uint64_t bits) {
  switch (draw.group) {
    case Group::kOriginal:
    case Group::kSwapped:
      return NormalFromBits(bits);
    case Group::kTimes3:
      return NormalFromBits(bits) * 3;
    case Group::kTimesHundredth:
      return NormalFromBits(bits) * 0.01;
    case Group::kNegative:
      return Negative(draw, index, bits);
    case Group::kZerosAndOnes:
      return ZeroOrOne(draw, index, bits);
    case Group::kConstant:
      return ConstantFromBits(draw.constant_bits);
    case Group::kRamp:
      return static_cast<double>(index % kRampPeriod - kRampPeriod / 2) * kRampStep;
    case Group::kOutlier:
      return IsOutlier(draw, index) ? OutlierOf(draw.tensor.dtype) : NormalFromBits(bits);
    case Group::kOpposed:
      return std::fabs(NormalFromBits(bits)) * (draw.negative ? -1 : 1);
    case Group::kTiny:
      return NormalFromBits(bits) * SmallestNormal(draw.tensor.dtype) / 4;
    case Group::kLargest:
      return LargestOrNormal(draw, bits);
    case Group::kNonfinite:
      return NonfiniteOrNormal(bits);
  }
  return 0;
}

double Positive(const TensorDraw& draw, int64_t index, uint64_t bits) {
  const double scale = draw.group == Group::kTimesHundredth ? 0.01 : 1;
  // Of these groups the signs, or what is no number, are all that is special.
  const bool plain = draw.group == Group::kNegative || draw.group == Group::kNonfinite;
  const double value = plain ? NormalFromBits(bits) : Unbounded(draw, index, bits);
  if (draw.group == Group::kTiny) {
    return std::max(std::fabs(value), SmallestNormal(draw.tensor.dtype) / 8);
  }
  return std::max(std::fabs(value), scale / 16);
}

// A hard domain: groups are mapped into it, those that have no meaning there are uniform.
double InRange(const TensorDraw& draw, double low, double high, int64_t index, uint64_t bits) {
  const double uniform = low + (high - low) * UniformFromBits(bits);
  switch (draw.group) {
    case Group::kTimesHundredth:
      return std::clamp(uniform * 0.01, low, high);
    case Group::kNegative:
    case Group::kOpposed: {
      const bool negative = draw.group == Group::kNegative || draw.negative;
      double from = negative ? low : std::max(low, 0.0);
      double to = negative ? std::min(high, 0.0) : high;
      if (from >= to) return uniform;
      // Sums of products of opposed inputs go as far below zero as the domain lets them.
      if (draw.group == Group::kOpposed) (negative ? to : from) = from + (to - from) / 2;
      return from + (to - from) * UniformFromBits(bits);
    }
    case Group::kZerosAndOnes:
      return std::clamp(ZeroOrOne(draw, index, bits), low, high);
    case Group::kConstant:
      return low + (high - low) * UniformFromBits(draw.constant_bits);
    case Group::kRamp:
      return low + (high - low) * static_cast<double>(index % kRampPeriod) / (kRampPeriod - 1);
    case Group::kOutlier:
      if (!IsOutlier(draw, index)) return uniform;
      return (draw.outlier_bits & 1) != 0 ? low : high;
    case Group::kTiny:
      return std::clamp(Unbounded(draw, index, bits), low, high);
    case Group::kLargest:
      return IsRare(bits) ? ((bits & 1) != 0 ? low : high) : uniform;
    default:
      return uniform;
  }
}

// Rounding must not leave a hard domain.
double RoundedInto(DType dtype, double value, double low, double high) {
  double rounded = RoundedTo(dtype, value);
  if (rounded > high) rounded -= UnitInLastPlace(dtype, std::nextafter(rounded, 0));
  if (rounded < low) rounded += UnitInLastPlace(dtype, std::nextafter(rounded, 0));
  return rounded;
}

std::string DrawFloats(const TensorDraw& draw, BitDraw& bits) {
  const Tensor& tensor = draw.tensor;
  const int64_t element_bytes = DTypeBytes(tensor.dtype);
  std::string bytes(static_cast<size_t>(draw.count * element_bytes), '\0');
  const double largest = LargestFinite(tensor.dtype);
  for (int64_t i = 0; i < draw.count; ++i) {
    const uint64_t word = bits.At(static_cast<uint64_t>(i));
    double value = 0;
    if (tensor.range) {
      const auto [low, high] = *tensor.range;
      value = RoundedInto(tensor.dtype, InRange(draw, low, high, i, word), low, high);
    } else if (tensor.kind == InputKind::kPositive) {
      value = Positive(draw, i, word);
    } else {
      value = Unbounded(draw, i, word);
    }
    // Rounding may reach infinity, which only one group has.
    if (draw.group != Group::kNonfinite) value = std::clamp(value, -largest, largest);
    StoreRounded(tensor.dtype, value, bytes.data() + i * element_bytes);
  }
  return bytes;
}

std::pair<int64_t, int64_t> IntegerRange(const Tensor& tensor) {
  if (tensor.range) {
    return {static_cast<int64_t>(std::ceil(tensor.range->first)),
            static_cast<int64_t>(std::floor(tensor.range->second))};
  }
  if (tensor.dtype == DType::kBool) return {0, 1};
  const bool unsigned_or_positive =
      tensor.dtype == DType::kUInt8 || tensor.kind == InputKind::kPositive;
  return {unsigned_or_positive ? (tensor.kind == InputKind::kPositive ? 1 : 0) : -100, 100};
}

// Uniform in [0, bound) from 64 bits; the bias is below 2^-32 for the sizes of tensors.
int64_t Below(uint64_t bits, int64_t bound) {
  return static_cast<int64_t>(
      (static_cast<unsigned __int128>(bits) * static_cast<unsigned __int128>(bound)) >> 64);
}

// Numbers 0 .. size - 1 in an order that depends on the bits of `first` .. `first + size - 1`.
std::vector<int64_t> Permutation(BitDraw& bits, uint64_t first, int64_t size) {
  std::vector<uint64_t> keys(static_cast<size_t>(size));
  for (size_t i = 0; i < keys.size(); ++i) keys[i] = bits.At(first + i);
  std::vector<int64_t> order(keys.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
    return std::pair(keys[static_cast<size_t>(a)], a) < std::pair(keys[static_cast<size_t>(b)], b);
  });
  return order;
}

// Cuts of [0, total] into pieces that are half to one and a half times as long as their mean: what
// a call costs then hardly depends on the seed.
void CutEvenly(BitDraw& bits, int64_t total, std::vector<int64_t>& cuts) {
  constexpr int64_t kUnit = 1 << 20;  // the mean length
  const auto pieces = static_cast<__int128>(cuts.size() - 1);
  for (size_t i = 1; i + 1 < cuts.size(); ++i) {
    const int64_t at = static_cast<int64_t>(i) * kUnit - kUnit / 4 + Below(bits.At(i), kUnit / 2);
    cuts[i] = static_cast<int64_t>(static_cast<__int128>(total) * at / (pieces * kUnit));
  }
}

Result<std::vector<int64_t>> DrawIntegers(const TensorDraw& draw, BitDraw& bits,
                                          const std::map<std::string, int64_t>& axes) {
  const Tensor& tensor = draw.tensor;
  std::vector<int64_t> values(static_cast<size_t>(draw.count));
  const auto size_of = [&](const std::string& axis) { return axes.at(axis); };
  const int64_t row = tensor.shape.empty() ? 1 : size_of(tensor.shape.back());
  switch (tensor.kind) {
    case InputKind::kIndptr: {
      // Cuts of [0, total] in order, ends included.
      const int64_t total = size_of(tensor.indptr_total);
      if (draw.even_cuts) {
        CutEvenly(bits, total, values);
      } else {
        for (size_t i = 0; i < values.size(); ++i) values[i] = Below(bits.At(i), total + 1);
        std::sort(values.begin(), values.end());
      }
      values.front() = 0;
      values.back() = total;
      break;
    }
    case InputKind::kPermutation:
    case InputKind::kIndex: {
      const int64_t range = size_of(tensor.index_of);
      if (tensor.kind == InputKind::kIndex && !tensor.unique) {
        for (size_t i = 0; i < values.size(); ++i) values[i] = Below(bits.At(i), range);
        break;
      }
      if (row > range) {
        return Fail(ErrorCode::kInvalid,
                    fmt::format("input '{}': {} different indices do not fit into axis '{}' of "
                                "size {}",
                                tensor.name, row, tensor.index_of, range));
      }
      for (int64_t start = 0; start < draw.count; start += row) {
        const auto first = static_cast<uint64_t>(start / row * range);
        const std::vector<int64_t> order = Permutation(bits, first, range);
        std::copy(order.begin(), order.begin() + row, values.begin() + start);
      }
      break;
    }
    default: {
      const auto [low, high] = IntegerRange(tensor);
      if (high < low) {
        return Fail(ErrorCode::kInvalid,
                    fmt::format("input '{}': its range holds no integer", tensor.name));
      }
      for (size_t i = 0; i < values.size(); ++i) {
        values[i] = low + Below(bits.At(i), high - low + 1);
      }
    }
  }
  return values;
}

void Swap(std::string& bytes, size_t element_bytes, int64_t count, BitDraw bits) {
  for (uint64_t i = 0; i < kSwaps && count > 1; ++i) {
    const auto a = static_cast<size_t>(Below(bits.At(2 * i), count)) * element_bytes;
    const auto b = static_cast<size_t>(Below(bits.At(2 * i + 1), count)) * element_bytes;
    for (size_t k = 0; k < element_bytes; ++k) std::swap(bytes[a + k], bytes[b + k]);
  }
}

std::vector<const Tensor*> FloatInputs(const Task& task) {
  std::vector<const Tensor*> floats;
  for (const Tensor& tensor : task.inputs) {
    if (!tensor.is_scalar && IsFloat(tensor.dtype)) floats.push_back(&tensor);
  }
  return floats;
}

// The input that has the outlier: two of them could cancel, and no kernel would be right.
const Tensor* OutlierInput(const Task& task, const Case& c) {
  const std::vector<const Tensor*> floats = FloatInputs(task);
  if (floats.empty()) return nullptr;
  const auto count = static_cast<int64_t>(floats.size());
  return floats[static_cast<size_t>(Below(BitDraw(c.seed, "outlier").At(0), count))];
}

// Where kernels split rows: at the ends, and around powers of two. Nothing where rows meet in the
// outputs, so that outliers would cancel.
std::vector<int64_t> OutlierColumns(const Task& task, const Tensor& tensor, int64_t row_length) {
  constexpr int64_t kLeast = 32;
  const auto is_in_outputs = [&](const std::string& axis) {
    return std::any_of(task.outputs.begin(), task.outputs.end(), [&](const Tensor& output) {
      return std::find(output.shape.begin(), output.shape.end(), axis) != output.shape.end();
    });
  };
  if (tensor.shape.size() < 2 ||
      !std::all_of(tensor.shape.begin(), tensor.shape.end() - 1, is_in_outputs)) {
    return {};
  }
  std::vector<int64_t> columns = {0, row_length - 1};
  for (int64_t size = kLeast; size - 1 < row_length; size *= 2) {
    for (int64_t column = size - 1; column < std::min(size + 2, row_length); ++column) {
      columns.push_back(column);
    }
  }
  return columns;
}

}  // namespace

std::vector<std::string> ValueGroups(const Task& task) {
  std::vector<std::string> groups(kGroupNames, kGroupNames + kCommonGroups);
  if (FloatInputs(task).size() > 1) groups.emplace_back(kGroupNames[kOpposedGroup]);
  groups.insert(groups.end(), task.groups.begin(), task.groups.end());
  return groups;
}

Result<CaseInputs> GenerateInputs(const Task& task, const Case& c) {
  KW_ASSIGN(const Group group, GroupFromName(c.group));
  KW_ASSIGN(const auto axes, task.AllAxes(c.axes));
  const Tensor* outlier = OutlierInput(task, c);
  // Timed calls have ordinary values. Those of other groups meet empty pieces and lopsided ones,
  // and so do all of a task that has no groups.
  const bool even_cuts =
      outlier != nullptr &&
      (group == Group::kOriginal || group == Group::kTimes3 || group == Group::kSwapped);
  CaseInputs inputs;
  Hasher hasher;
  bool negative = false;
  for (const Tensor& tensor : task.inputs) {
    std::string& bytes = inputs.tensors.emplace_back();
    hasher.Add(tensor.name);
    if (tensor.is_scalar) {
      const auto scalar = c.scalars.find(tensor.name);
      if (scalar == c.scalars.end()) {
        return Fail(ErrorCode::kInvalid,
                    fmt::format("case {}: no value for scalar '{}'", c.id, tensor.name));
      }
      std::string value;
      AppendRounded(tensor.dtype, scalar->second, value);
      hasher.Add(value);
      continue;
    }
    KW_ASSIGN(const int64_t count, ElementCount(tensor, axes));
    BitDraw once(c.seed, "once/" + tensor.name);
    const int64_t outlier_at = &tensor == outlier ? Below(once.At(0), count) : -1;
    const int64_t row_length = tensor.shape.empty() ? 1 : axes.at(tensor.shape.back());
    if (IsFloat(tensor.dtype)) negative = !negative;
    const TensorDraw draw{.tensor = tensor,
                          .group = group,
                          .count = count,
                          .row_length = row_length,
                          .outlier_at = outlier_at,
                          .outlier_columns = &tensor == outlier
                                                 ? OutlierColumns(task, tensor, row_length)
                                                 : std::vector<int64_t>{},
                          .outlier_bits = once.At(1),
                          .constant_bits = once.At(2),
                          .even_cuts = even_cuts,
                          .negative = negative};
    BitDraw bits(c.seed, "input/" + tensor.name);
    if (IsFloat(tensor.dtype)) {
      bytes = DrawFloats(draw, bits);
      if (group == Group::kSwapped) {
        Swap(bytes, static_cast<size_t>(DTypeBytes(tensor.dtype)), count,
             BitDraw(c.seed, "swap/" + tensor.name));
      }
    } else {
      KW_ASSIGN(const std::vector<int64_t> values, DrawIntegers(draw, bits, axes));
      for (const int64_t value : values) {
        AppendRounded(tensor.dtype, static_cast<double>(value), bytes);
      }
    }
    hasher.Add(bytes);
  }
  inputs.hash = hasher.Hex();
  return inputs;
}

}  // namespace kw::eval
