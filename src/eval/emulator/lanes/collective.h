// Instructions in which the lanes of a warp meet: shuffles, votes, matches, reductions.
// The scheduler has made sure that the lanes of the member mask (register `c`) are here, or has
// reported that they cannot come.
#pragma once

#include "lanes/lanes.h"

namespace kw::eval::emu {
namespace {

enum class ShuffleMode : u32 { kUp, kDown, kButterfly, kIndex };

// The lane that each one reads, itself where that lies outside of its segment; returns who reads
// inside.
template <ShuffleMode kMode>
inline u32 SourceLanes(const u32* b, const u32* c, u32* source) {
  alignas(64) u32 inside[kLanes];
  for (u32 i = 0; i < kLanes; ++i) {
    const u32 value = b[i] & 31, clamp = c[i] & 31, segment = c[i] >> 8 & 31;
    const u32 least = i & segment, most = least | (clamp & ~segment);
    const u32 j = kMode == ShuffleMode::kUp          ? i - value
                  : kMode == ShuffleMode::kDown      ? i + value
                  : kMode == ShuffleMode::kButterfly ? i ^ value
                                                     : least | (value & ~segment);
    const bool ok =
        kMode == ShuffleMode::kUp ? static_cast<i32>(j) >= static_cast<i32>(most) : j <= most;
    source[i] = ok ? j & 31 : i;
    inside[i] = ok ? 1 : 0;
  }
  return MaskOf([&](int i) { return inside[i] != 0; });
}

// d, a = value, b = lane or offset, list[0] = clamp and segments; target = predicate of a source
// inside the segment. A source lane that does not take part gives an undefined value: poison.
template <ShuffleMode kMode>
bool Shuffle(Warp& w, const Op& op) {
  const u32* a = Src<u32>(w, op.a);
  alignas(64) u32 source[kLanes], r[kLanes];
  const u32 inside = SourceLanes<kMode>(Src<u32>(w, op.b), Src<u32>(w, w.lists[op.list]), source);
  const u32 here = w.mask, poison = *w.poison;
  if (here == kAllLanes) {
    for (int i = 0; i < kLanes; ++i) r[i] = a[source[i]];
  } else {
    for (int i = 0; i < kLanes; ++i)
      r[i] = Has(here, static_cast<int>(source[i])) ? a[source[i]] : poison;
  }
  if (op.d != kNoPredicate) Each(w, Dst<u32>(w, op.d), [&](int i) { return r[i]; });
  if (op.target != kNoPredicate) SetPredicate(w, op.target, inside);
  return true;
}

// extra: 0 all 1 any 2 uni 3 ballot; a = predicate
bool Vote(Warp& w, const Op& op) {
  const u32 members = Src<u32>(w, op.c)[First(w.mask)] & w.mask;
  const u32 yes = Predicate(w, op.a) & members;
  switch (op.extra) {
    case 0:
      SetPredicate(w, op.d, yes == members ? ~0u : 0);
      break;
    case 1:
      SetPredicate(w, op.d, yes != 0 ? ~0u : 0);
      break;
    case 2:
      SetPredicate(w, op.d, yes == members || yes == 0 ? ~0u : 0);
      break;
    default:
      return Each(w, Dst<u32>(w, op.d), [=](int) { return yes; });
  }
  return true;
}

// extra: bit 0: all (else any); target: predicate of match.all
template <class T>
bool Match(Warp& w, const Op& op) {
  const T* a = Src<T>(w, op.a);
  const u32 members = Src<u32>(w, op.c)[First(w.mask)] & w.mask;
  alignas(64) u32 r[kLanes] = {};
  for (u32 m = members; m != 0; m &= m - 1) {
    const int i = First(m);
    for (u32 n = members; n != 0; n &= n - 1) {
      const int j = First(n);
      if (a[i] == a[j]) r[i] |= 1u << j;
    }
  }
  if (op.extra & 1) {
    const bool all = members != 0 && r[First(members)] == members;
    for (u32& v : r) v = all ? members : 0;
    if (op.target != kNoPredicate) SetPredicate(w, op.target, all ? ~0u : 0);
  }
  if (op.d == kNoPredicate) return true;
  return Each(w, Dst<u32>(w, op.d), [&](int i) { return r[i]; });
}

// extra: 0 add 1 min 2 max 3 and 4 or 5 xor, +8 signed
bool Redux(Warp& w, const Op& op) {
  const u32* a = Src<u32>(w, op.a);
  const u32 members = Src<u32>(w, op.c)[First(w.mask)] & w.mask;
  u32 r = a[First(members)];
  for (u32 m = members & (members - 1); m != 0; m &= m - 1) {
    const u32 x = a[First(m)];
    const bool less = (op.extra & 8) != 0 ? static_cast<i32>(x) < static_cast<i32>(r) : x < r;
    switch (op.extra & 7) {
      case 0:
        r += x;
        break;
      case 1:
        r = less ? x : r;
        break;
      case 2:
        r = less ? r : x;
        break;
      case 3:
        r &= x;
        break;
      case 4:
        r |= x;
        break;
      default:
        r ^= x;
        break;
    }
  }
  return Each(w, Dst<u32>(w, op.d), [=](int) { return r; });
}

bool ActiveMask(Warp& w, const Op& op) {
  const u32 mask = w.mask;
  return Each(w, Dst<u32>(w, op.d), [=](int) { return mask; });
}

bool Elect(Warp& w, const Op& op) {
  const u32 leader = static_cast<u32>(First(w.mask));
  if (op.target != kNoPredicate) SetPredicate(w, op.target, 1u << leader);
  if (op.d == kNoPredicate) return true;
  return Each(w, Dst<u32>(w, op.d), [=](int) { return leader; });
}

constexpr HandlerEntry kCollectives[] = {
    {K(Code::kShuffle, Type::kB32, 0), &Shuffle<ShuffleMode::kUp>},
    {K(Code::kShuffle, Type::kB32, 1), &Shuffle<ShuffleMode::kDown>},
    {K(Code::kShuffle, Type::kB32, 2), &Shuffle<ShuffleMode::kButterfly>},
    {K(Code::kShuffle, Type::kB32, 3), &Shuffle<ShuffleMode::kIndex>},
    {K(Code::kVote, Type::kPred), &Vote},
    {K(Code::kMatch, Type::kU32), &Match<u32>},
    {K(Code::kMatch, Type::kU64), &Match<u64>},
    {K(Code::kRedux, Type::kU32), &Redux},
    {K(Code::kActiveMask, Type::kNone), &ActiveMask},
    {K(Code::kElect, Type::kNone), &Elect},
};

}  // namespace
}  // namespace kw::eval::emu
