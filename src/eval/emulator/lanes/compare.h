// setp, selp and the logic of predicates.
#pragma once

#include "lanes/half.h"

namespace kw::eval::emu {
namespace {

template <Compare kOp, class T>
inline bool Test(T a, T b) {
  if constexpr (kOp == Compare::kEq) return a == b;
  if constexpr (kOp == Compare::kNe) return a < b || a > b;
  if constexpr (kOp == Compare::kLt) return a < b;
  if constexpr (kOp == Compare::kLe) return a <= b;
  if constexpr (kOp == Compare::kGt) return a > b;
  if constexpr (kOp == Compare::kGe) return a >= b;
  if constexpr (kOp == Compare::kEqu) return !(a < b || a > b);
  if constexpr (kOp == Compare::kNeu) return !(a == b);
  if constexpr (kOp == Compare::kLtu) return !(a >= b);
  if constexpr (kOp == Compare::kLeu) return !(a > b);
  if constexpr (kOp == Compare::kGtu) return !(a <= b);
  if constexpr (kOp == Compare::kGeu) return !(a < b);
  if constexpr (kOp == Compare::kNum) return a == a && b == b;
  if constexpr (kOp == Compare::kNan) return a != a || b != b;
}

inline u32 Joined(const Warp& w, const Op& op, u32 r) {
  switch (static_cast<Combine>(op.extra)) {
    case Combine::kNone:
      return r;
    case Combine::kAnd:
      return r & Predicate(w, op.c);
    case Combine::kOr:
      return r | Predicate(w, op.c);
    case Combine::kXor:
      return r ^ Predicate(w, op.c);
  }
  return r;
}

// p = test, joined with c; q (in `target`) = not test, joined with c.
inline bool Finish(Warp& w, const Op& op, u32 r) {
  const u32 p = Joined(w, op, r);
  const u32 q = Joined(w, op, ~r);
  if (op.d != kNoPredicate) SetPredicate(w, op.d, p);
  if (op.target != kNoPredicate) SetPredicate(w, op.target, q);
  return true;
}

template <class T, Compare kOp, bool kFlush = false>
bool Setp(Warp& w, const Op& op) {
  const T *a = Src<T>(w, op.a), *b = Src<T>(w, op.b);
  if constexpr (kFlush) {
    const auto flush = [](float x) {
      const u32 bits = Bits<u32>(x);
      return Bits<float>((bits & 0x7f800000) == 0 ? bits & 0x80000000 : bits);
    };
    return Finish(w, op, MaskOf([=](int i) { return Test<kOp>(flush(a[i]), flush(b[i])); }));
  } else if constexpr (kOp == Compare::kNe && static_cast<T>(0.5) == T{0}) {
    return Finish(w, op, MaskOf([=](int i) { return a[i] != b[i]; }));
  } else {
    return Finish(w, op, MaskOf([=](int i) { return Test<kOp>(a[i], b[i]); }));
  }
}

inline bool TestFloat(Compare op, float a, float b) {
  switch (op) {
    case Compare::kEq:
      return Test<Compare::kEq>(a, b);
    case Compare::kNe:
      return Test<Compare::kNe>(a, b);
    case Compare::kLt:
      return Test<Compare::kLt>(a, b);
    case Compare::kLe:
      return Test<Compare::kLe>(a, b);
    case Compare::kGt:
      return Test<Compare::kGt>(a, b);
    case Compare::kGe:
      return Test<Compare::kGe>(a, b);
    case Compare::kEqu:
      return Test<Compare::kEqu>(a, b);
    case Compare::kNeu:
      return Test<Compare::kNeu>(a, b);
    case Compare::kLtu:
      return Test<Compare::kLtu>(a, b);
    case Compare::kLeu:
      return Test<Compare::kLeu>(a, b);
    case Compare::kGtu:
      return Test<Compare::kGtu>(a, b);
    case Compare::kGeu:
      return Test<Compare::kGeu>(a, b);
    case Compare::kNum:
      return Test<Compare::kNum>(a, b);
    case Compare::kNan:
      return Test<Compare::kNan>(a, b);
  }
  return false;
}

// 16-bit operands as floats; imm holds the comparison, and kFlushHalves for .ftz.
template <class H, int N>
void LoadCompared(Warp& w, const Op& op, u32 offset, float* to) {
  H::template Load<N>(Src<u16>(w, offset), to);
  if ((op.imm & kFlushHalves) == 0) return;
  for (int i = 0; i < N; ++i) {
    const bool tiny = to[i] < 0x1p-14f && to[i] > -0x1p-14f;
    to[i] = tiny ? 0.0f : to[i];
  }
}
template <class H>
bool SetpHalf(Warp& w, const Op& op) {
  alignas(64) float a[kLanes], b[kLanes];
  LoadCompared<H, kLanes>(w, op, op.a, a);
  LoadCompared<H, kLanes>(w, op, op.b, b);
  const Compare how = static_cast<Compare>(op.imm & ~kFlushHalves);
  u32 r = 0;
  for (int i = 0; i < kLanes; ++i) r |= static_cast<u32>(TestFloat(how, a[i], b[i])) << i;
  return Finish(w, op, r);
}

// Two comparisons of a pair; p for the low halves, q for the high ones.
template <class H>
bool SetpHalf2(Warp& w, const Op& op) {
  alignas(64) float a[2 * kLanes], b[2 * kLanes];
  LoadCompared<H, 2 * kLanes>(w, op, op.a, a);
  LoadCompared<H, 2 * kLanes>(w, op, op.b, b);
  const Compare how = static_cast<Compare>(op.imm & ~kFlushHalves);
  u32 low = 0, high = 0;
  for (int i = 0; i < kLanes; ++i) {
    low |= static_cast<u32>(TestFloat(how, a[2 * i], b[2 * i])) << i;
    high |= static_cast<u32>(TestFloat(how, a[2 * i + 1], b[2 * i + 1])) << i;
  }
  if (op.d != kNoPredicate) SetPredicate(w, op.d, Joined(w, op, low));
  if (op.target != kNoPredicate) SetPredicate(w, op.target, Joined(w, op, high));
  return true;
}

template <class T>
bool Selp(Warp& w, const Op& op) {
  const T *a = Src<T>(w, op.a), *b = Src<T>(w, op.b);
  const u32 p = Predicate(w, op.c);
  return Each(w, Dst<T>(w, op.d), [=](int i) { return (p >> i & 1) != 0 ? a[i] : b[i]; });
}

bool PredicateLogic(Warp& w, const Op& op) {
  const u32 a = Predicate(w, op.a), b = Predicate(w, op.b);
  switch (static_cast<PredicateOp>(op.extra)) {
    case PredicateOp::kMove:
      SetPredicate(w, op.d, a);
      break;
    case PredicateOp::kAnd:
      SetPredicate(w, op.d, a & b);
      break;
    case PredicateOp::kOr:
      SetPredicate(w, op.d, a | b);
      break;
    case PredicateOp::kXor:
      SetPredicate(w, op.d, a ^ b);
      break;
  }
  return true;
}

// testp: imm 0 finite 1 infinite 2 number 3 notanumber 4 normal 5 subnormal
template <class T>
bool Testp(Warp& w, const Op& op) {
  using U = std::conditional_t<sizeof(T) == 8, u64, u32>;
  constexpr int kMantissa = sizeof(T) == 8 ? 52 : 23;
  constexpr U kExponents = sizeof(T) == 8 ? U{0x7ff} : U{0xff};
  const U* a = Src<U>(w, op.a);
  const u64 what = op.imm;
  u32 r = 0;
  for (int i = 0; i < kLanes; ++i) {
    const U e = a[i] >> kMantissa & kExponents;
    const U m = a[i] & ((U{1} << kMantissa) - 1);
    bool yes = false;
    switch (what) {
      case 0:
        yes = e != kExponents;
        break;
      case 1:
        yes = e == kExponents && m == 0;
        break;
      case 2:
        yes = !(e == kExponents && m != 0);
        break;
      case 3:
        yes = e == kExponents && m != 0;
        break;
      case 4:
        yes = e != 0 && e != kExponents;
        break;
      case 5:
        yes = e == 0 && m != 0;
        break;
    }
    r |= static_cast<u32>(yes) << i;
  }
  return Finish(w, op, r);
}

#define KW_CMP(T, type, op) \
  { K(Code::kSetp, Type::type, static_cast<u32>(Compare::op)), &Setp<T, Compare::op> }
#define KW_CMP_INT(T, type)                                                               \
  KW_CMP(T, type, kEq), KW_CMP(T, type, kNe), KW_CMP(T, type, kLt), KW_CMP(T, type, kLe), \
      KW_CMP(T, type, kGt), KW_CMP(T, type, kGe)
#define KW_CMP_FLOAT(T, type)                                                                     \
  KW_CMP_INT(T, type), KW_CMP(T, type, kEqu), KW_CMP(T, type, kNeu), KW_CMP(T, type, kLtu),       \
      KW_CMP(T, type, kLeu), KW_CMP(T, type, kGtu), KW_CMP(T, type, kGeu), KW_CMP(T, type, kNum), \
      KW_CMP(T, type, kNan)
#define KW_CMP_FTZ(op)                                              \
  {                                                                 \
    K(Code::kSetp, Type::kF32, static_cast<u32>(Compare::op) + 16), \
        &Setp<float, Compare::op, true>                             \
  }

constexpr HandlerEntry kCompare[] = {
    KW_CMP_INT(u16, kU16),
    KW_CMP_INT(i16, kS16),
    KW_CMP_INT(u32, kU32),
    KW_CMP_INT(i32, kS32),
    KW_CMP_INT(u64, kU64),
    KW_CMP_INT(i64, kS64),
    KW_CMP_FLOAT(float, kF32),
    KW_CMP_FLOAT(double, kF64),
    KW_CMP_FTZ(kEq),
    KW_CMP_FTZ(kNe),
    KW_CMP_FTZ(kLt),
    KW_CMP_FTZ(kLe),
    KW_CMP_FTZ(kGt),
    KW_CMP_FTZ(kGe),
    KW_CMP_FTZ(kEqu),
    KW_CMP_FTZ(kNeu),
    KW_CMP_FTZ(kLtu),
    KW_CMP_FTZ(kLeu),
    KW_CMP_FTZ(kGtu),
    KW_CMP_FTZ(kGeu),
    KW_CMP_FTZ(kNum),
    KW_CMP_FTZ(kNan),
    {K(Code::kSetp, Type::kF16), &SetpHalf<Fp16>},
    {K(Code::kSetp, Type::kBf16), &SetpHalf<Bf16>},
    {K(Code::kSetp, Type::kF16x2), &SetpHalf2<Fp16>},
    {K(Code::kSetp, Type::kBf16x2), &SetpHalf2<Bf16>},
    {K(Code::kTestp, Type::kF32), &Testp<float>},
    {K(Code::kTestp, Type::kF64), &Testp<double>},
    {K(Code::kSelp, Type::kU16), &Selp<u16>},
    {K(Code::kSelp, Type::kU32), &Selp<u32>},
    {K(Code::kSelp, Type::kU64), &Selp<u64>},
    {K(Code::kPredicate, Type::kPred), &PredicateLogic},
};
#undef KW_CMP
#undef KW_CMP_INT
#undef KW_CMP_FLOAT
#undef KW_CMP_FTZ

}  // namespace
}  // namespace kw::eval::emu
