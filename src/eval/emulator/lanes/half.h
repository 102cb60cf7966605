// Conversions between float and the 16-bit formats, over whole arrays.
#pragma once

#include "lanes/lanes.h"

namespace kw::eval::emu {
namespace {

// binary16, without F16C. Exact both ways; to half rounds to nearest even.
inline float HalfToFloat(u16 h) {
  const u32 sign = static_cast<u32>(h & 0x8000) << 16;
  const u32 rest = h & 0x7fff;
  if (rest >= 0x7c00) {
    return Bits<float>(sign | 0x7f800000u | (rest & 0x3ff) << 13 | (rest > 0x7c00 ? 0x400000u : 0));
  }
  // Subnormals come out right by a multiplication with 2^112.
  return Bits<float>(sign | Bits<u32>(Bits<float>(rest << 13) * 0x1p112f));
}

inline u16 FloatToHalf(float f) {
  const u32 bits = Bits<u32>(f);
  const u32 sign = bits >> 16 & 0x8000;
  u32 rest = bits & 0x7fffffff;
  if (rest > 0x7f800000) return static_cast<u16>(sign | 0x7e00 | (rest >> 13 & 0x3ff));
  if (rest >= 0x477ff000) return static_cast<u16>(sign | 0x7c00);
  if (rest < 0x38800000) {
    // Adding 0.5 aligns the last bit of a subnormal half with the last bit of the float.
    const float aligned = Bits<float>(rest) + 0.5f;
    return static_cast<u16>(sign | (Bits<u32>(aligned) - 0x3f000000u));
  }
  rest += 0xfff + (rest >> 13 & 1);
  return static_cast<u16>(sign | (rest - 0x38000000u) >> 13);
}

inline float Bf16ToFloat(u16 h) { return Bits<float>(static_cast<u32>(h) << 16); }
inline u16 FloatToBf16(float f) {
  const u32 bits = Bits<u32>(f);
  const u32 rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
  return static_cast<u16>((bits & 0x7fffffff) > 0x7f800000 ? 0x7fff : rounded);
}

struct Fp16 {
  template <int N>
  static void Load(const u16* from, float* to) {
#ifdef __F16C__
    for (int i = 0; i < N; i += 8) {
      _mm256_storeu_ps(to + i, _mm256_cvtph_ps(_mm_loadu_si128(
                                   reinterpret_cast<const __m128i*>(from + i))));
    }
#else
    for (int i = 0; i < N; ++i) to[i] = HalfToFloat(from[i]);
#endif
  }
  template <int N>
  static void Store(const float* from, u16* to) {
#ifdef __F16C__
    for (int i = 0; i < N; i += 8) {
      _mm_storeu_si128(reinterpret_cast<__m128i*>(to + i),
                       _mm256_cvtps_ph(_mm256_loadu_ps(from + i), _MM_FROUND_TO_NEAREST_INT));
    }
#else
    for (int i = 0; i < N; ++i) to[i] = FloatToHalf(from[i]);
#endif
  }
  static constexpr u16 kExponent = 0x7c00;
};

struct Bf16 {
  template <int N>
  static void Load(const u16* from, float* to) {
    for (int i = 0; i < N; ++i) to[i] = Bf16ToFloat(from[i]);
  }
  template <int N>
  static void Store(const float* from, u16* to) {
    for (int i = 0; i < N; ++i) to[i] = FloatToBf16(from[i]);
  }
  static constexpr u16 kExponent = 0x7f80;
};

// The float nearest to an exact value v + error, with the last bit set where it is inexact
// (rounding to odd), so that rounding it again to 16 bits is correct.
inline float RoundToOdd(float v, float error) {
  const u32 bits = Bits<u32>(v);
  const bool finite = (bits & 0x7f800000) != 0x7f800000;
  const bool away = (error > 0) == (v > 0);
  const u32 odd = away ? bits + 1 : bits - 1;
  return Bits<float>(finite && error != 0 && (bits & 1) == 0 && v != 0 ? odd : bits);
}

}  // namespace
}  // namespace kw::eval::emu
