#include "value_types.h"

#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "kw/base/error.h"

namespace kw::eval {
namespace {

constexpr SmallFloat kHalf{5, 10, true};
constexpr SmallFloat kBrain{8, 7, true};
constexpr SmallFloat kE4M3{4, 3, false};
constexpr SmallFloat kE5M2{5, 2, true};

const SmallFloat* SmallFormat(DType dtype) {
  switch (dtype) {
    case DType::kFloat16:
      return &kHalf;
    case DType::kBFloat16:
      return &kBrain;
    case DType::kFloat8E4M3:
      return &kE4M3;
    case DType::kFloat8E5M2:
      return &kE5M2;
    default:
      return nullptr;
  }
}

int Bias(const SmallFloat& format) { return (1 << (format.exponent_bits - 1)) - 1; }

double SmallLargest(const SmallFloat& format) {
  // Without infinity the top exponent counts, and its last mantissa is NaN.
  const int top = (1 << format.exponent_bits) - (format.has_infinity ? 2 : 1);
  const double mantissa = format.has_infinity ? 2.0 - std::ldexp(1.0, -format.mantissa_bits)
                                              : 2.0 - std::ldexp(1.0, 1 - format.mantissa_bits);
  return std::ldexp(mantissa, top - Bias(format));
}

template <class T>
void Store(T value, char* to) {
  std::memcpy(to, &value, sizeof value);
}

template <class T, class Wide>
void Widen(std::string_view bytes, std::vector<Wide>& out) {
  for (size_t i = 0; i < out.size(); ++i) {
    T value;
    std::memcpy(&value, bytes.data() + i * sizeof value, sizeof value);
    out[i] = static_cast<Wide>(value);
  }
}

}  // namespace

uint16_t EncodeSmallFloat(const SmallFloat& format, double value) {
  const int mantissa = format.mantissa_bits;
  const auto sign =
      static_cast<uint16_t>(std::signbit(value) ? 1U << (format.exponent_bits + mantissa) : 0U);
  const uint16_t top = static_cast<uint16_t>(((1U << format.exponent_bits) - 1) << mantissa);
  const uint16_t not_a_number = static_cast<uint16_t>(
      format.has_infinity ? top | (1U << (mantissa - 1)) : top | ((1U << mantissa) - 1));
  const uint16_t beyond = format.has_infinity ? top : not_a_number;
  if (std::isnan(value)) return sign | not_a_number;
  if (std::isinf(value)) return sign | beyond;
  const double magnitude = std::fabs(value);
  int exponent = 0;
  std::frexp(magnitude, &exponent);  // magnitude = f * 2^exponent, f in [0.5, 1)
  const int least = 1 - Bias(format);
  const int binade = magnitude == 0 ? least : std::max(exponent - 1, least);
  // In units of the last place this is an exact double, and nearbyint rounds ties to even.
  const double units = std::nearbyint(std::ldexp(magnitude, mantissa - binade));
  // Counting units from the bottom of the binade is how the bits count, carries included.
  const auto bits =
      static_cast<uint32_t>(units) + (static_cast<uint32_t>(binade - least) << mantissa);
  const uint32_t largest = format.has_infinity ? top - 1U : not_a_number - 1U;
  return static_cast<uint16_t>(sign | (bits > largest ? beyond : bits));
}

double DecodeSmallFloat(const SmallFloat& format, uint16_t bits) {
  const int mantissa = format.mantissa_bits;
  const uint32_t fraction = bits & ((1U << mantissa) - 1);
  const uint32_t exponent = (bits >> mantissa) & ((1U << format.exponent_bits) - 1);
  const bool negative = ((bits >> (mantissa + format.exponent_bits)) & 1) != 0;
  const uint32_t top = (1U << format.exponent_bits) - 1;
  double value = 0;
  if (exponent == top && format.has_infinity) {
    value = fraction == 0 ? std::numeric_limits<double>::infinity()
                          : std::numeric_limits<double>::quiet_NaN();
  } else if (exponent == top && fraction == (1U << mantissa) - 1) {
    value = std::numeric_limits<double>::quiet_NaN();
  } else if (exponent == 0) {
    value = std::ldexp(fraction, 1 - Bias(format) - mantissa);
  } else {
    value = std::ldexp(fraction + (1U << mantissa),
                       static_cast<int>(exponent) - Bias(format) - mantissa);
  }
  return negative ? -value : value;
}

double LargestFinite(DType dtype) {
  if (dtype == DType::kFloat64) return std::numeric_limits<double>::max();
  if (dtype == DType::kFloat32) return std::numeric_limits<float>::max();
  const SmallFloat* format = SmallFormat(dtype);
  KW_CHECK(format != nullptr, "a float dtype");
  return SmallLargest(*format);
}

double SmallestNormal(DType dtype) {
  if (dtype == DType::kFloat64) return std::numeric_limits<double>::min();
  if (const SmallFloat* format = SmallFormat(dtype)) return std::ldexp(1.0, 1 - Bias(*format));
  return static_cast<double>(std::numeric_limits<float>::min());
}

double UnitInLastPlace(DType dtype, double value) {
  int mantissa = 52, least = -1022;
  if (dtype == DType::kFloat32) {
    mantissa = 23;
    least = -126;
  } else if (const SmallFloat* format = SmallFormat(dtype)) {
    mantissa = format->mantissa_bits;
    least = 1 - Bias(*format);
  }
  const double magnitude = std::min(std::fabs(value), LargestFinite(dtype));
  int exponent = 0;
  std::frexp(magnitude, &exponent);
  const int binade = magnitude == 0 ? least : std::max(exponent - 1, least);
  return std::ldexp(1.0, binade - mantissa);
}

void StoreRounded(DType dtype, double value, char* to) {
  switch (dtype) {
    case DType::kFloat64:
      return Store(value, to);
    case DType::kFloat32:
      return Store(static_cast<float>(value), to);
    case DType::kFloat16:
    case DType::kBFloat16:
      return Store(EncodeSmallFloat(*SmallFormat(dtype), value), to);
    case DType::kFloat8E4M3:
    case DType::kFloat8E5M2:
      return Store(static_cast<uint8_t>(EncodeSmallFloat(*SmallFormat(dtype), value)), to);
    case DType::kInt64:
      return Store(static_cast<int64_t>(value), to);
    case DType::kInt32:
      return Store(static_cast<int32_t>(value), to);
    case DType::kInt16:
      return Store(static_cast<int16_t>(value), to);
    case DType::kInt8:
      return Store(static_cast<int8_t>(value), to);
    case DType::kUInt8:
      return Store(static_cast<uint8_t>(value), to);
    case DType::kBool:
      return Store(static_cast<uint8_t>(value != 0), to);
  }
}

void AppendRounded(DType dtype, double value, std::string& bytes) {
  char element[8];
  StoreRounded(dtype, value, element);
  bytes.append(element, static_cast<size_t>(DTypeBytes(dtype)));
}

double RoundedTo(DType dtype, double value) {
  if (dtype == DType::kFloat64) return value;
  if (dtype == DType::kFloat32) return static_cast<float>(value);
  if (const SmallFloat* format = SmallFormat(dtype)) {
    return DecodeSmallFloat(*format, EncodeSmallFloat(*format, value));
  }
  return std::trunc(value);
}

std::vector<double> WidenFloats(DType dtype, std::string_view bytes) {
  std::vector<double> out(bytes.size() / static_cast<size_t>(DTypeBytes(dtype)));
  const SmallFloat* format = SmallFormat(dtype);
  if (dtype == DType::kFloat64) {
    Widen<double>(bytes, out);
  } else if (dtype == DType::kFloat32) {
    Widen<float>(bytes, out);
  } else if (format != nullptr && DTypeBytes(dtype) == 2) {
    for (size_t i = 0; i < out.size(); ++i) {
      uint16_t bits;
      std::memcpy(&bits, bytes.data() + i * 2, 2);
      out[i] = DecodeSmallFloat(*format, bits);
    }
  } else if (format != nullptr) {
    for (size_t i = 0; i < out.size(); ++i) {
      out[i] = DecodeSmallFloat(*format, static_cast<uint8_t>(bytes[i]));
    }
  }
  return out;
}

std::vector<int64_t> WidenIntegers(DType dtype, std::string_view bytes) {
  std::vector<int64_t> out(bytes.size() / static_cast<size_t>(DTypeBytes(dtype)));
  switch (dtype) {
    case DType::kInt64:
      Widen<int64_t>(bytes, out);
      break;
    case DType::kInt32:
      Widen<int32_t>(bytes, out);
      break;
    case DType::kInt16:
      Widen<int16_t>(bytes, out);
      break;
    case DType::kInt8:
      Widen<int8_t>(bytes, out);
      break;
    case DType::kUInt8:
    case DType::kBool:
      Widen<uint8_t>(bytes, out);
      break;
    default:
      break;
  }
  return out;
}

}  // namespace kw::eval
