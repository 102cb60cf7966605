// Floating point arithmetic. f32 and f64 operations round once; 16-bit ones are computed in
// float, which is exact enough: 24 bits are more than twice 11 plus two.
#pragma once

#include <fenv.h>

#include "lanes/half.h"

namespace kw::eval::emu {
namespace {

template <bool kFlush>
inline float Flush(float x) {
  if constexpr (!kFlush) return x;
  const u32 bits = Bits<u32>(x);
  return Bits<float>((bits & 0x7f800000) == 0 ? bits & 0x80000000 : bits);
}

template <class T>
inline T AbsOf(T x) {
  if constexpr (sizeof(T) == 8)
    return Bits<double>(Bits<u64>(x) & ~(u64{1} << 63));
  else
    return Bits<float>(Bits<u32>(x) & 0x7fffffff);
}
template <class T>
inline T NegOf(T x) {
  if constexpr (sizeof(T) == 8)
    return Bits<double>(Bits<u64>(x) ^ u64{1} << 63);
  else
    return Bits<float>(Bits<u32>(x) ^ 0x80000000);
}

// A NaN operand gives the other one; zeros are ordered by sign.
template <class T>
inline T MaxOf(T a, T b) {
  using U = std::conditional_t<sizeof(T) == 8, u64, u32>;
  const T equal = Bits<T>(static_cast<U>(Bits<U>(a) & Bits<U>(b)));
  T r = a > b ? a : equal;
  r = a < b ? b : r;
  r = a != a ? b : r;
  return b != b ? a : r;
}
template <class T>
inline T MinOf(T a, T b) {
  using U = std::conditional_t<sizeof(T) == 8, u64, u32>;
  const T equal = Bits<T>(static_cast<U>(Bits<U>(a) | Bits<U>(b)));
  T r = a < b ? a : equal;
  r = a > b ? b : r;
  r = a != a ? b : r;
  return b != b ? a : r;
}
inline float QuietNan() { return Bits<float>(0x7fffffffu); }

template <u32 kMode, bool kMax>
inline float Extreme(float a, float b) {
  constexpr bool kFlushed = (kMode & kFtz) != 0;
  a = Flush<kFlushed>(a);
  b = Flush<kFlushed>(b);
  const u32 sign = (Bits<u32>(a) ^ Bits<u32>(b)) & 0x80000000;
  const float x = (kMode & kXorSign) ? AbsOf(a) : a, y = (kMode & kXorSign) ? AbsOf(b) : b;
  float r = kMax ? MaxOf(x, y) : MinOf(x, y);
  if constexpr ((kMode & kNanMode) != 0) r = ((a != a) | (b != b)) ? QuietNan() : r;
  if constexpr ((kMode & kXorSign) != 0) r = Bits<float>(Bits<u32>(r) | sign);
  return r;
}

template <bool kFlushed>
inline float FmaOf(float a, float b, float c) {
  return Flush<kFlushed>(
      __builtin_fmaf(Flush<kFlushed>(a), Flush<kFlushed>(b), Flush<kFlushed>(c)));
}

// Multiply-adds in a row share their first factor as a rule (an element of one matrix times a row
// of the other): it stays in registers.
template <bool kFlushed>
bool FmaRun(Warp& w, const Op& op) {
  const Op* at = &op;
  const Op* const end = at + op.repeats + 1;
#ifdef __AVX2__
  constexpr int kParts = kLanes / 8;
  while (!kFlushed && w.write == kAllLanes && at != end) {
    const u32 shared = at->a;
    const float* a = Src<float>(w, shared);
    __m256 factor[kParts];
    for (int i = 0; i < kParts; ++i) factor[i] = _mm256_load_ps(a + 8 * i);
    do {
      const float* b = Src<float>(w, at->b);
      const float* c = Src<float>(w, at->c);
      float* d = Dst<float>(w, at->d);
      for (int i = 0; i < kParts; ++i) {
        const __m256 sum = _mm256_load_ps(c + 8 * i);
        _mm256_store_ps(d + 8 * i, _mm256_fmadd_ps(factor[i], _mm256_load_ps(b + 8 * i), sum));
      }
      ++at;
    } while (at != end && at->a == shared && at[-1].d != shared);
  }
#endif
  for (; at != end; ++at) Map3<float, float, float, float, FmaOf<kFlushed>>(w, *at);
  return true;
}

// 2^x with an error of about one unit in the last place; exact for whole x.
inline float Exp2(float x) {
  const float bounded = x < -250.0f ? -250.0f : (x > 250.0f ? 250.0f : x);
  const float whole = __builtin_rintf(bounded);
  const float f = bounded - whole;
  float p = 1.5297323732103085e-05f;
  p = p * f + 0.00015461444703026103f;
  p = p * f + 0.0013333502386325756f;
  p = p * f + 0.009618056678510591f;
  p = p * f + 0.055504108839094145f;
  p = p * f + 0.24022650922288846f;
  p = p * f + 0.6931471805599453f;
  p = p * f + 1.0f;
  const i32 n = static_cast<i32>(whole);
  const i32 half = n >> 1;
  const float r = p * Bits<float>(static_cast<u32>(half + 127) << 23) *
                  Bits<float>(static_cast<u32>(n - half + 127) << 23);
  return x != x ? x : r;
}

inline float Log2(float x) {
  const bool tiny = x < 0x1p-126f;
  const float scaled = tiny ? x * 0x1p24f : x;
  const u32 bits = Bits<u32>(scaled);
  // The mantissa in [sqrt(1/2), sqrt(2)).
  const u32 shifted = bits - 0x3f3504f3u;
  const i32 e = static_cast<i32>(shifted) >> 23;
  const float m = Bits<float>((shifted & 0x7fffff) + 0x3f3504f3u);
  const float s = (m - 1.0f) / (m + 1.0f);
  const float q = s * s;
  float p = 0.3407186691589433f;
  p = p * q + 0.4116734254519476f;
  p = p * q + 0.5770835713647233f;
  p = p * q + 0.9617966734253386f;
  p = p * q + 2.8853900817900064f;
  float r = s * p + static_cast<float>(e - (tiny ? 24 : 0));
  r = x == 0 ? -__builtin_inff() : r;
  r = x == __builtin_inff() ? x : r;
  return x < 0 || x != x ? QuietNan() : r;
}

template <bool kCosine>
inline float SinCos(float x) {
  const double t = static_cast<double>(x);
  const double k = __builtin_rint(t * 0.63661977236758134308);
  const double r = t - k * 1.57079632679489661923;
  const double q = r * r;
  const double s =
      r + r * q * (-1.0 / 6 + q * (1.0 / 120 + q * (-1.0 / 5040 + q * (1.0 / 362880))));
  const double c =
      1 + q * (-0.5 + q * (1.0 / 24 + q * (-1.0 / 720 + q * (1.0 / 40320 - q / 3628800))));
  const bool sane = k > -1e9 && k < 1e9;
  const i32 n = static_cast<i32>(sane ? k : 0.0) + (kCosine ? 1 : 0);
  double v = (n & 1) != 0 ? c : s;
  v = (n & 2) != 0 ? -v : v;
  return sane ? static_cast<float>(v) : x - x;
}

inline float Tanh(float x) {
  const float a = AbsOf(x);
  const float e = Exp2(a * 2.885390081777927f);
  const float big = a > 10.0f ? 1.0f : 1.0f - 2.0f / (e + 1.0f);
  const float q = x * x;
  const float small = a * (1.0f + q * (-1.0f / 3 + q * (2.0f / 15)));
  const float r = a < 0.1f ? small : big;
  return x != x ? x : Bits<float>(Bits<u32>(r) | (Bits<u32>(x) & 0x80000000));
}

// ---- directed rounding: this machine's own ----

enum class RoundedOp : u8 { kAdd, kSub, kMul, kFma, kDiv, kRcp, kSqrt };

// Operands and result are volatile, so that the operation stays where the rounding is set.
template <class T, bool kFlush>
inline T RoundedLane(RoundedOp what, T a, T b, T c) {
  if constexpr (kFlush) {
    a = Flush<true>(a);
    b = Flush<true>(b);
    c = Flush<true>(c);
  }
  volatile T x = a, y = b, z = c, r = 0;
  switch (what) {
    case RoundedOp::kAdd:
      r = x + y;
      break;
    case RoundedOp::kSub:
      r = x - y;
      break;
    case RoundedOp::kMul:
      r = x * y;
      break;
    case RoundedOp::kFma:
      r = sizeof(T) == 8
              ? static_cast<T>(__builtin_fma(x, y, z))
              : static_cast<T>(__builtin_fmaf(static_cast<float>(x), static_cast<float>(y),
                                              static_cast<float>(z)));
      break;
    case RoundedOp::kDiv:
      r = x / y;
      break;
    case RoundedOp::kRcp:
      r = 1 / x;
      break;
    case RoundedOp::kSqrt:
      r = sizeof(T) == 8 ? static_cast<T>(__builtin_sqrt(x))
                         : static_cast<T>(__builtin_sqrtf(static_cast<float>(x)));
      break;
  }
  const T result = r;
  if constexpr (kFlush) return Flush<true>(result);
  return result;
}

// extra: RoundedOp | Rounding << 4
template <class T, bool kFlush>
bool Rounded(Warp& w, const Op& op) {
  const T *a = Src<T>(w, op.a), *b = Src<T>(w, op.b), *c = Src<T>(w, op.c);
  const RoundedOp what = static_cast<RoundedOp>(op.extra & 15);
  const Rounding mode = static_cast<Rounding>(op.extra >> 4);
  fesetround(mode == Rounding::kZero   ? FE_TOWARDZERO
             : mode == Rounding::kDown ? FE_DOWNWARD
             : mode == Rounding::kUp   ? FE_UPWARD
                                       : FE_TONEAREST);
  const bool done = EachActive(
      w, Dst<T>(w, op.d), [=](int i) { return RoundedLane<T, kFlush>(what, a[i], b[i], c[i]); });
  fesetround(FE_TONEAREST);
  return done;
}

// fma.rm.f32 stands in every expf: the product and the sum are exact enough in double, what is
// left out decides the last step.
template <Rounding kMode, bool kFlush>
bool FmaDirected(Warp& w, const Op& op) {
  const float *a = Src<float>(w, op.a), *b = Src<float>(w, op.b), *c = Src<float>(w, op.c);
  return Each(w, Dst<float>(w, op.d), [=](int i) {
    const double p =
        static_cast<double>(Flush<kFlush>(a[i])) * static_cast<double>(Flush<kFlush>(b[i]));
    const double z = static_cast<double>(Flush<kFlush>(c[i]));
    const double s = p + z;
    const double t = s - p;
    const double rest = (p - (s - t)) + (z - t);
    const float f = static_cast<float>(s);
    const double d = static_cast<double>(f);
    const bool above = d > s || (d == s && rest < 0);
    const bool below = d < s || (d == s && rest > 0);
    const u32 bits = Bits<u32>(f);
    const bool positive = (bits >> 31) == 0;
    const bool down = kMode == Rounding::kDown || (kMode == Rounding::kZero && positive);
    const u32 next = f == 0 ? (down ? 0x80000001u : 1u) : (positive == down ? bits - 1 : bits + 1);
    // An exact zero of unlike signs is -0 when rounding down.
    const u32 signs = static_cast<u32>((Bits<u64>(p) | Bits<u64>(z)) >> 32) & 0x80000000u;
    const u32 exact = kMode == Rounding::kDown && s == 0 ? signs : bits;
    return Flush<kFlush>(Bits<float>((down ? above : below) && f == f ? next : exact));
  });
}

template <bool kFlush>
inline float Testable(float x) {
  return Flush<kFlush>(x);
}

// ---- 16-bit formats ----

template <class H, bool kFlush>
inline u16 FlushHalf(u16 h) {
  if constexpr (!kFlush) return h;
  return (h & H::kExponent) == 0 ? h & 0x8000 : h;
}

// N is 32 for f16, 64 for f16x2.
template <class H, int N, bool kFlush, int kOperands, auto F>
bool HalfMap(Warp& w, const Op& op) {
  alignas(64) float x[3][N];
  alignas(64) u16 flushed[N];
  const u32 offsets[3] = {op.a, op.b, op.c};
  for (int k = 0; k < kOperands; ++k) {
    const u16* from = Src<u16>(w, offsets[k]);
    if constexpr (kFlush) {
      for (int i = 0; i < N; ++i) flushed[i] = FlushHalf<H, true>(from[i]);
      from = flushed;
    }
    H::template Load<N>(from, x[k]);
  }
  for (int i = 0; i < N; ++i) {
    if constexpr (kOperands == 1)
      x[0][i] = F(x[0][i]);
    else if constexpr (kOperands == 2)
      x[0][i] = F(x[0][i], x[1][i]);
    else
      x[0][i] = F(x[0][i], x[1][i], x[2][i]);
  }
  alignas(64) u16 r[N];
  H::template Store<N>(x[0], r);
  if constexpr (kFlush) {
    for (int i = 0; i < N; ++i) r[i] = FlushHalf<H, true>(r[i]);
  }
  if constexpr (N == kLanes) {
    u16* d = Dst<u16>(w, op.d);
    return Each(w, d, [&](int i) { return r[i]; });
  } else {
    u32* d = Dst<u32>(w, op.d);
    const u32* pairs = reinterpret_cast<const u32*>(r);
    return Each(w, d, [&](int i) { return pairs[i]; });
  }
}

inline float HalfFma(float a, float b, float c) {
  const float p = a * b;
  const float s = p + c;
  const float t = s - p;
  return RoundToOdd(s, (p - (s - t)) + (c - t));
}
// The product of two bf16 may leave float's range, so the sum is made in double.
inline float Bf16Fma(float a, float b, float c) {
  const double p = static_cast<double>(a) * static_cast<double>(b);
  const double s = p + static_cast<double>(c);
  const double t = s - p;
  const double rest = (p - (s - t)) + (static_cast<double>(c) - t);
  const float f = static_cast<float>(s);
  const double d = static_cast<double>(f);
  return RoundToOdd(f, static_cast<float>(s != d ? (s > d ? 1.0 : -1.0) : rest));
}
inline float HalfRelu(float x) { return x > 0 || x != x ? x : 0.0f; }
inline float Clamp01(float x) { return x > 0 ? (x < 1 ? x : 1.0f) : 0.0f; }

#define KW_F32(code, N, F)                                                           \
  {K(Code::code, Type::kF32), &Map##N<KW_ARGS##N(float),                             \
                                      [](KW_P##N(float)) {                           \
                                        constexpr bool kZ = false;                   \
                                        (void)kZ;                                    \
                                        return F;                                    \
                                      }>},                                           \
  {                                                                                  \
    K(Code::code, Type::kF32, kFtz), &Map##N<KW_ARGS##N(float), [](KW_P##N(float)) { \
      constexpr bool kZ = true;                                                      \
      return F;                                                                      \
    }>                                                                               \
  }
#define KW_ARGS1(T) T, T
#define KW_ARGS2(T) T, T, T
#define KW_ARGS3(T) T, T, T, T
#define KW_P1(T) T a
#define KW_P2(T) T a, T b
#define KW_P3(T) T a, T b, T c
#define KW_Z(x) Flush<kZ>(x)
#define KW_F64(code, N, F)                                                                    \
  {                                                                                           \
    K(Code::code, Type::kF64), &Map##N<KW_ARGS##N(double), [](KW_P##N(double)) { return F; }> \
  }
#define KW_HALF(code, N, F)                                                                    \
  {K(Code::code, Type::kF16), &HalfMap<Fp16, 32, false, N, [](KW_P##N(float)) { return F; }>}, \
      {K(Code::code, Type::kF16, kFtz),                                                        \
       &HalfMap<Fp16, 32, true, N, [](KW_P##N(float)) { return F; }>},                         \
      {K(Code::code, Type::kF16x2),                                                            \
       &HalfMap<Fp16, 64, false, N, [](KW_P##N(float)) { return F; }>},                        \
  {                                                                                            \
    K(Code::code, Type::kF16x2, kFtz),                                                         \
        &HalfMap<Fp16, 64, true, N, [](KW_P##N(float)) { return F; }>                          \
  }
#define KW_BF16(code, N, F)                                                                       \
  {K(Code::code, Type::kBf16), &HalfMap<Bf16, 32, false, N, [](KW_P##N(float)) { return F; }>}, { \
    K(Code::code, Type::kBf16x2), &HalfMap<Bf16, 64, false, N, [](KW_P##N(float)) { return F; }>  \
  }
#define KW_EXTREME_F32(code, kMax, mode) \
  { K(Code::code, Type::kF32, mode), &Map2<float, float, float, Extreme<mode, kMax>> }
// Halves are flushed when they are loaded.
#define KW_EXTREME_16(code, kMax, mode)                                                          \
  {K(Code::code, Type::kF16, mode), &HalfMap<Fp16, 32, false, 2, Extreme<mode, kMax>>},          \
      {K(Code::code, Type::kF16, mode + 1), &HalfMap<Fp16, 32, true, 2, Extreme<mode, kMax>>},   \
      {K(Code::code, Type::kF16x2, mode), &HalfMap<Fp16, 64, false, 2, Extreme<mode, kMax>>},    \
      {K(Code::code, Type::kF16x2, mode + 1), &HalfMap<Fp16, 64, true, 2, Extreme<mode, kMax>>}, \
      {K(Code::code, Type::kBf16, mode), &HalfMap<Bf16, 32, false, 2, Extreme<mode, kMax>>}, {   \
    K(Code::code, Type::kBf16x2, mode), &HalfMap<Bf16, 64, false, 2, Extreme<mode, kMax>>        \
  }
#define KW_EXTREME(code, kMax)                                                                     \
  KW_EXTREME_F32(code, kMax, 0), KW_EXTREME_F32(code, kMax, 1), KW_EXTREME_F32(code, kMax, 2),     \
      KW_EXTREME_F32(code, kMax, 3), KW_EXTREME_F32(code, kMax, 4), KW_EXTREME_F32(code, kMax, 5), \
      KW_EXTREME_F32(code, kMax, 6), KW_EXTREME_F32(code, kMax, 7), KW_EXTREME_16(code, kMax, 0),  \
      KW_EXTREME_16(code, kMax, 2), KW_EXTREME_16(code, kMax, 4), KW_EXTREME_16(code, kMax, 6)

constexpr HandlerEntry kReal[] = {
    KW_F32(kAdd, 2, KW_Z(KW_Z(a) + KW_Z(b))),
    KW_F32(kSub, 2, KW_Z(KW_Z(a) - KW_Z(b))),
    KW_F32(kMul, 2, KW_Z(KW_Z(a) * KW_Z(b))),
    {K(Code::kFma, Type::kF32), &FmaRun<false>},
    {K(Code::kFma, Type::kF32, kFtz), &FmaRun<true>},
    KW_F32(kDiv, 2, KW_Z(KW_Z(a) / KW_Z(b))),
    KW_F32(kAbs, 1, KW_Z(AbsOf(a))),
    KW_F32(kNeg, 1, KW_Z(NegOf(a))),
    KW_F32(kSqrt, 1, KW_Z(__builtin_sqrtf(KW_Z(a)))),
    KW_F32(kRcp, 1, KW_Z(1.0f / KW_Z(a))),
    KW_F32(kRsqrt, 1, KW_Z(1.0f / __builtin_sqrtf(KW_Z(a)))),
    KW_F32(kEx2, 1, KW_Z(Exp2(KW_Z(a)))),
    KW_F32(kLg2, 1, KW_Z(Log2(KW_Z(a)))),
    KW_F32(kSin, 1, KW_Z(SinCos<false>(KW_Z(a)))),
    KW_F32(kCos, 1, KW_Z(SinCos<true>(KW_Z(a)))),
    KW_F32(kTanh, 1, KW_Z(Tanh(KW_Z(a)))),
    KW_F32(kSaturate, 1, KW_Z(Clamp01(KW_Z(a)))),
    KW_F32(kRelu, 1, KW_Z(HalfRelu(KW_Z(a)))),
    {K(Code::kCopysign, Type::kF32),
     &Map2<u32, u32, u32, [](u32 a, u32 b) { return (b & 0x7fffffff) | (a & 0x80000000); }>},
    {K(Code::kCopysign, Type::kF64),
     &Map2<u64, u64, u64, [](u64 a, u64 b) { return (b & ~(u64{1} << 63)) | (a & u64{1} << 63); }>},
    KW_F64(kAdd, 2, a + b),
    KW_F64(kSub, 2, a - b),
    KW_F64(kMul, 2, a* b),
    KW_F64(kFma, 3, __builtin_fma(a, b, c)),
    KW_F64(kDiv, 2, a / b),
    KW_F64(kAbs, 1, AbsOf(a)),
    KW_F64(kNeg, 1, NegOf(a)),
    KW_F64(kMin, 2, MinOf(a, b)),
    KW_F64(kMax, 2, MaxOf(a, b)),
    KW_F64(kSqrt, 1, __builtin_sqrt(a)),
    KW_F64(kRcp, 1, 1.0 / a),
    KW_F64(kRsqrt, 1, 1.0 / __builtin_sqrt(a)),
    KW_F64(kSaturate, 1, (a > 0 ? (a < 1 ? a : 1.0) : 0.0)),
    KW_EXTREME(kMin, false),
    KW_EXTREME(kMax, true),
    KW_HALF(kAdd, 2, a + b),
    KW_HALF(kSub, 2, a - b),
    KW_HALF(kMul, 2, a* b),
    KW_HALF(kFma, 3, HalfFma(a, b, c)),
    KW_HALF(kEx2, 1, Exp2(a)),
    KW_HALF(kTanh, 1, Tanh(a)),
    KW_HALF(kSaturate, 1, Clamp01(a)),
    KW_HALF(kRelu, 1, HalfRelu(a)),
    KW_BF16(kAdd, 2, a + b),
    KW_BF16(kSub, 2, a - b),
    KW_BF16(kMul, 2, a* b),
    KW_BF16(kFma, 3, Bf16Fma(a, b, c)),
    KW_BF16(kEx2, 1, Exp2(a)),
    KW_BF16(kTanh, 1, Tanh(a)),
    KW_BF16(kSaturate, 1, Clamp01(a)),
    KW_BF16(kRelu, 1, HalfRelu(a)),
    {K(Code::kAbs, Type::kF16), &Map1<u16, u16, [](u32 a) { return a & 0x7fff; }>},
    {K(Code::kAbs, Type::kF16x2), &Map1<u32, u32, [](u32 a) { return a & 0x7fff7fff; }>},
    {K(Code::kNeg, Type::kF16), &Map1<u16, u16, [](u32 a) { return a ^ 0x8000; }>},
    {K(Code::kNeg, Type::kF16x2), &Map1<u32, u32, [](u32 a) { return a ^ 0x80008000; }>},
    {K(Code::kAbs, Type::kF16, kFtz), &HalfMap<Fp16, 32, true, 1, AbsOf<float>>},
    {K(Code::kAbs, Type::kF16x2, kFtz), &HalfMap<Fp16, 64, true, 1, AbsOf<float>>},
    {K(Code::kNeg, Type::kF16, kFtz), &HalfMap<Fp16, 32, true, 1, NegOf<float>>},
    {K(Code::kNeg, Type::kF16x2, kFtz), &HalfMap<Fp16, 64, true, 1, NegOf<float>>},
    {K(Code::kRounded, Type::kF32), &Rounded<float, false>},
    {K(Code::kRounded, Type::kF32, kFtz), &Rounded<float, true>},
    {K(Code::kRounded, Type::kF64), &Rounded<double, false>},
    {K(Code::kFma, Type::kF32, 16 * static_cast<u32>(Rounding::kDown)),
     &FmaDirected<Rounding::kDown, false>},
    {K(Code::kFma, Type::kF32, 16 * static_cast<u32>(Rounding::kDown) + kFtz),
     &FmaDirected<Rounding::kDown, true>},
    {K(Code::kFma, Type::kF32, 16 * static_cast<u32>(Rounding::kUp)),
     &FmaDirected<Rounding::kUp, false>},
    {K(Code::kFma, Type::kF32, 16 * static_cast<u32>(Rounding::kUp) + kFtz),
     &FmaDirected<Rounding::kUp, true>},
    {K(Code::kFma, Type::kF32, 16 * static_cast<u32>(Rounding::kZero)),
     &FmaDirected<Rounding::kZero, false>},
    {K(Code::kFma, Type::kF32, 16 * static_cast<u32>(Rounding::kZero) + kFtz),
     &FmaDirected<Rounding::kZero, true>},
};
#undef KW_F32
#undef KW_F64
#undef KW_HALF
#undef KW_BF16
#undef KW_EXTREME
#undef KW_EXTREME_16
#undef KW_EXTREME_F32
#undef KW_Z

}  // namespace
}  // namespace kw::eval::emu
