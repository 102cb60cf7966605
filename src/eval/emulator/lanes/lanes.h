// Loops over the lanes of a warp. Included by the files of this folder only, which are compiled
// once for each instruction set: everything has internal linkage.
#pragma once

#include <cstring>
#include <type_traits>

#include "opcode.h"
#include "ptx_type.h"
#include "warp.h"
#ifdef __AVX2__
#include <immintrin.h>
#endif

namespace kw::eval::emu {
namespace {

using ptx::Type;
using u8 = uint8_t;
using u16 = uint16_t;
using u32 = uint32_t;
using u64 = uint64_t;
using i8 = int8_t;
using i16 = int16_t;
using i32 = int32_t;
using i64 = int64_t;

template <class T>
inline const T* Src(const Warp& w, u32 offset) {
  return static_cast<const T*>(
      __builtin_assume_aligned(w.base[offset >> 31] + (offset & 0x7fffffff), 64));
}
template <class T>
inline T* Dst(const Warp& w, u32 offset) {
  return static_cast<T*>(__builtin_assume_aligned(w.base[0] + offset, 64));
}

template <class To, class From>
inline To Bits(From from) {
  static_assert(sizeof(To) == sizeof(From));
  return __builtin_bit_cast(To, from);
}

inline bool Has(u32 mask, int lane) { return mask >> lane & 1; }
inline int First(u32 mask) { return __builtin_ctz(mask); }

// Writes the lanes of `mask`.
template <class T>
inline void Blend(T* to, const T* from, u32 mask) {
  for (int i = 0; i < kLanes; ++i) to[i] = (mask >> i & 1) ? from[i] : to[i];
}

template <class D, class F>
inline bool Each(Warp& w, D* d, F value) {
  if (w.write == kAllLanes) {
#pragma GCC ivdep
    for (int i = 0; i < kLanes; ++i) d[i] = value(i);
  } else {
    alignas(64) D r[kLanes];
    for (int i = 0; i < kLanes; ++i) r[i] = value(i);
    Blend(d, r, w.write);
  }
  return true;
}

template <class D, class A, auto F>
bool Map1(Warp& w, const Op& op) {
  const A* a = Src<A>(w, op.a);
  return Each(w, Dst<D>(w, op.d), [=](int i) -> D { return static_cast<D>(F(a[i])); });
}
template <class D, class A, class B, auto F>
bool Map2(Warp& w, const Op& op) {
  const A* a = Src<A>(w, op.a);
  const B* b = Src<B>(w, op.b);
  return Each(w, Dst<D>(w, op.d), [=](int i) -> D { return static_cast<D>(F(a[i], b[i])); });
}
template <class D, class A, class B, class C, auto F>
bool Map3(Warp& w, const Op& op) {
  const A* a = Src<A>(w, op.a);
  const B* b = Src<B>(w, op.b);
  const C* c = Src<C>(w, op.c);
  return Each(w, Dst<D>(w, op.d),
              [=](int i) -> D { return static_cast<D>(F(a[i], b[i], c[i])); });
}

// For values that only the lanes that execute may compute (division, rare scalar code).
template <class D, class F>
inline bool EachActive(Warp& w, D* d, F value) {
  for (u32 m = w.mask; m != 0; m &= m - 1) {
    const int i = First(m);
    d[i] = static_cast<D>(value(i));
  }
  return true;
}

// A mask of the lanes for which test(i) holds.
template <class F>
inline u32 MaskOf(F test) {
#ifdef __AVX2__
  alignas(64) u32 r[kLanes];
  for (int i = 0; i < kLanes; ++i) r[i] = test(i) ? ~0u : 0u;
  u32 mask = 0;
  for (int c = 0; c < 4; ++c) {
    const __m256 v = _mm256_load_ps(reinterpret_cast<const float*>(r + 8 * c));
    mask |= static_cast<u32>(_mm256_movemask_ps(v)) << (8 * c);
  }
  return mask;
#else
  u32 mask = 0;
  for (int i = 0; i < kLanes; ++i) mask |= static_cast<u32>(test(i) ? 1 : 0) << i;
  return mask;
#endif
}

// index * 2 + negated -> the lanes for which the predicate holds
inline u32 Predicate(const Warp& w, u32 coded) {
  return w.predicates[coded >> 1] ^ (0u - (coded & 1));
}
inline void SetPredicate(Warp& w, u32 index, u32 value) {
  u32& p = w.predicates[index];
  p = (p & ~w.write) | (value & w.write);
}

constexpr u32 K(Code code, Type type, u32 variant = 0) {
  return Key(static_cast<u32>(code), static_cast<u32>(type), variant);
}

}  // namespace
}  // namespace kw::eval::emu
