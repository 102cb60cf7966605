// Scalar references for PTX instructions, independent of the emulator: small formats are encoded
// by whole numbers, roundings are those of this machine's floating point unit.
#pragma once

#include <bit>
#include <cfenv>
#include <cmath>
#include <cstdint>
#include <functional>
#include <utility>

namespace kw::eval::conformance {

using u8 = uint8_t;
using u16 = uint16_t;
using u32 = uint32_t;
using u64 = uint64_t;
using i8 = int8_t;
using i16 = int16_t;
using i32 = int32_t;
using i64 = int64_t;
using i128 = __int128;
using u128 = unsigned __int128;

enum class Round { kNearest, kZero, kDown, kUp, kAway };

// A binary format of up to 32 bits.
struct Format {
  int exponent_bits = 0, fraction_bits = 0;
  bool infinity = true;  // e4m3 has none: all ones are a NaN, the code below it is the largest
  bool operator==(const Format&) const = default;
};
inline constexpr Format kHalf{5, 10}, kBfloat{8, 7}, kTf32{8, 10}, kSingle{8, 23}, kE5m2{5, 2},
    kE4m3{4, 3, false};

// The code of a number; what does not fit becomes infinity, or the largest number where the mode
// or `finite` says so. NaN is all ones without the sign.
u32 Encode(double v, const Format& format, Round mode = Round::kNearest, bool finite = false);
double Decode(u32 code, const Format& format);

int FenvMode(Round mode);
// The result of `op` with this rounding.
template <class F>
auto Rounded(Round mode, F op) {
  std::fesetround(FenvMode(mode));
  const volatile auto r = op();
  std::fesetround(FE_TONEAREST);
  return static_cast<std::remove_cvref_t<decltype(op())>>(r);
}
// Rounded to odd: whoever rounds it to fewer bits has rounded once.
double RoundedToOdd(const std::function<double()>& op);

inline float Flushed(float x) { return std::fabs(x) < 0x1p-126f ? std::copysign(0.0f, x) : x; }

// 16-bit floats as references take and return them.
template <int kFormat>
struct Small {
  u16 bits = 0;
  static constexpr Format format() { return kFormat == 0 ? kHalf : kBfloat; }
  Small() = default;
  explicit Small(double v, Round mode = Round::kNearest)
      : bits(static_cast<u16>(Encode(v, format(), mode))) {}
  double value() const { return Decode(bits, format()); }
};
using Half = Small<0>;
using Bfloat = Small<1>;
// Two of them, the first in the low bits.
template <class H>
struct Pair {
  H low, high;
};

template <class T>
T FromBits(u64 bits) {
  if constexpr (std::is_same_v<T, float>) {
    return std::bit_cast<float>(static_cast<u32>(bits));
  } else if constexpr (std::is_same_v<T, double>) {
    return std::bit_cast<double>(bits);
  } else if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, Bfloat>) {
    T h;
    h.bits = static_cast<u16>(bits);
    return h;
  } else if constexpr (std::is_same_v<T, Pair<Half>>) {
    return {FromBits<Half>(bits), FromBits<Half>(bits >> 16)};
  } else if constexpr (std::is_same_v<T, Pair<Bfloat>>) {
    return {FromBits<Bfloat>(bits), FromBits<Bfloat>(bits >> 16)};
  } else {
    return static_cast<T>(bits);
  }
}
inline u64 ToBits(float v) { return std::bit_cast<u32>(v); }
inline u64 ToBits(double v) { return std::bit_cast<u64>(v); }
template <int kFormat>
u64 ToBits(Small<kFormat> v) {
  return v.bits;
}
template <class H>
u64 ToBits(Pair<H> v) {
  return static_cast<u64>(v.high.bits) << 16 | v.low.bits;
}
template <class T>
requires std::is_integral_v<T> u64 ToBits(T v) {
  return static_cast<u64>(v) & (~u64{0} >> (64 - 8 * sizeof(T)));
}

}  // namespace kw::eval::conformance
