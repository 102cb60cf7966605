#include "scalar.h"

#include <algorithm>

namespace kw::eval::conformance {

u32 Encode(double v, const Format& format, Round mode, bool finite) {
  const u64 bits = std::bit_cast<u64>(v);
  const bool negative = (bits >> 63) != 0;
  const int width = format.exponent_bits + format.fraction_bits;
  const u32 sign = negative ? 1u << width : 0;
  const u32 top = ((1u << format.exponent_bits) - 1) << format.fraction_bits;
  const u32 ones = (1u << width) - 1;
  if (std::isnan(v)) return ones;
  const u32 largest = format.infinity ? top - 1 : ones - 1;
  const bool stays =
      finite || mode == Round::kZero || mode == (negative ? Round::kUp : Round::kDown);
  if (std::isinf(v)) return sign | (finite || !format.infinity ? largest : top);
  if (v == 0) return sign;
  int exponent = static_cast<int>(bits >> 52 & 0x7ff) - 1023;
  u64 significand = bits & ((u64{1} << 52) - 1);
  if (exponent == -1023) {
    const int shift = std::countl_zero(significand) - 11;
    significand <<= shift;
    exponent = -1022 - shift;
  } else {
    significand |= u64{1} << 52;
  }
  const int least = 2 - (1 << (format.exponent_bits - 1));
  const int drop = 52 - format.fraction_bits + std::max(0, least - exponent);
  u64 kept = drop > 60 ? 0 : significand >> drop;
  const u64 rest = drop > 60 ? 1 : significand & ((u64{1} << drop) - 1);
  const u64 half = drop > 60 ? 2 : u64{1} << (drop - 1);
  bool up = false;
  if (mode == Round::kNearest) up = rest > half || (rest == half && (kept & 1) != 0);
  if (mode == Round::kAway) up = rest >= half;
  if (mode == Round::kUp) up = rest != 0 && !negative;
  if (mode == Round::kDown) up = rest != 0 && negative;
  kept += up ? 1 : 0;
  // A carry out of the fraction steps the exponent by itself.
  const u64 code =
      exponent < least ? kept : kept + (static_cast<u64>(exponent - least) << format.fraction_bits);
  if (code > largest) return sign | (stays || !format.infinity ? largest : top);
  return sign | static_cast<u32>(code);
}

double Decode(u32 code, const Format& format) {
  const int width = format.exponent_bits + format.fraction_bits;
  const bool negative = (code >> width & 1) != 0;
  const u32 fraction = code & ((1u << format.fraction_bits) - 1);
  const int biased =
      static_cast<int>(code >> format.fraction_bits) & ((1 << format.exponent_bits) - 1);
  const int least = 2 - (1 << (format.exponent_bits - 1));
  const bool top = biased == (1 << format.exponent_bits) - 1;
  double v;
  if (top && format.infinity) {
    v = fraction == 0 ? HUGE_VAL : std::nan("");
  } else if (top && fraction == (1u << format.fraction_bits) - 1) {
    v = std::nan("");
  } else if (biased == 0) {
    v = std::ldexp(fraction, least - format.fraction_bits);
  } else {
    v = std::ldexp(fraction + (1u << format.fraction_bits),
                   biased - 1 + least - format.fraction_bits);
  }
  return negative ? -v : v;
}

int FenvMode(Round mode) {
  switch (mode) {
    case Round::kZero:
      return FE_TOWARDZERO;
    case Round::kDown:
      return FE_DOWNWARD;
    case Round::kUp:
      return FE_UPWARD;
    default:
      return FE_TONEAREST;
  }
}

double RoundedToOdd(const std::function<double()>& op) {
  std::fesetround(FE_TOWARDZERO);
  std::feclearexcept(FE_ALL_EXCEPT);
  const volatile double r = op();
  const bool inexact = std::fetestexcept(FE_INEXACT) != 0;
  std::fesetround(FE_TONEAREST);
  const double v = r;
  if (!inexact || !std::isfinite(v)) return v;
  return std::bit_cast<double>(std::bit_cast<u64>(v) | 1);
}

}  // namespace kw::eval::conformance
