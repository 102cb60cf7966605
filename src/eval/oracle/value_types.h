// Numbers as tensors hold them: rounding to a dtype, reading back, spacing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "kw/eval/task.h"

namespace kw::eval {

// A floating-point format of at most 16 bits.
struct SmallFloat {
  int exponent_bits, mantissa_bits;
  bool has_infinity;  // without: the largest exponent holds numbers, all ones is NaN (e4m3fn)
};
// The bits of the value nearest to `value`, ties to even. Beyond the range: infinity, or NaN where
// the format has no infinity.
uint16_t EncodeSmallFloat(const SmallFloat& format, double value);
double DecodeSmallFloat(const SmallFloat& format, uint16_t bits);

// Largest finite value of a float dtype.
double LargestFinite(DType dtype);
// Smallest number of full precision; what is below is subnormal.
double SmallestNormal(DType dtype);
// The distance from |value| to the next larger number of the dtype; for a value beyond the range,
// that of the largest.
double UnitInLastPlace(DType dtype, double value);

// `value` rounded to nearest even, at `to`. Integers take the value as it is (it must fit).
void StoreRounded(DType dtype, double value, char* to);
void AppendRounded(DType dtype, double value, std::string& bytes);
// `value` after rounding to the dtype, widened again.
double RoundedTo(DType dtype, double value);

// All elements, widened. `bytes` holds a whole number of elements.
std::vector<double> WidenFloats(DType dtype, std::string_view bytes);
std::vector<int64_t> WidenIntegers(DType dtype, std::string_view bytes);

}  // namespace kw::eval
