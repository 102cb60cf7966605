// ld and st in all spaces. Values narrower than a register are widened by an instruction of
// their own, so a memory element is as wide as its register, but for bytes (in 16-bit ones).
#pragma once

#include "lanes/authors.h"

namespace kw::eval::emu {
namespace {

template <class R, int N>
struct Registers {
  R* at[N];
};
template <class R, int N>
inline Registers<R, N> Results(const Warp& w, const Op& op) {
  Registers<R, N> r;
  if constexpr (N == 1) {
    r.at[0] = Dst<R>(w, op.d);
  } else {
    for (u32 k = 0; k < N; ++k) r.at[k] = Dst<R>(w, w.lists[op.list + k]);
  }
  return r;
}
template <class R, int N>
inline Registers<const R, N> Values(const Warp& w, const Op& op) {
  Registers<const R, N> r;
  if constexpr (N == 1) {
    r.at[0] = Src<R>(w, op.b);
  } else {
    for (u32 k = 0; k < N; ++k) r.at[k] = Src<R>(w, w.lists[op.list + 1 + k]);
  }
  return r;
}

template <class M>
inline M Get(const char* from) {
  M value;
  __builtin_memcpy(&value, from, sizeof(M));
  return value;
}
template <class M>
inline void Put(char* to, M value) {
  __builtin_memcpy(to, &value, sizeof(M));
}

// Lanes [from, to) one by one, as many as 4 or 8; four words a lane are turned in registers.
template <class M, class R, int N, class Delta>
inline void GatherLanes(int from, int to, const Delta* delta, const char* host,
                        const Registers<R, N>& d) {
  if constexpr (N == 4 && sizeof(M) == 4 && sizeof(R) == 4) {
    using Four = u32 __attribute__((vector_size(16)));
    for (int i = from; i < to; i += 4) {
      Four lane[4];
      for (int j = 0; j < 4; ++j) __builtin_memcpy(&lane[j], host + delta[i + j], sizeof(Four));
      const Four low[2] = {__builtin_shufflevector(lane[0], lane[1], 0, 4, 1, 5),
                           __builtin_shufflevector(lane[2], lane[3], 0, 4, 1, 5)};
      const Four high[2] = {__builtin_shufflevector(lane[0], lane[1], 2, 6, 3, 7),
                            __builtin_shufflevector(lane[2], lane[3], 2, 6, 3, 7)};
      const Four column[4] = {__builtin_shufflevector(low[0], low[1], 0, 1, 4, 5),
                              __builtin_shufflevector(low[0], low[1], 2, 3, 6, 7),
                              __builtin_shufflevector(high[0], high[1], 0, 1, 4, 5),
                              __builtin_shufflevector(high[0], high[1], 2, 3, 6, 7)};
      for (int k = 0; k < 4; ++k) __builtin_memcpy(d.at[k] + i, &column[k], sizeof(Four));
    }
  } else {
    for (int i = from; i < to; ++i) {
      const char* at = host + delta[i];
      for (int k = 0; k < N; ++k) {
        d.at[k][i] = static_cast<R>(Get<M>(at + k * static_cast<int>(sizeof(M))));
      }
    }
  }
}

// From host memory to registers, by the shape of the pattern.
template <class M, class R, int N, class Delta>
inline void Gather(Warp& w, const Site& s, const Delta* delta, const char* host,
                   const Registers<R, N>& d) {
  if (s.shape == Site::kContiguous) {
    const M* from = reinterpret_cast<const M*>(host);
    for (int k = 0; k < N; ++k) {
      R* to = d.at[k];
#pragma GCC ivdep
      for (int i = 0; i < kLanes; ++i) to[i] = static_cast<R>(from[N * i + k]);
    }
  } else if (s.shape == Site::kUniform) {
    for (int k = 0; k < N; ++k) {
      const R value = static_cast<R>(Get<M>(host + k * static_cast<int>(sizeof(M))));
      // Lanes that have ended may be overwritten; the others keep what they have.
      const bool full = w.write == kAllLanes;
      if (full) {
        for (int i = 0; i < kLanes; ++i) d.at[k][i] = value;
      } else {
        for (int i = 0; i < kLanes; ++i) d.at[k][i] = (w.mask >> i & 1) ? value : d.at[k][i];
      }
    }
  } else if (s.shape == Site::kChunked) {
    for (int c = 0; c < 4; ++c) {
      const char* from = host + delta[8 * c];
      if (s.chunks[c] == Site::kUniform) {
        for (int k = 0; k < N; ++k) {
          const R value = static_cast<R>(Get<M>(from + k * static_cast<int>(sizeof(M))));
          for (int i = 0; i < 8; ++i) d.at[k][8 * c + i] = value;
        }
      } else {
        const M* row = reinterpret_cast<const M*>(from);
        for (int k = 0; k < N; ++k) {
          R* to = d.at[k] + 8 * c;
#pragma GCC ivdep
          for (int i = 0; i < 8; ++i) to[i] = static_cast<R>(row[N * i + k]);
        }
      }
    }
  } else if (s.repeated) {
    GatherLanes<M, R, N>(0, 8, delta, host, d);
    for (int k = 0; k < N; ++k) {
      for (int c = 1; c < 4; ++c) __builtin_memcpy(d.at[k] + 8 * c, d.at[k], 8 * sizeof(R));
    }
  } else if (w.mask == kAllLanes) {
    GatherLanes<M, R, N>(0, kLanes, delta, host, d);
  } else {
    for (u32 m = w.mask; m != 0; m &= m - 1) {
      const int i = First(m);
      const char* from = host + delta[i];
      for (int k = 0; k < N; ++k) {
        d.at[k][i] = static_cast<R>(Get<M>(from + k * static_cast<int>(sizeof(M))));
      }
    }
  }
}

template <class M, class R, int N, class Delta>
inline void Scatter(Warp& w, const Site& s, const Delta* delta, char* host,
                    const Registers<const R, N>& v) {
  if (s.shape == Site::kContiguous) {
    M* to = reinterpret_cast<M*>(host);
    for (int k = 0; k < N; ++k) {
      const R* from = v.at[k];
#pragma GCC ivdep
      for (int i = 0; i < kLanes; ++i) to[N * i + k] = static_cast<M>(from[i]);
    }
    return;
  }
  for (u32 m = w.mask; m != 0; m &= m - 1) {
    const int i = First(m);
    char* to = host + delta[i];
    for (int k = 0; k < N; ++k) {
      Put<M>(to + k * static_cast<int>(sizeof(M)), static_cast<M>(v.at[k][i]));
    }
  }
}

// Lanes that reach into several allocations, one by one.
template <bool kStore, class F>
bool Scattered(Warp& w, const Op& op, const u64* addr, int bytes, F each) {
  ++w.counts->global_requests;
  for (u32 m = w.mask; m != 0; m &= m - 1) {
    const int i = First(m);
    const u64 at = addr[i] + op.imm;
    Span* span = FindSpan(w, at, static_cast<u64>(bytes));
    if (span == nullptr) {
      return FaultGlobal(w, op, addr, op.imm, static_cast<u32>(bytes), kStore);
    }
    const u64 offset = at - span->start;
    if (kStore) {
      if ((span->read_only || span->is_protected) && !StoreToReadOnly(w, op, i, at, span)) {
        return false;
      }
      if (span->written != nullptr) MarkWritten(span, offset, static_cast<u64>(bytes));
      ++w.counts->global_store_sectors;
    } else {
      if (span->written != nullptr && !AllSet(span->written, offset, static_cast<u64>(bytes))) {
        NoteUninitialised(w, op, i, at, false);
      }
      ++w.counts->global_load_sectors;
    }
    MarkSector<kStore>(w, span, offset >> 5);
    each(i, *span, offset);
  }
  return true;
}

template <class M, class R, int N>
bool LoadGlobalAt(Warp& w, const Op& op, const u64* addr) {
  constexpr int kBytes = N * static_cast<int>(sizeof(M));
  const Registers<R, N> d = Results<R, N>(w, op);
  bool scattered = false;
  const char* host = ReachGlobal<false>(w, op, addr, kBytes, &scattered);
  if (host != nullptr) {
    const Site& s = w.sites[op.site];
    if ((op.extra & 2) == 0) NoteLoads(w, op, s, static_cast<u64>(host - s.span->host), kBytes);
    Gather<M, R, N>(w, s, s.delta, host, d);
    return true;
  }
  if (!scattered) return false;
  return Scattered<false>(w, op, addr, kBytes, [&](int i, Span& span, u64 offset) {
    if ((op.extra & 2) == 0) NoteLoad(w, op, i, span, offset, kBytes);
    const char* from = span.host + offset;
    for (int k = 0; k < N; ++k) {
      d.at[k][i] = static_cast<R>(Get<M>(from + k * static_cast<int>(sizeof(M))));
    }
  });
}

template <class M, class R, int N>
bool StoreGlobalAt(Warp& w, const Op& op, const u64* addr) {
  constexpr int kBytes = N * static_cast<int>(sizeof(M));
  const Registers<const R, N> v = Values<R, N>(w, op);
  bool scattered = false;
  char* host = ReachGlobal<true>(w, op, addr, kBytes, &scattered);
  if (host == nullptr && !scattered) return false;
  const StoreAccess access = (op.extra & 2) != 0 ? StoreAccess::kAtomic : StoreAccess::kStore;
  const auto store_one = [&](int i, Span& span, u64 offset) {
    M fresh[N];
    for (int k = 0; k < N; ++k) fresh[k] = static_cast<M>(v.at[k][i]);
    NoteStore(w, op, i, span, offset, kBytes, access, reinterpret_cast<const char*>(fresh));
    __builtin_memcpy(span.host + offset, fresh, sizeof(fresh));
  };
  if (host == nullptr) return Scattered<true>(w, op, addr, kBytes, store_one);
  const Site& s = w.sites[op.site];
  const u64 offset = static_cast<u64>(host - s.span->host);
  if (access == StoreAccess::kAtomic || !NoteStores(w, s, offset, kBytes)) {
    for (u32 m = w.mask; m != 0; m &= m - 1) {
      const int i = First(m);
      store_one(i, *s.span, offset + static_cast<u64>(s.delta[i]));
    }
    return true;
  }
  Scatter<M, R, N>(w, s, s.delta, host, v);
  return true;
}

template <class M, class R, int N>
bool LoadSharedAt(Warp& w, const Op& op, const u32* addr) {
  constexpr int kBytes = N * static_cast<int>(sizeof(M));
  u32 first;
  const Registers<R, N> d = Results<R, N>(w, op);
  if (!ReachShared(w, op, addr, kBytes, &first)) return false;
  if ((op.extra & 2) == 0) NoteSharedRead(w, op, first, kBytes);
  const Site& s = w.sites[op.site];
  Gather<M, R, N>(w, s, s.delta32, w.shared + first, d);
  return true;
}

template <class M, class R, int N>
bool StoreSharedAt(Warp& w, const Op& op, const u32* addr) {
  constexpr int kBytes = N * static_cast<int>(sizeof(M));
  u32 first;
  const Registers<const R, N> v = Values<R, N>(w, op);
  if (!ReachShared(w, op, addr, kBytes, &first)) return false;
  const Site& s = w.sites[op.site];
  if (w.race != nullptr) {
    const bool ordered = (op.extra & 2) != 0;
    int reader = 0;
    const u32 overwrites =
        w.read_count == 0 || ordered ? 0 : OverwritesOfLoads(w, s, first, kBytes, &reader);
    if (s.shape == Site::kContiguous && overwrites == 0) {
      alignas(64) char fresh[kLanes * kBytes];
      Scatter<M, R, N>(w, s, s.delta32, fresh, v);
      RaceWrite(w, op, {first, kLanes * kBytes, fresh, kEachLane, ordered});
      __builtin_memcpy(w.shared + first, fresh, sizeof(fresh));
      return true;
    }
    const bool whole_units = kBytes == 1 << w.race->unit_shift && s.distinct;
    if (whole_units && overwrites == 0 && !ordered && NoteLaneStores(w, s, first)) {
      Scatter<M, R, N>(w, s, s.delta32, w.shared + first, v);
      return true;
    }
    for (u32 m = w.mask; m != 0; m &= m - 1) {
      const int i = First(m);
      M fresh[N];
      for (int k = 0; k < N; ++k) fresh[k] = static_cast<M>(v.at[k][i]);
      const u32 at = first + static_cast<u32>(s.delta32[i]);
      if (Has(overwrites, i) && __builtin_memcmp(w.shared + at, fresh, sizeof(fresh)) != 0) {
        NoteLaneRace(w, op, at, i, reader, RaceKind::kWriteAfterRead);
      }
      RaceWrite(w, op, {at, kBytes, reinterpret_cast<const char*>(fresh), i, ordered});
      __builtin_memcpy(w.shared + at, fresh, sizeof(fresh));
    }
    return true;
  }
  Scatter<M, R, N>(w, s, s.delta32, w.shared + first, v);
  return true;
}

// ---- local memory: word w of lane l lies at (w * 32 + l) * 4 ----

inline bool LocalInside(Warp& w, const Op& op, int i, u32 at, u32 bytes) {
  const bool odd = (at & (bytes - 1)) != 0;
  if (!odd && at <= w.local_bytes && w.local_bytes - at >= bytes) return true;
  return FaultWindow(w, op, Window::kLocal, i, at, bytes, odd);
}
inline char* LocalByte(const Warp& w, u32 at, int lane) {
  return w.local + (at >> 2) * (4 * kLanes) + lane * 4 + (at & 3);
}
template <class M>
inline M LocalGet(const Warp& w, u32 at, int lane) {
  if constexpr (sizeof(M) == 8) {
    const u64 low = Get<u32>(LocalByte(w, at, lane)), high = Get<u32>(LocalByte(w, at + 4, lane));
    return high << 32 | low;
  } else {
    return Get<M>(LocalByte(w, at, lane));
  }
}
template <class M>
inline void LocalPut(const Warp& w, u32 at, int lane, M value) {
  if constexpr (sizeof(M) == 8) {
    Put<u32>(LocalByte(w, at, lane), static_cast<u32>(value));
    Put<u32>(LocalByte(w, at + 4, lane), static_cast<u32>(static_cast<u64>(value) >> 32));
  } else {
    Put<M>(LocalByte(w, at, lane), value);
  }
}

inline void NoteLocalStore(const Warp& w, u32 at, u32 bytes, u32 lanes) {
  if (w.local_written == nullptr) return;
  for (u32 word = at >> 2; word <= (at + bytes - 1) >> 2; ++word) w.local_written[word] |= lanes;
}
// Copies of structs take padding along: only an access of which nothing was stored counts.
inline void NoteLocalLoad(Warp& w, const Op& op, u32 at, u32 bytes, u32 lanes) {
  if (w.local_written == nullptr) return;
  u32 stored = 0;
  for (u32 word = at >> 2; word <= (at + bytes - 1) >> 2; ++word) stored |= w.local_written[word];
  if ((lanes & ~stored) != 0) NoteUninitialisedLocal(w, op, lanes & ~stored, at);
}

// All active lanes at one offset, as arrays indexed by a loop counter are.
template <class A>
inline bool SameOffset(const Warp& w, const A* addr, A lead) {
  A diff = 0;
  for (int i = 0; i < kLanes; ++i) {
    diff |= (addr[i] ^ lead) & (A{0} - static_cast<A>(w.mask >> i & 1));
  }
  return diff == 0;
}

template <class M, class R, int N, class A>
bool LoadLocalAt(Warp& w, const Op& op, const A* addr) {
  constexpr u32 kBytes = N * static_cast<u32>(sizeof(M));
  const Registers<R, N> d = Results<R, N>(w, op);
  const A lead = addr[First(w.mask)];
  if (sizeof(M) == 4 && SameOffset(w, addr, lead)) {
    const u32 at = static_cast<u32>(lead + op.imm);
    if (!LocalInside(w, op, First(w.mask), at, kBytes)) return false;
    NoteLocalLoad(w, op, at, kBytes, w.mask);
    for (u32 k = 0; k < N; ++k) {
      const R* from = reinterpret_cast<const R*>(LocalByte(w, at + 4 * k, 0));
      Each(w, d.at[k], [=](int i) { return from[i]; });
    }
    return true;
  }
  for (u32 m = w.mask; m != 0; m &= m - 1) {
    const int i = First(m);
    const u32 at = static_cast<u32>(addr[i] + op.imm);
    if (!LocalInside(w, op, i, at, kBytes)) return false;
    NoteLocalLoad(w, op, at, kBytes, 1u << i);
    for (u32 k = 0; k < N; ++k) {
      d.at[k][i] = static_cast<R>(LocalGet<M>(w, at + k * static_cast<u32>(sizeof(M)), i));
    }
  }
  return true;
}
template <class M, class R, int N, class A>
bool StoreLocalAt(Warp& w, const Op& op, const A* addr) {
  constexpr u32 kBytes = N * static_cast<u32>(sizeof(M));
  const Registers<const R, N> v = Values<R, N>(w, op);
  const A lead = addr[First(w.mask)];
  if (sizeof(M) == 4 && SameOffset(w, addr, lead)) {
    const u32 at = static_cast<u32>(lead + op.imm);
    if (!LocalInside(w, op, First(w.mask), at, kBytes)) return false;
    NoteLocalStore(w, at, kBytes, w.mask);
    for (u32 k = 0; k < N; ++k) {
      R* to = reinterpret_cast<R*>(LocalByte(w, at + 4 * k, 0));
      Blend(to, v.at[k], w.mask);
    }
    return true;
  }
  for (u32 m = w.mask; m != 0; m &= m - 1) {
    const int i = First(m);
    const u32 at = static_cast<u32>(addr[i] + op.imm);
    if (!LocalInside(w, op, i, at, kBytes)) return false;
    NoteLocalStore(w, at, kBytes, 1u << i);
    for (u32 k = 0; k < N; ++k) {
      LocalPut<M>(w, at + k * static_cast<u32>(sizeof(M)), i, static_cast<M>(v.at[k][i]));
    }
  }
  return true;
}

template <class M, class R, int N>
bool LoadParamAt(Warp& w, const Op& op, const u64* addr) {
  const Registers<R, N> d = Results<R, N>(w, op);
  for (u32 m = w.mask; m != 0; m &= m - 1) {
    const int i = First(m);
    const u32 at = static_cast<u32>(addr[i] + op.imm);
    if (at > w.param_bytes || w.param_bytes - at < N * sizeof(M)) {
      return FaultWindow(w, op, Window::kParam, i, at, N * sizeof(M), false);
    }
    for (u32 k = 0; k < N; ++k) {
      d.at[k][i] = static_cast<R>(Get<M>(w.params + at + k * sizeof(M)));
    }
  }
  return true;
}

// ---- generic addresses: lanes are taken by the window that they point into ----

inline u64 WindowOf(u64 address) {
  const u64 window = address & kWindowMask;
  const bool own = window == kSharedWindow || window == kLocalWindow || window == kParamWindow;
  return own ? window : 0;
}
template <class F>
inline bool ByWindow(Warp& w, const Op& op, const u64* addr, F each) {
  const u32 mask = w.mask, write = w.write;
  u32 left = mask;
  bool ok = true;
  while (left != 0 && ok) {
    const u64 window = WindowOf(addr[First(left)] + op.imm);
    u32 group = 0;
    for (int i = 0; i < kLanes; ++i) {
      group |= static_cast<u32>(WindowOf(addr[i] + op.imm) == window) << i;
    }
    group &= left;
    left &= ~group;
    w.mask = group;
    w.write = group == mask ? write : group;
    ok = each(window);
  }
  w.mask = mask;
  w.write = write;
  return ok;
}
inline void Offsets(const u64* addr, u32* out) {
  for (int i = 0; i < kLanes; ++i) out[i] = static_cast<u32>(addr[i]);
}

template <class M, class R, int N>
bool LoadGenericAt(Warp& w, const Op& op, const u64* addr) {
  return ByWindow(w, op, addr, [&](u64 window) {
    if (window == 0) return LoadGlobalAt<M, R, N>(w, op, addr);
    if (window == kParamWindow) return LoadParamAt<M, R, N>(w, op, addr);
    alignas(64) u32 offsets[kLanes];
    Offsets(addr, offsets);
    if (window == kSharedWindow) return LoadSharedAt<M, R, N>(w, op, offsets);
    return LoadLocalAt<M, R, N>(w, op, offsets);
  });
}
template <class M, class R, int N>
bool StoreGenericAt(Warp& w, const Op& op, const u64* addr) {
  return ByWindow(w, op, addr, [&](u64 window) {
    if (window == 0) return StoreGlobalAt<M, R, N>(w, op, addr);
    if (window == kParamWindow) {
      const int lane = First(w.mask);
      return FaultWindow(w, op, Window::kParam, lane, addr[lane] + op.imm, N * sizeof(M), false);
    }
    alignas(64) u32 offsets[kLanes];
    Offsets(addr, offsets);
    if (window == kSharedWindow) return StoreSharedAt<M, R, N>(w, op, offsets);
    return StoreLocalAt<M, R, N>(w, op, offsets);
  });
}

// Op::extra: bit 0: others may wait for this access (volatile, acquire, release); bit 1: the race
// check treats it as an atomic; and kMovedEarly.
#define KW_ACCESS(name, A)                            \
  template <class M, class R, int N>                  \
  bool name(Warp& w, const Op& op) {                  \
    if (w.mask == 0) return true;                     \
    if ((op.extra & 1) != 0) Signal(w);               \
    return name##At<M, R, N>(w, op, Src<A>(w, op.a)); \
  }
KW_ACCESS(LoadGlobal, u64)
KW_ACCESS(StoreGlobal, u64)
KW_ACCESS(LoadGeneric, u64)
KW_ACCESS(StoreGeneric, u64)
KW_ACCESS(LoadShared, u32)
KW_ACCESS(StoreShared, u32)
KW_ACCESS(LoadLocal, u64)
KW_ACCESS(StoreLocal, u64)
#undef KW_ACCESS

// A kernel parameter at a fixed offset.
template <class M, class R>
bool LoadParam(Warp& w, const Op& op) {
  const R value = static_cast<R>(Get<M>(w.params + op.imm));
  return Each(w, Dst<R>(w, op.d), [=](int) { return value; });
}

// isspacep: imm = the window, 0 for device memory
bool IsSpace(Warp& w, const Op& op) {
  const u64* a = Src<u64>(w, op.a);
  u32 r = 0;
  for (int i = 0; i < kLanes; ++i) r |= static_cast<u32>(WindowOf(a[i]) == op.imm) << i;
  SetPredicate(w, op.d, r);
  return true;
}

// Variant: memory bytes * 16 + elements.
#define KW_SIZES(name, M, R, bytes)                                      \
  {K(Code::k##name, Type::kNone, bytes * 16 + 1), &name<M, R, 1>},       \
      {K(Code::k##name, Type::kNone, bytes * 16 + 2), &name<M, R, 2>}, { \
    K(Code::k##name, Type::kNone, bytes * 16 + 4), &name<M, R, 4>        \
  }
#define KW_SPACES(name)                                                                 \
  KW_SIZES(name, u8, u16, 1), KW_SIZES(name, u16, u16, 2), KW_SIZES(name, u32, u32, 4), \
      KW_SIZES(name, u64, u64, 8)

constexpr HandlerEntry kMemory[] = {
    KW_SPACES(LoadGlobal),
    KW_SPACES(StoreGlobal),
    KW_SPACES(LoadShared),
    KW_SPACES(StoreShared),
    KW_SPACES(LoadLocal),
    KW_SPACES(StoreLocal),
    KW_SPACES(LoadGeneric),
    KW_SPACES(StoreGeneric),
    {K(Code::kLoadParam, Type::kNone, 1), &LoadParam<u8, u16>},
    {K(Code::kLoadParam, Type::kNone, 2), &LoadParam<u16, u16>},
    {K(Code::kLoadParam, Type::kNone, 4), &LoadParam<u32, u32>},
    {K(Code::kLoadParam, Type::kNone, 8), &LoadParam<u64, u64>},
    {K(Code::kIsSpace, Type::kPred), &IsSpace},
};
#undef KW_SIZES
#undef KW_SPACES

}  // namespace
}  // namespace kw::eval::emu
