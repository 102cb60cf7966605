// mov, pack and unpack, cvt.
#pragma once

#include "lanes/half.h"

namespace kw::eval::emu {
namespace {

// Integers: op.extra = source bits | source signed << 8 | result bits << 16 | result signed << 24.
// Values narrower than their register are cut, then extended.
template <class D, class S>
bool ConvertInteger(Warp& w, const Op& op) {
  using W = std::conditional_t<(sizeof(D) > 4 || sizeof(S) > 4), i64, i32>;
  using U = std::make_unsigned_t<W>;
  constexpr int kBits = sizeof(W) * 8;
  const S* a = Src<S>(w, op.a);
  const int in = kBits - static_cast<int>(op.extra & 0xff);
  const int out = kBits - static_cast<int>(op.extra >> 16 & 0xff);
  const bool in_signed = op.extra >> 8 & 1, out_signed = op.extra >> 24 & 1;
  return Each(w, Dst<D>(w, op.d), [=](int i) {
    const U raw = static_cast<U>(static_cast<U>(a[i]) << in);
    const U x = in_signed ? static_cast<U>(static_cast<W>(raw) >> in) : static_cast<U>(raw >> in);
    const U cut = static_cast<U>(x << out);
    return static_cast<D>(out_signed ? static_cast<U>(static_cast<W>(cut) >> out)
                                     : static_cast<U>(cut >> out));
  });
}

// ---- the general conversion, a lane at a time ----

struct Format {
  int precision;  // bits of the significand, the hidden one counted
  int least;      // exponent of the least normal number
  int most;       // exponent of the largest number
  double largest;
};
inline Format FormatOf(Type type) {
  switch (type) {
    case Type::kF16:
      return {11, -14, 15, 65504.0};
    case Type::kBf16:
      return {8, -126, 127, 0x1.fep127};
    case Type::kTf32:
      return {11, -126, 127, 0x1.ffcp127};
    case Type::kF32:
      return {24, -126, 127, 0x1.fffffep127};
    default:
      return {53, -1022, 1023, 0x1.fffffffffffffp1023};
  }
}
constexpr Format kE4m3 = {4, -6, 8, 448.0};
constexpr Format kE5m2 = {3, -14, 15, 57344.0};

// Rounds the exact number v + rest (rest below v's last bit, only its sign counts) to a format.
inline double RoundTo(double v, double rest, const Format& format, Rounding mode) {
  if (v != v || v - v != 0 || v == 0) return v;
  int e;
  __builtin_frexp(v, &e);
  e -= 1;
  int scale = (e < format.least ? format.least : e) - (format.precision - 1);
  const double q = __builtin_ldexp(v < 0 ? -v : v, -scale);
  const double sticky = v < 0 ? -rest : rest;
  double n = __builtin_floor(q);
  double f = q - n;
  if (f == 0 && sticky < 0) {
    // Just below a whole number of steps, which are half as long below a power of two.
    if (n == __builtin_ldexp(1.0, format.precision - 1) && e > format.least) {
      scale -= 1;
      n *= 2;
    }
    n -= 1;
    f = 0.75;  // above one half, not a tie
  } else if (sticky != 0 && f == 0.5) {
    f = sticky > 0 ? 0.75 : 0.25;
  } else if (sticky > 0 && f == 0) {
    f = 0.25;
  }
  bool up = false;
  switch (mode) {
    case Rounding::kNearest:
      up = f > 0.5 || (f == 0.5 && n - 2 * __builtin_floor(n / 2) == 1);
      break;
    case Rounding::kAway:
      up = f >= 0.5;
      break;
    case Rounding::kZero:
      break;
    case Rounding::kDown:
      up = f > 0 && v < 0;
      break;
    case Rounding::kUp:
      up = f > 0 && v > 0;
      break;
  }
  double r = __builtin_ldexp(n + (up ? 1 : 0), scale);
  if (r > format.largest) {
    const bool stays = mode == Rounding::kZero || (mode == Rounding::kDown && v > 0) ||
                       (mode == Rounding::kUp && v < 0);
    r = stays ? format.largest : __builtin_inf();
  }
  return v < 0 ? -r : r;
}

inline double LoadReal(Type type, const char* at) {
  switch (type) {
    case Type::kF16:
      return HalfToFloat(*reinterpret_cast<const u16*>(at));
    case Type::kBf16:
      return Bf16ToFloat(*reinterpret_cast<const u16*>(at));
    case Type::kF32:
      return *reinterpret_cast<const float*>(at);
    default:
      return *reinterpret_cast<const double*>(at);
  }
}
inline u64 RealBits(Type type, double v) {
  switch (type) {
    case Type::kF16:
      return FloatToHalf(static_cast<float>(v));
    case Type::kBf16:
      return FloatToBf16(static_cast<float>(v));
    case Type::kF32:
    case Type::kTf32:
      return Bits<u32>(static_cast<float>(v));
    default:
      return Bits<u64>(v);
  }
}
inline int TypeBits(Type type) {
  if (type >= Type::kB64) return 64;
  if (type >= Type::kB32) return 32;
  return type >= Type::kB16 ? 16 : 8;
}
inline bool SignedType(Type t) {
  return t == Type::kS8 || t == Type::kS16 || t == Type::kS32 || t == Type::kS64;
}
inline bool RealType(Type t) {
  return t == Type::kF16 || t == Type::kBf16 || t == Type::kF32 || t == Type::kF64 ||
         t == Type::kTf32;
}

inline u64 RealToInteger(double v, Type from, Type to, Rounding mode) {
  const int bits = TypeBits(to);
  if (v != v) {
    const bool zero = from != Type::kF64 && bits < 64;
    return zero ? 0 : u64{1} << (bits - 1);
  }
  switch (mode) {
    case Rounding::kNearest:
      v = __builtin_rint(v);
      break;
    case Rounding::kDown:
      v = __builtin_floor(v);
      break;
    case Rounding::kUp:
      v = __builtin_ceil(v);
      break;
    default:
      v = __builtin_trunc(v);
      break;
  }
  if (SignedType(to)) {
    const double limit = __builtin_ldexp(1.0, bits - 1);
    if (v >= limit) return (u64{1} << (bits - 1)) - 1;
    if (v < -limit) return u64{1} << (bits - 1);
    return static_cast<u64>(static_cast<i64>(v));
  }
  if (v <= 0) return 0;
  const double limit = __builtin_ldexp(1.0, bits);
  if (v >= limit) return bits == 64 ? ~u64{0} : (u64{1} << bits) - 1;
  return static_cast<u64>(v);
}

// Op::extra of kCvtRounded: destination type | source type << 8 | rounding << 16 |
// saturate << 20 | ftz << 21 | relu << 22 | satfinite << 23; imm: bytes of the registers, source <<
// 8 | result
bool ConvertGeneral(Warp& w, const Op& op) {
  const Type to = static_cast<Type>(op.extra & 0xff),
             from = static_cast<Type>(op.extra >> 8 & 0xff);
  const Rounding mode = static_cast<Rounding>(op.extra >> 16 & 15);
  const bool saturate = op.extra >> 20 & 1, flush = op.extra >> 21 & 1, relu = op.extra >> 22 & 1,
             finite = op.extra >> 23 & 1;
  const int in_bytes = static_cast<int>(op.imm >> 8 & 0xff),
            out_bytes = static_cast<int>(op.imm & 0xff);
  const char* a = Src<char>(w, op.a);
  char* d = Dst<char>(w, op.d);
  for (u32 m = w.mask; m != 0; m &= m - 1) {
    const int i = First(m);
    const char* at = a + i * in_bytes;
    u64 result = 0;
    if (RealType(from)) {
      double v = LoadReal(from, at);
      if (flush && from == Type::kF32 && v < 0x1p-126 && v > -0x1p-126)
        v = __builtin_copysign(0.0, v);
      if (RealType(to)) {
        if (saturate) v = v > 0 ? (v < 1 ? v : 1.0) : 0.0;
        if (relu) v = v > 0 || v != v ? v : 0.0;
        v = RoundTo(v, 0, FormatOf(to), mode);
        if (flush && to == Type::kF32 && v < 0x1p-126 && v > -0x1p-126)
          v = __builtin_copysign(0.0, v);
        const double largest = FormatOf(to).largest;
        if (finite && (v > largest || v < -largest)) v = __builtin_copysign(largest, v);
        result = RealBits(to, v);
      } else {
        result = RealToInteger(v, from, to, mode);
      }
    } else {
      u64 raw = 0;
      __builtin_memcpy(&raw, at, static_cast<size_t>(in_bytes));
      const int spare = 64 - TypeBits(from);
      const bool is_signed = SignedType(from);
      const __int128 x = is_signed ? static_cast<__int128>(static_cast<i64>(raw << spare) >> spare)
                                   : static_cast<__int128>(raw << spare >> spare);
      if (RealType(to)) {
        const double v = static_cast<double>(x);
        const __int128 back = static_cast<__int128>(v);
        const double rest = x > back ? 1 : x < back ? -1 : 0;
        double r = RoundTo(v, rest, FormatOf(to), mode);
        if (saturate) r = r > 0 ? (r < 1 ? r : 1.0) : 0.0;
        result = RealBits(to, r);
      } else {
        const int bits = TypeBits(to);
        const __int128 low = SignedType(to) ? -(static_cast<__int128>(1) << (bits - 1)) : 0;
        const __int128 high = (static_cast<__int128>(1) << (bits - (SignedType(to) ? 1 : 0))) - 1;
        result = static_cast<u64>(!saturate ? x : x < low ? low : x > high ? high : x);
      }
    }
    if (!RealType(to)) {
      const int spare = 64 - TypeBits(to);
      result = SignedType(to) ? static_cast<u64>(static_cast<i64>(result << spare) >> spare)
                              : result << spare >> spare;
    }
    __builtin_memcpy(d + i * out_bytes, &result, static_cast<size_t>(out_bytes));
  }
  return true;
}

// ---- 8-bit floats, two in a register ----

inline u8 ToFp8(float f, bool e4m3) {
  const Format& format = e4m3 ? kE4m3 : kE5m2;
  const u8 sign = static_cast<u8>(Bits<u32>(f) >> 24 & 0x80);
  if (f != f) return static_cast<u8>(e4m3 ? 0x7f : 0x7f);
  double v = RoundTo(f < 0 ? -static_cast<double>(f) : f, 0, format, Rounding::kNearest);
  if (v > format.largest) v = format.largest;
  if (v == 0) return sign;
  int e;
  __builtin_frexp(v, &e);
  e -= 1;
  const int mantissa_bits = format.precision - 1;
  const int exponent = e < format.least ? format.least : e;
  const int fraction = static_cast<int>(__builtin_ldexp(v, mantissa_bits - exponent));
  const int biased = e < format.least ? 0 : e - format.least + 1;
  return static_cast<u8>(sign | biased << mantissa_bits | (fraction & ((1 << mantissa_bits) - 1)));
}
inline float FromFp8(u8 v, bool e4m3) {
  if (!e4m3) return HalfToFloat(static_cast<u16>(v << 8));
  const int e = v >> 3 & 15, m = v & 7;
  float r;
  if (e == 15 && m == 7) {
    r = Bits<float>(0x7fffffffu);
  } else {
    r = e == 0 ? static_cast<float>(m) * 0x1p-9f
               : static_cast<float>(__builtin_ldexp(8 + m, e - 10));
  }
  return v & 0x80 ? -r : r;
}

// extra: bit 0 e4m3 (else e5m2); 1: from f16x2 (else two f32); 2: relu
bool ToFp8Pair(Warp& w, const Op& op) {
  const bool e4m3 = op.extra & 1, half = op.extra & 2, relu = op.extra & 4;
  return EachActive(w, Dst<u16>(w, op.d), [&](int i) {
    float high, low;
    if (half) {
      const u32 pair = Src<u32>(w, op.a)[i];
      high = HalfToFloat(static_cast<u16>(pair >> 16));
      low = HalfToFloat(static_cast<u16>(pair));
    } else {
      high = Src<float>(w, op.a)[i];
      low = Src<float>(w, op.b)[i];
    }
    if (relu) {
      high = high > 0 || high != high ? high : 0.0f;
      low = low > 0 || low != low ? low : 0.0f;
    }
    return ToFp8(high, e4m3) << 8 | ToFp8(low, e4m3);
  });
}
bool FromFp8Pair(Warp& w, const Op& op) {
  const u16* a = Src<u16>(w, op.a);
  const bool e4m3 = op.extra & 1;
  return EachActive(w, Dst<u32>(w, op.d), [&](int i) {
    const u32 low = FloatToHalf(FromFp8(static_cast<u8>(a[i]), e4m3));
    const u32 high = FloatToHalf(FromFp8(static_cast<u8>(a[i] >> 8), e4m3));
    return high << 16 | low;
  });
}

// cvt.pack: a and b clamped to `extra & 31` bits (32: signed) above one another, c on top.
bool PackIntegers(Warp& w, const Op& op) {
  const i32 *a = Src<i32>(w, op.a), *b = Src<i32>(w, op.b);
  const u32* c = Src<u32>(w, op.c);
  const u32 bits = op.extra & 31, top = op.extra & 32 ? bits - 1 : bits;
  const i32 most = static_cast<i32>((1u << top) - 1), least = op.extra & 32 ? ~most : 0;
  return Each(w, Dst<u32>(w, op.d), [=](int i) {
    const u32 x = static_cast<u32>(a[i] < least ? least : a[i] > most ? most : a[i]);
    const u32 y = static_cast<u32>(b[i] < least ? least : b[i] > most ? most : b[i]);
    const u32 kept = (1u << bits) - 1, pair = (x & kept) << bits | (y & kept);
    return bits == 16 ? pair : c[i] << 16 | pair;
  });
}

// ---- the frequent ones, in vectors ----

template <class T>
bool Move(Warp& w, const Op& op) {
  const T* a = Src<T>(w, op.a);
  return Each(w, Dst<T>(w, op.d), [=](int i) { return a[i]; });
}

template <class T, Rounding kMode>
inline T WholeOf(T x) {
  if constexpr (sizeof(T) == 4) {
    if constexpr (kMode == Rounding::kNearest) return __builtin_rintf(x);
    if constexpr (kMode == Rounding::kZero) return __builtin_truncf(x);
    if constexpr (kMode == Rounding::kDown) return __builtin_floorf(x);
    return __builtin_ceilf(x);
  } else {
    if constexpr (kMode == Rounding::kNearest) return __builtin_rint(x);
    if constexpr (kMode == Rounding::kZero) return __builtin_trunc(x);
    if constexpr (kMode == Rounding::kDown) return __builtin_floor(x);
    return __builtin_ceil(x);
  }
}

template <Rounding kMode>
inline i32 ToInt(float x) {
  const float v = WholeOf<float, kMode>(x);
  const i32 r = static_cast<i32>(v < 2147483648.0f && v >= -2147483648.0f ? v : 0.0f);
  return v >= 2147483648.0f ? INT32_MAX : v < -2147483648.0f ? INT32_MIN : r;
}

template <class H>
bool HalfToSingle(Warp& w, const Op& op) {
  alignas(64) float r[kLanes];
  H::template Load<kLanes>(Src<u16>(w, op.a), r);
  return Each(w, Dst<float>(w, op.d), [&](int i) { return r[i]; });
}
template <class H>
bool SingleToHalf(Warp& w, const Op& op) {
  alignas(64) u16 r[kLanes];
  H::template Store<kLanes>(Src<float>(w, op.a), r);
  return Each(w, Dst<u16>(w, op.d), [&](int i) { return r[i]; });
}

// lists: result, then the parts from the lowest
template <class D, class S>
bool Pack(Warp& w, const Op& op) {
  constexpr int kParts = sizeof(D) / sizeof(S);
  const S* parts[kParts];
  for (int k = 0; k < kParts; ++k) parts[k] = Src<S>(w, w.lists[op.list + 1 + static_cast<u32>(k)]);
  return Each(w, Dst<D>(w, op.d), [&](int i) {
    D r = 0;
    for (int k = 0; k < kParts; ++k) {
      r |= static_cast<D>(static_cast<D>(parts[k][i]) << (sizeof(S) * 8 * k));
    }
    return r;
  });
}
// a = the source, imm = which part
template <class D, class S>
bool Unpack(Warp& w, const Op& op) {
  const S* a = Src<S>(w, op.a);
  const u32 shift = static_cast<u32>(op.imm) * sizeof(D) * 8;
  return Each(w, Dst<D>(w, op.d), [=](int i) { return static_cast<D>(a[i] >> shift); });
}

bool LocalAddress(Warp& w, const Op& op) {
  const u64 value = op.imm + w.local_base;
  return Each(w, Dst<u64>(w, op.d), [=](int) { return value; });
}
bool LocalAddress32(Warp& w, const Op& op) {
  const u32 value = static_cast<u32>(op.imm) + w.local_base;
  return Each(w, Dst<u32>(w, op.d), [=](int) { return value; });
}

inline u32 SpecialLane(Warp& w, SpecialRegister which, int i) {
  switch (which) {
    case SpecialRegister::kTidX:
      return w.tid[0][i];
    case SpecialRegister::kTidY:
      return w.tid[1][i];
    case SpecialRegister::kTidZ:
      return w.tid[2][i];
    case SpecialRegister::kLaneId:
      return static_cast<u32>(i);
    case SpecialRegister::kLaneMaskEq:
      return 1u << i;
    case SpecialRegister::kLaneMaskLe:
      return ((1u << i) - 1) | 1u << i;
    case SpecialRegister::kLaneMaskLt:
      return (1u << i) - 1;
    case SpecialRegister::kLaneMaskGe:
      return ~((1u << i) - 1);
    case SpecialRegister::kLaneMaskGt:
      return ~((1u << i) - 1) & ~(1u << i);
    default:
      return 0;
  }
}
template <class T>
bool Special(Warp& w, const Op& op) {
  const SpecialRegister which = static_cast<SpecialRegister>(op.imm);
  const bool per_lane =
      which <= SpecialRegister::kTidZ || which == SpecialRegister::kLaneId ||
      (which >= SpecialRegister::kLaneMaskEq && which <= SpecialRegister::kLaneMaskGt);
  if (per_lane) {
    return Each(w, Dst<T>(w, op.d),
                [&](int i) { return static_cast<T>(SpecialLane(w, which, i)); });
  }
  const T value = static_cast<T>(SpecialValue(w, static_cast<u32>(op.imm)));
  return Each(w, Dst<T>(w, op.d), [=](int) { return value; });
}

bool Nothing(Warp&, const Op&) { return true; }

#define KW_CVT(to, from, D, S, F)                                                                  \
  {                                                                                                \
    K(Code::kCvt, Type::to, static_cast<u32>(Type::from)), &Map1<D, S, [](S a) -> D { return F; }> \
  }
#define KW_ROUND(T, type, mode)                                             \
  {                                                                         \
    K(Code::kRoundToInteger, Type::type, static_cast<u32>(Rounding::mode)), \
        &Map1<T, T, WholeOf<T, Rounding::mode>>                             \
  }
#define KW_TO_INT(mode)                                                                  \
  {                                                                                      \
    K(Code::kCvtRounded, Type::kS32, static_cast<u32>(Rounding::mode) + 16),             \
        &Map1<i32, float, [](float a) { return a != a ? 0 : ToInt<Rounding::mode>(a); }> \
  }
#define KW_INTEGER(D, d, S, s) \
  { K(Code::kExtend, Type::d, static_cast<u32>(Type::s)), &ConvertInteger<D, S> }

constexpr HandlerEntry kConvert[] = {
    {K(Code::kMov, Type::kU16), &Move<u16>},
    {K(Code::kMov, Type::kU32), &Move<u32>},
    {K(Code::kMov, Type::kU64), &Move<u64>},
    KW_INTEGER(u16, kU16, u16, kU16),
    KW_INTEGER(u16, kU16, u32, kU32),
    KW_INTEGER(u16, kU16, u64, kU64),
    KW_INTEGER(u32, kU32, u16, kU16),
    KW_INTEGER(u32, kU32, u32, kU32),
    KW_INTEGER(u32, kU32, u64, kU64),
    KW_INTEGER(u64, kU64, u16, kU16),
    KW_INTEGER(u64, kU64, u32, kU32),
    KW_INTEGER(u64, kU64, u64, kU64),
    KW_CVT(kS64, kS32, i64, i32, a),
    KW_CVT(kU64, kU32, u64, u32, a),
    KW_CVT(kU32, kU64, u32, u64, static_cast<u32>(a)),
    KW_CVT(kF32, kS32, float, i32, static_cast<float>(a)),
    KW_CVT(kF32, kU32, float, u32, static_cast<float>(a)),
    KW_CVT(kF32, kS64, float, i64, static_cast<float>(a)),
    KW_CVT(kF32, kU64, float, u64, static_cast<float>(a)),
    KW_CVT(kF64, kS32, double, i32, static_cast<double>(a)),
    KW_CVT(kF64, kU32, double, u32, static_cast<double>(a)),
    KW_CVT(kF64, kS64, double, i64, static_cast<double>(a)),
    KW_CVT(kF64, kU64, double, u64, static_cast<double>(a)),
    KW_CVT(kF64, kF32, double, float, static_cast<double>(a)),
    KW_CVT(kF32, kF64, float, double, static_cast<float>(a)),
    {K(Code::kCvt, Type::kF32, static_cast<u32>(Type::kF16)), &HalfToSingle<Fp16>},
    {K(Code::kCvt, Type::kF32, static_cast<u32>(Type::kBf16)), &HalfToSingle<Bf16>},
    {K(Code::kCvt, Type::kF16, static_cast<u32>(Type::kF32)), &SingleToHalf<Fp16>},
    {K(Code::kCvt, Type::kBf16, static_cast<u32>(Type::kF32)), &SingleToHalf<Bf16>},
    KW_TO_INT(kNearest),
    KW_TO_INT(kZero),
    KW_TO_INT(kDown),
    KW_TO_INT(kUp),
    KW_ROUND(float, kF32, kNearest),
    KW_ROUND(float, kF32, kZero),
    KW_ROUND(float, kF32, kDown),
    KW_ROUND(float, kF32, kUp),
    KW_ROUND(double, kF64, kNearest),
    KW_ROUND(double, kF64, kZero),
    KW_ROUND(double, kF64, kDown),
    KW_ROUND(double, kF64, kUp),
    {K(Code::kCvtRounded, Type::kNone), &ConvertGeneral},
    {K(Code::kCvtPack, Type::kU32), &PackIntegers},
    {K(Code::kCvtPack, Type::kB16), &ToFp8Pair},
    {K(Code::kCvtPack, Type::kB32), &FromFp8Pair},
    {K(Code::kPack, Type::kU32, 2), &Pack<u32, u16>},
    {K(Code::kPack, Type::kU64, 4), &Pack<u64, u32>},
    {K(Code::kPack, Type::kU64, 2), &Pack<u64, u16>},
    {K(Code::kUnpack, Type::kU32, 2), &Unpack<u16, u32>},
    {K(Code::kUnpack, Type::kU64, 4), &Unpack<u32, u64>},
    {K(Code::kUnpack, Type::kU64, 2), &Unpack<u16, u64>},
    {K(Code::kLocalAddress, Type::kU64), &LocalAddress},
    {K(Code::kLocalAddress, Type::kU32), &LocalAddress32},
    {K(Code::kSpecial, Type::kU32), &Special<u32>},
    {K(Code::kSpecial, Type::kU64), &Special<u64>},
    {K(Code::kSpecial, Type::kU16), &Special<u16>},
    {K(Code::kNothing, Type::kNone), &Nothing},
};
#undef KW_CVT
#undef KW_ROUND
#undef KW_TO_INT
#undef KW_INTEGER

}  // namespace
}  // namespace kw::eval::emu
