// Integer and bit instructions.
#pragma once

#include "lanes/lanes.h"

namespace kw::eval::emu {
namespace {

// Quotients of 32-bit integers are exact in double: the nearest double to a / b never crosses
// the integer above, since a / b is at least 1 / b away from it.
inline u32 DivideU32(u32 a, u32 b) {
  const double q = static_cast<double>(a) / static_cast<double>(b);
  const u32 low = static_cast<u32>(static_cast<i32>(q < 2147483648.0 ? q : 0.0));
  const u32 high =
      static_cast<u32>(static_cast<i32>(q >= 2147483648.0 && b != 0 ? q - 2147483648.0 : 0.0)) |
      0x80000000u;
  return b == 0 ? ~0u : q < 2147483648.0 ? low : high;
}
inline i32 DivideS32(i32 a, i32 b) {
  const double q = static_cast<double>(a) / static_cast<double>(b == 0 ? 1 : b);
  const i32 r = q >= 2147483648.0 ? INT32_MIN : static_cast<i32>(q >= 2147483648.0 ? 0.0 : q);
  return b == 0 ? -1 : r;
}
inline i64 DivideS64(i64 a, i64 b) {
  if (b == 0) return -1;
  if (b == -1) return static_cast<i64>(0 - static_cast<u64>(a));
  return a / b;
}
inline i64 RemainderS64(i64 a, i64 b) { return b == 0 ? a : b == -1 ? 0 : a % b; }

inline u64 MulHiU64(u64 a, u64 b) {
  return static_cast<u64>(static_cast<unsigned __int128>(a) * b >> 64);
}
inline i64 MulHiS64(i64 a, i64 b) { return static_cast<i64>(static_cast<__int128>(a) * b >> 64); }

template <class T>
inline T Shl(T a, u32 n) {
  return n >= sizeof(T) * 8 ? T{0} : static_cast<T>(a << (n & (sizeof(T) * 8 - 1)));
}
template <class T>
inline T Shr(T a, u32 n) {
  constexpr u32 kMost = sizeof(T) * 8 - 1;
  if constexpr (static_cast<T>(-1) < T{0}) return static_cast<T>(a >> (n > kMost ? kMost : n));
  return n > kMost ? T{0} : static_cast<T>(a >> (n & kMost));
}

inline u32 Reverse(u32 v) {
  v = (v >> 1 & 0x55555555u) | (v & 0x55555555u) << 1;
  v = (v >> 2 & 0x33333333u) | (v & 0x33333333u) << 2;
  v = (v >> 4 & 0x0f0f0f0fu) | (v & 0x0f0f0f0fu) << 4;
  return __builtin_bswap32(v);
}
inline u64 Reverse64(u64 v) {
  return static_cast<u64>(Reverse(static_cast<u32>(v))) << 32 | Reverse(static_cast<u32>(v >> 32));
}

template <class T, bool kSigned>
inline T Bfe(T a, u32 at, u32 length) {
  constexpr u32 kBits = sizeof(T) * 8;
  at &= 0xff;
  length &= 0xff;
  if (length == 0) return 0;
  T value = at >= kBits ? T{0} : static_cast<T>(a >> at);
  const u32 left = at >= kBits ? 0 : kBits - at;
  const u32 kept = length < left ? length : left;
  if (kept < kBits) value &= static_cast<T>((T{1} << kept) - 1);
  if (kSigned) {
    const u32 sign_at = at + length - 1 < kBits - 1 ? at + length - 1 : kBits - 1;
    const bool negative = a >> sign_at & 1;
    if (negative && kept < kBits) value |= static_cast<T>(~T{0} << kept);
  }
  return value;
}
template <class T>
inline T Bfi(T a, T b, u32 at, u32 length) {
  constexpr u32 kBits = sizeof(T) * 8;
  at &= 0xff;
  length &= 0xff;
  if (at >= kBits || length == 0) return b;
  const T ones = length >= kBits ? ~T{0} : static_cast<T>((T{1} << length) - 1);
  const T mask = static_cast<T>(ones << at);
  return static_cast<T>((b & ~mask) | (static_cast<T>(a << at) & mask));
}

// The index of the highest set bit (of the highest bit unlike the sign), or -1.
template <class T>
inline u32 Bfind(T a, bool shift) {
  using U = std::conditional_t<sizeof(T) == 8, u64, u32>;
  constexpr u32 kBits = sizeof(T) * 8;
  U v = static_cast<U>(a);
  if constexpr (static_cast<T>(-1) < T{0}) v = a < 0 ? ~v : v;
  if (v == 0) return ~0u;
  const u32 at =
      kBits - 1 -
      static_cast<u32>(sizeof(T) == 8 ? __builtin_clzll(v) : __builtin_clz(static_cast<u32>(v)));
  return shift ? kBits - 1 - at : at;
}

inline u32 PermuteBytes(u32 a, u32 b, u32 selector, u32 mode) {
  const u64 all = static_cast<u64>(b) << 32 | a;
  u32 out = 0;
  for (int i = 0; i < 4; ++i) {
    u32 pick;
    const u32 s = selector & 3;
    switch (mode) {
      case 1:
        pick = s + static_cast<u32>(i);
        break;  // f4e
      case 2:
        pick = (s + 8 - static_cast<u32>(i)) & 7;
        break;  // b4e
      case 3:
        pick = s;
        break;  // rc8
      case 4:
        pick = static_cast<u32>(i) > s ? static_cast<u32>(i) : s;
        break;  // ecl
      case 5:
        pick = static_cast<u32>(i) < s ? static_cast<u32>(i) : s;
        break;  // ecr
      case 6:
        pick = (s & 1) * 2 + (static_cast<u32>(i) & 1);
        break;  // rc16
      default:
        pick = selector >> (4 * i) & 15;
        break;
    }
    u32 byte = static_cast<u32>(all >> (8 * (pick & 7))) & 0xff;
    if (mode == 0 && (pick & 8) != 0) byte = (byte & 0x80) != 0 ? 0xff : 0;
    out |= byte << (8 * i);
  }
  return out;
}

bool Permute(Warp& w, const Op& op) {
  const u32 *a = Src<u32>(w, op.a), *b = Src<u32>(w, op.b), *c = Src<u32>(w, op.c);
  const u32 mode = op.extra;
  return Each(w, Dst<u32>(w, op.d), [=](int i) { return PermuteBytes(a[i], b[i], c[i], mode); });
}

bool Lop3(Warp& w, const Op& op) {
  const u32 *a = Src<u32>(w, op.a), *b = Src<u32>(w, op.b), *c = Src<u32>(w, op.c);
  const u32 table = op.extra;
  u32 m[8];
  for (int i = 0; i < 8; ++i) m[i] = (table >> i & 1) != 0 ? ~0u : 0u;
  return Each(w, Dst<u32>(w, op.d), [=](int i) {
    const u32 x = a[i], y = b[i], z = c[i];
    const u32 low = (~z & ((~y & m[0]) | (y & m[2]))) | (z & ((~y & m[1]) | (y & m[3])));
    const u32 high = (~z & ((~y & m[4]) | (y & m[6]))) | (z & ((~y & m[5]) | (y & m[7])));
    return (~x & low) | (x & high);
  });
}

// extra: bit 0 right, bit 1 wrap
bool FunnelShift(Warp& w, const Op& op) {
  const u32 *a = Src<u32>(w, op.a), *b = Src<u32>(w, op.b), *c = Src<u32>(w, op.c);
  const bool right = op.extra & 1, wrap = op.extra & 2;
  return Each(w, Dst<u32>(w, op.d), [=](int i) {
    const u32 n = wrap ? c[i] & 31 : (c[i] > 32 ? 32 : c[i]);
    const u64 all = static_cast<u64>(b[i]) << 32 | a[i];
    return right ? static_cast<u32>(all >> n) : static_cast<u32>(all << n >> 32);
  });
}

// extra: bit 0 a is signed, bit 1 b is signed, bit 2 dp2a.hi
template <int kParts>
bool DotProduct(Warp& w, const Op& op) {
  const u32 *a = Src<u32>(w, op.a), *b = Src<u32>(w, op.b), *c = Src<u32>(w, op.c);
  const u32 extra = op.extra;
  return Each(w, Dst<u32>(w, op.d), [=](int i) {
    u32 sum = c[i];
    for (int k = 0; k < kParts; ++k) {
      const int width = 32 / kParts;
      const u32 x = a[i] >> (width * k);
      const u32 y = b[i] >> (8 * (k + (kParts == 2 && (extra & 4) ? 2 : 0)));
      i32 xs;
      if (kParts == 4) {
        xs = extra & 1 ? static_cast<i8>(x) : static_cast<u8>(x);
      } else {
        xs = extra & 1 ? static_cast<i16>(x) : static_cast<u16>(x);
      }
      const i32 ys = extra & 2 ? static_cast<i8>(y) : static_cast<u8>(y);
      sum += static_cast<u32>(xs * ys);
    }
    return sum;
  });
}

// extra: bit 0 the sum of the four and c
bool AbsDiff4(Warp& w, const Op& op) {
  const u32 *a = Src<u32>(w, op.a), *b = Src<u32>(w, op.b), *c = Src<u32>(w, op.c);
  const bool add = op.extra & 1;
  return Each(w, Dst<u32>(w, op.d), [=](int i) {
    u32 bytes = 0, sum = c[i];
    for (int k = 0; k < 32; k += 8) {
      const u32 x = a[i] >> k & 255, y = b[i] >> k & 255, difference = x > y ? x - y : y - x;
      bytes |= difference << k;
      sum += difference;
    }
    return add ? sum : bytes;
  });
}

// Two numbers of 16 bits in one of 32.
template <class T, auto F>
inline u32 Pairwise(u32 a, u32 b) {
  const u32 low = static_cast<u16>(F(static_cast<T>(a), static_cast<T>(b)));
  const u32 high = static_cast<u16>(F(static_cast<T>(a >> 16), static_cast<T>(b >> 16)));
  return high << 16 | low;
}
#define KW_PAIRS(code, type, T, F)                                                               \
  {                                                                                              \
    K(Code::code, Type::type), &Map2<u32, u32, u32, Pairwise<T, [](i32 a, i32 b) { return F; }>> \
  }

// The carry of .cc instructions is predicate 2. extra: 0 add.cc 1 addc 2 addc.cc, +4 sub,
// +8 mad.lo, +16 mad.hi (c is the addend), +32 of a signed product
template <class T>
bool AddCarry(Warp& w, const Op& op) {
  const T *a = Src<T>(w, op.a), *b = Src<T>(w, op.b), *c = Src<T>(w, op.c);
  T* d = Dst<T>(w, op.d);
  const bool reads = (op.extra & 3) != 0, writes = (op.extra & 3) != 1, minus = op.extra & 4;
  u32 carry = w.predicates[2];
  for (u32 m = w.mask; m != 0; m &= m - 1) {
    const int i = First(m);
    T x = a[i], y = b[i];
    if (op.extra & 24) {
      using S = std::make_signed_t<T>;
      const unsigned __int128 product =
          op.extra & 32 ? static_cast<unsigned __int128>(static_cast<__int128>(static_cast<S>(x)) *
                                                         static_cast<S>(y))
                        : static_cast<unsigned __int128>(x) * y;
      x = static_cast<T>(op.extra & 8 ? product : product >> (sizeof(T) * 8));
      y = c[i];
    }
    const T in = reads && Has(carry, i) ? 1 : 0;
    const unsigned __int128 wide = minus ? static_cast<unsigned __int128>(x) - y - in
                                         : static_cast<unsigned __int128>(x) + y + in;
    d[i] = static_cast<T>(wide);
    const bool out = (wide >> (sizeof(T) * 8) & 1) != 0;
    if (writes) carry = (carry & ~(1u << i)) | static_cast<u32>(out) << i;
  }
  w.predicates[2] = carry;
  return true;
}

// d = the n-th set bit (c signed) of a, counted from bit b
bool FindNthSet(Warp& w, const Op& op) {
  const u32 *a = Src<u32>(w, op.a), *b = Src<u32>(w, op.b);
  const i32* c = Src<i32>(w, op.c);
  return EachActive(w, Dst<u32>(w, op.d), [=](int i) -> u32 {
    i32 left = c[i];
    i32 at = static_cast<i32>(b[i] & 31);
    if (left == 0) return a[i] >> at & 1 ? static_cast<u32>(at) : ~0u;
    const i32 step = left > 0 ? 1 : -1;
    left = left > 0 ? left : -left;
    for (; at >= 0 && at < 32; at += step) {
      if ((a[i] >> at & 1) && --left == 0) return static_cast<u32>(at);
    }
    return ~0u;
  });
}

template <class T>
inline i32 Saturate32(T v) {
  return static_cast<i32>(v > INT32_MAX ? INT32_MAX : v < INT32_MIN ? INT32_MIN : v);
}

#define KW_WIDTHS(code, F)                                                                 \
  {K(Code::code, Type::kU16), &Map2<u16, u16, u16, [](u16 a, u16 b) { return F; }>},       \
      {K(Code::code, Type::kU32), &Map2<u32, u32, u32, [](u32 a, u32 b) { return F; }>}, { \
    K(Code::code, Type::kU64), &Map2<u64, u64, u64, [](u64 a, u64 b) { return F; }>        \
  }
#define KW_SIGNS(code, F)                                                                  \
  KW_WIDTHS(code, F),                                                                      \
      {K(Code::code, Type::kS16), &Map2<i16, i16, i16, [](i16 a, i16 b) { return F; }>},   \
      {K(Code::code, Type::kS32), &Map2<i32, i32, i32, [](i32 a, i32 b) { return F; }>}, { \
    K(Code::code, Type::kS64), &Map2<i64, i64, i64, [](i64 a, i64 b) { return F; }>        \
  }

// extra: bit 0 wrap
bool BitMask(Warp& w, const Op& op) {
  const u32 *a = Src<u32>(w, op.a), *b = Src<u32>(w, op.b);
  const bool wrap = op.extra & 1;
  return Each(w, Dst<u32>(w, op.d), [=](int i) {
    const u32 at = wrap ? a[i] & 31 : a[i], width = wrap ? b[i] & 31 : b[i];
    const u64 ones = (u64{1} << (width > 32 ? 32 : width)) - 1;
    return at > 31 ? 0u : static_cast<u32>(ones << at);
  });
}
// extra: bit 0 wrap, bit 1 signed
bool Extend(Warp& w, const Op& op) {
  const u32 *a = Src<u32>(w, op.a), *b = Src<u32>(w, op.b);
  const bool wrap = op.extra & 1, is_signed = op.extra & 2;
  return Each(w, Dst<u32>(w, op.d), [=](int i) {
    const u32 width = wrap ? b[i] & 31 : b[i];
    if (width == 0) return 0u;
    if (width >= 32) return a[i];
    const u32 raw = a[i] << (32 - width);
    return is_signed ? static_cast<u32>(static_cast<i32>(raw) >> (32 - width))
                     : raw >> (32 - width);
  });
}

constexpr HandlerEntry kInteger[] = {
    {K(Code::kBmsk, Type::kB32), &BitMask},
    {K(Code::kSzext, Type::kB32), &Extend},
    KW_WIDTHS(kAdd, a + b),
    KW_WIDTHS(kSub, a - b),
    KW_WIDTHS(kAnd, a & b),
    KW_WIDTHS(kOr, a | b),
    KW_WIDTHS(kXor, a ^ b),
    KW_SIGNS(kMin, (a < b ? a : b)),
    KW_SIGNS(kMax, (a > b ? a : b)),
    {K(Code::kMul, Type::kU16), &Map2<u16, u16, u16, [](u32 a, u32 b) { return a * b; }>},
    {K(Code::kMul, Type::kU32), &Map2<u32, u32, u32, [](u32 a, u32 b) { return a * b; }>},
    {K(Code::kMul, Type::kU64), &Map2<u64, u64, u64, [](u64 a, u64 b) { return a * b; }>},
    {K(Code::kMulHi, Type::kU16), &Map2<u16, u16, u16, [](u32 a, u32 b) { return (a * b >> 16); }>},
    {K(Code::kMulHi, Type::kS16), &Map2<i16, i16, i16, [](i32 a, i32 b) { return (a * b >> 16); }>},
    {K(Code::kMulHi, Type::kU32), &Map2<u32, u32, u32, [](u64 a, u64 b) { return (a * b >> 32); }>},
    {K(Code::kMulHi, Type::kS32), &Map2<i32, i32, i32, [](i64 a, i64 b) { return (a * b >> 32); }>},
    {K(Code::kMulHi, Type::kU64), &Map2<u64, u64, u64, MulHiU64>},
    {K(Code::kMulHi, Type::kS64), &Map2<i64, i64, i64, MulHiS64>},
    {K(Code::kMulWide, Type::kU16), &Map2<u32, u16, u16, [](u32 a, u32 b) { return a * b; }>},
    {K(Code::kMulWide, Type::kS16), &Map2<i32, i16, i16, [](i32 a, i32 b) { return a * b; }>},
    {K(Code::kMulWide, Type::kU32), &Map2<u64, u32, u32, [](u64 a, u64 b) { return a * b; }>},
    {K(Code::kMulWide, Type::kS32), &Map2<i64, i32, i32, [](i64 a, i64 b) { return a * b; }>},
    {K(Code::kMad, Type::kU16),
     &Map3<u16, u16, u16, u16, [](u32 a, u32 b, u32 c) { return a * b + c; }>},
    {K(Code::kMad, Type::kU32),
     &Map3<u32, u32, u32, u32, [](u32 a, u32 b, u32 c) { return a * b + c; }>},
    {K(Code::kMad, Type::kU64),
     &Map3<u64, u64, u64, u64, [](u64 a, u64 b, u64 c) { return a * b + c; }>},
    {K(Code::kMadHi, Type::kU16),
     &Map3<u16, u16, u16, u16, [](u32 a, u32 b, u32 c) { return (a * b >> 16) + c; }>},
    {K(Code::kMadHi, Type::kS16),
     &Map3<u16, i16, i16, u16, [](i32 a, i32 b, u32 c) { return static_cast<u32>(a * b >> 16) + c; }>},
    {K(Code::kMadHi, Type::kS32, kSaturated),
     &Map3<i32, i32, i32, i32, [](i64 a, i64 b, i64 c) { return Saturate32((a * b >> 32) + c); }>},
    {K(Code::kMadHi, Type::kU32),
     &Map3<u32, u32, u32, u32, [](u64 a, u64 b, u32 c) { return static_cast<u32>(a * b >> 32) + c; }>},
    {K(Code::kMadHi, Type::kS32),
     &Map3<u32, i32, i32, u32, [](i64 a, i64 b, u32 c) { return static_cast<u32>(a * b >> 32) + c; }>},
    {K(Code::kMadHi, Type::kU64),
     &Map3<u64, u64, u64, u64, [](u64 a, u64 b, u64 c) { return MulHiU64(a, b) + c; }>},
    {K(Code::kMadHi, Type::kS64),
     &Map3<u64, i64, i64, u64, [](i64 a, i64 b, u64 c) { return static_cast<u64>(MulHiS64(a, b)) + c; }>},
    {K(Code::kMadWide, Type::kU16),
     &Map3<u32, u16, u16, u32, [](u32 a, u32 b, u32 c) { return a * b + c; }>},
    {K(Code::kMadWide, Type::kS16),
     &Map3<u32, i16, i16, u32, [](i32 a, i32 b, u32 c) { return static_cast<u32>(a * b) + c; }>},
    {K(Code::kMadWide, Type::kU32),
     &Map3<u64, u32, u32, u64, [](u64 a, u64 b, u64 c) { return a * b + c; }>},
    {K(Code::kMadWide, Type::kS32),
     &Map3<u64, i32, i32, u64, [](i64 a, i64 b, u64 c) { return static_cast<u64>(a * b) + c; }>},
    {K(Code::kMul24, Type::kU32),
     &Map2<u32, u32, u32, [](u32 a, u32 b) { return (a & 0xffffff) * (b & 0xffffff); }>},
    {K(Code::kMul24, Type::kS32),
     &Map2<u32, i32, i32, [](i32 a, i32 b) {
       return static_cast<u32>((a << 8 >> 8)) * static_cast<u32>(b << 8 >> 8);
     }>},
    {K(Code::kMul24, Type::kU32, kHighPart),
     &Map2<u32, u32, u32, [](u64 a, u64 b) { return ((a & 0xffffff) * (b & 0xffffff) >> 16); }>},
    {K(Code::kMul24, Type::kS32, kHighPart),
     &Map2<u32, i32, i32, [](i32 a, i32 b) {
       return (static_cast<i64>(a << 8 >> 8) * static_cast<i64>(b << 8 >> 8) >> 16);
     }>},
    {K(Code::kDiv, Type::kU16), &Map2<u16, u16, u16, [](u32 a, u32 b) { return DivideU32(a, b); }>},
    {K(Code::kDiv, Type::kS16), &Map2<i16, i16, i16, [](i32 a, i32 b) { return DivideS32(a, b); }>},
    {K(Code::kDiv, Type::kU32), &Map2<u32, u32, u32, DivideU32>},
    {K(Code::kDiv, Type::kS32), &Map2<i32, i32, i32, DivideS32>},
    {K(Code::kDiv, Type::kU64),
     &Map2<u64, u64, u64, [](u64 a, u64 b) { return b == 0 ? ~u64{0} : a / b; }>},
    {K(Code::kDiv, Type::kS64), &Map2<i64, i64, i64, DivideS64>},
    {K(Code::kRem, Type::kU16),
     &Map2<u16, u16, u16, [](u32 a, u32 b) { return a - DivideU32(a, b) * b; }>},
    {K(Code::kRem, Type::kS16),
     &Map2<i16, i16, i16, [](i32 a, i32 b) { return a - DivideS32(a, b) * b; }>},
    {K(Code::kRem, Type::kU32),
     &Map2<u32, u32, u32, [](u32 a, u32 b) { return a - DivideU32(a, b) * b; }>},
    {K(Code::kRem, Type::kS32),
     &Map2<u32, i32, i32, [](i32 a, i32 b) {
       return static_cast<u32>(a) - static_cast<u32>(DivideS32(a, b)) * static_cast<u32>(b);
     }>},
    {K(Code::kRem, Type::kU64),
     &Map2<u64, u64, u64, [](u64 a, u64 b) { return b == 0 ? a : a % b; }>},
    {K(Code::kRem, Type::kS64), &Map2<i64, i64, i64, RemainderS64>},
    {K(Code::kAbs, Type::kS16), &Map1<i16, i16, [](i32 a) { return a < 0 ? -a : a; }>},
    {K(Code::kAbs, Type::kS32), &Map1<u32, u32, [](u32 a) { return (a >> 31) ? 0 - a : a; }>},
    {K(Code::kAbs, Type::kS64), &Map1<u64, u64, [](u64 a) { return (a >> 63) ? 0 - a : a; }>},
    {K(Code::kNeg, Type::kU16), &Map1<u16, u16, [](u32 a) { return 0 - a; }>},
    {K(Code::kNeg, Type::kU32), &Map1<u32, u32, [](u32 a) { return 0 - a; }>},
    {K(Code::kNeg, Type::kU64), &Map1<u64, u64, [](u64 a) { return 0 - a; }>},
    {K(Code::kNot, Type::kU16), &Map1<u16, u16, [](u32 a) { return ~a; }>},
    {K(Code::kNot, Type::kU32), &Map1<u32, u32, [](u32 a) { return ~a; }>},
    {K(Code::kNot, Type::kU64), &Map1<u64, u64, [](u64 a) { return ~a; }>},
    {K(Code::kCnot, Type::kU16), &Map1<u16, u16, [](u32 a) { return a == 0 ? 1 : 0; }>},
    {K(Code::kCnot, Type::kU32), &Map1<u32, u32, [](u32 a) { return a == 0 ? 1 : 0; }>},
    {K(Code::kCnot, Type::kU64), &Map1<u64, u64, [](u64 a) { return a == 0 ? 1 : 0; }>},
    {K(Code::kShl, Type::kU16), &Map2<u16, u16, u32, Shl<u16>>},
    {K(Code::kShl, Type::kU32), &Map2<u32, u32, u32, Shl<u32>>},
    {K(Code::kShl, Type::kU64), &Map2<u64, u64, u32, Shl<u64>>},
    {K(Code::kShr, Type::kU16), &Map2<u16, u16, u32, Shr<u16>>},
    {K(Code::kShr, Type::kU32), &Map2<u32, u32, u32, Shr<u32>>},
    {K(Code::kShr, Type::kU64), &Map2<u64, u64, u32, Shr<u64>>},
    {K(Code::kShr, Type::kS16), &Map2<i16, i16, u32, Shr<i16>>},
    {K(Code::kShr, Type::kS32), &Map2<i32, i32, u32, Shr<i32>>},
    {K(Code::kShr, Type::kS64), &Map2<i64, i64, u32, Shr<i64>>},
    {K(Code::kPopc, Type::kU32), &Map1<u32, u32, [](u32 a) { return __builtin_popcount(a); }>},
    {K(Code::kPopc, Type::kU64), &Map1<u32, u64, [](u64 a) { return __builtin_popcountll(a); }>},
    {K(Code::kClz, Type::kU32),
     &Map1<u32, u32, [](u32 a) { return a == 0 ? 32 : __builtin_clz(a); }>},
    {K(Code::kClz, Type::kU64),
     &Map1<u32, u64, [](u64 a) { return a == 0 ? 64 : __builtin_clzll(a); }>},
    {K(Code::kBrev, Type::kU32), &Map1<u32, u32, Reverse>},
    {K(Code::kBrev, Type::kU64), &Map1<u64, u64, Reverse64>},
    {K(Code::kBfind, Type::kU32, 0), &Map1<u32, u32, [](u32 a) { return Bfind(a, false); }>},
    {K(Code::kBfind, Type::kS32, 0), &Map1<u32, i32, [](i32 a) { return Bfind(a, false); }>},
    {K(Code::kBfind, Type::kU64, 0), &Map1<u32, u64, [](u64 a) { return Bfind(a, false); }>},
    {K(Code::kBfind, Type::kS64, 0), &Map1<u32, i64, [](i64 a) { return Bfind(a, false); }>},
    {K(Code::kBfind, Type::kU32, 1), &Map1<u32, u32, [](u32 a) { return Bfind(a, true); }>},
    {K(Code::kBfind, Type::kS32, 1), &Map1<u32, i32, [](i32 a) { return Bfind(a, true); }>},
    {K(Code::kBfind, Type::kU64, 1), &Map1<u32, u64, [](u64 a) { return Bfind(a, true); }>},
    {K(Code::kBfind, Type::kS64, 1), &Map1<u32, i64, [](i64 a) { return Bfind(a, true); }>},
    {K(Code::kBfe, Type::kU32), &Map3<u32, u32, u32, u32, Bfe<u32, false>>},
    {K(Code::kBfe, Type::kS32), &Map3<u32, u32, u32, u32, Bfe<u32, true>>},
    {K(Code::kBfe, Type::kU64), &Map3<u64, u64, u32, u32, Bfe<u64, false>>},
    {K(Code::kBfe, Type::kS64), &Map3<u64, u64, u32, u32, Bfe<u64, true>>},
    {K(Code::kBfi, Type::kU32),
     [](Warp& w, const Op& op) {
       const u32 *a = Src<u32>(w, w.lists[op.list + 1]), *b = Src<u32>(w, w.lists[op.list + 2]);
       const u32 *c = Src<u32>(w, w.lists[op.list + 3]), *n = Src<u32>(w, w.lists[op.list + 4]);
       return Each(w, Dst<u32>(w, op.d), [=](int i) { return Bfi<u32>(a[i], b[i], c[i], n[i]); });
     }},
    {K(Code::kBfi, Type::kU64),
     [](Warp& w, const Op& op) {
       const u64 *a = Src<u64>(w, w.lists[op.list + 1]), *b = Src<u64>(w, w.lists[op.list + 2]);
       const u32 *c = Src<u32>(w, w.lists[op.list + 3]), *n = Src<u32>(w, w.lists[op.list + 4]);
       return Each(w, Dst<u64>(w, op.d), [=](int i) { return Bfi<u64>(a[i], b[i], c[i], n[i]); });
     }},
    {K(Code::kSad, Type::kU16),
     &Map3<u16, u16, u16, u16, [](u32 a, u32 b, u32 c) { return (a > b ? a - b : b - a) + c; }>},
    {K(Code::kSad, Type::kS16),
     &Map3<u16, i16, i16, u16, [](i32 a, i32 b, u32 c) { return static_cast<u32>(a > b ? a - b : b - a) + c; }>},
    {K(Code::kSad, Type::kU32),
     &Map3<u32, u32, u32, u32, [](u32 a, u32 b, u32 c) { return (a > b ? a - b : b - a) + c; }>},
    {K(Code::kSad, Type::kS32),
     &Map3<u32, i32, i32, u32, [](i64 a, i64 b, u32 c) { return static_cast<u32>(a > b ? a - b : b - a) + c; }>},
    {K(Code::kSad, Type::kU64),
     &Map3<u64, u64, u64, u64, [](u64 a, u64 b, u64 c) { return (a > b ? a - b : b - a) + c; }>},
    {K(Code::kSad, Type::kS64),
     &Map3<u64, i64, i64, u64, [](i64 a, i64 b, u64 c) {
       return (a > b ? static_cast<u64>(a) - static_cast<u64>(b)
                     : static_cast<u64>(b) - static_cast<u64>(a)) + c;
     }>},
    {K(Code::kAddSat, Type::kS32), &Map2<i32, i32, i32, [](i64 a, i64 b) { return Saturate32(a + b); }>},
    {K(Code::kSubSat, Type::kS32), &Map2<i32, i32, i32, [](i64 a, i64 b) { return Saturate32(a - b); }>},
    {K(Code::kPrmt, Type::kB32), &Permute},
    {K(Code::kLop3, Type::kB32), &Lop3},
    {K(Code::kShf, Type::kB32), &FunnelShift},
    {K(Code::kDp4a, Type::kB32), &DotProduct<4>},
    {K(Code::kDp2a, Type::kB32), &DotProduct<2>},
    {K(Code::kAbsDiff4, Type::kB32), &AbsDiff4},
    KW_PAIRS(kAdd, kU16x2, u16, a + b),
    KW_PAIRS(kMin, kU16x2, u16, (a < b ? a : b)),
    KW_PAIRS(kMax, kU16x2, u16, (a > b ? a : b)),
    KW_PAIRS(kMin, kS16x2, i16, (a < b ? a : b)),
    KW_PAIRS(kMax, kS16x2, i16, (a > b ? a : b)),
    {K(Code::kAddCarry, Type::kU32), &AddCarry<u32>},
    {K(Code::kAddCarry, Type::kU64), &AddCarry<u64>},
    {K(Code::kFns, Type::kB32), &FindNthSet},
};
#undef KW_WIDTHS
#undef KW_SIGNS
#undef KW_PAIRS

}  // namespace
}  // namespace kw::eval::emu
