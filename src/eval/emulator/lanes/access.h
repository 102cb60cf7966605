// How a warp reaches memory: patterns, bounds, sectors, bank conflicts, race shadows.
//
// Each instruction remembers the pattern of its last access relative to its first lane. While
// the pattern stays (nearly always), one comparison of 32 addresses replaces the range test,
// the count of sectors and conflicts, and the choice of the way to copy.
#pragma once

#include "lanes/shared_races.h"

namespace kw::eval::emu {
namespace {

template <class A>
inline bool SamePattern(const Site& s, const A* addr, A lead, u32 mask) {
  if (s.mask != mask || s.wide != (sizeof(A) == 8)) return false;
  A diff = 0;
  const A* delta =
      sizeof(A) == 8 ? reinterpret_cast<const A*>(s.delta) : reinterpret_cast<const A*>(s.delta32);
  if (mask == kAllLanes) {
    for (int i = 0; i < kLanes; ++i) diff |= (addr[i] - lead) ^ delta[i];
  } else {
    for (int i = 0; i < kLanes; ++i) {
      diff |= ((addr[i] - lead) ^ delta[i]) & (A{0} - static_cast<A>(mask >> i & 1));
    }
  }
  return diff == 0;
}

// Sorts the starts of the active lanes' accesses (insertion: nearly sorted as a rule).
inline int SortedDeltas(const Site& s, i64* out) {
  int n = 0;
  for (u32 m = s.mask; m != 0; m &= m - 1) {
    const int i = First(m);
    const i64 v = s.wide ? s.delta[i] : s.delta32[i];
    int at = n++;
    for (; at > 0 && out[at - 1] > v; --at) out[at] = out[at - 1];
    out[at] = v;
  }
  return n;
}

// Extra wavefronts: lanes are served in groups of 128 bytes of width; within a group each bank
// gives one distinct word.
inline u32 BankConflicts(const Site& s, int bytes) {
  const int words = bytes <= 4 ? 1 : bytes / 4;
  const int group = kLanes / words;
  u32 extra = 0;
  for (int g = 0; g < kLanes; g += group) {
    u32 seen[kLanes * 4];
    u32 used[kLanes] = {};
    int n = 0;
    u32 worst = 0;
    for (int i = g; i < g + group; ++i) {
      if (!Has(s.mask, i)) continue;
      for (int k = 0; k < words; ++k) {
        const u32 word = static_cast<u32>((s.delta32[i] >> 2) + k);
        bool known = false;
        for (int j = n - 1; j >= 0 && !known; --j) known = seen[j] == word;
        if (known) continue;
        seen[n++] = word;
        const u32 load = ++used[word & 31];
        worst = load > worst ? load : worst;
      }
    }
    extra += worst > 1 ? worst - 1 : 0;
  }
  return extra;
}

// The distinct bytes of a pattern in shared memory.
inline void LearnRuns(Site& s, int bytes) {
  i64 sorted[kLanes];
  const int n = SortedDeltas(s, sorted);
  s.run_count = 0;
  for (int i = 0; i < n; ++i) {
    if (s.run_count > 0) {
      i32& start = s.run_start[s.run_count - 1];
      i32& length = s.run_bytes[s.run_count - 1];
      if (sorted[i] <= start + length) {
        const i32 end = static_cast<i32>(sorted[i]) + bytes - start;
        length = end > length ? end : length;
        continue;
      }
    }
    s.run_start[s.run_count] = static_cast<i32>(sorted[i]);
    s.run_bytes[s.run_count++] = bytes;
  }
  i32 covered = 0;
  for (int r = 0; r < s.run_count; ++r) covered += s.run_bytes[r];
  s.distinct = covered == n * bytes;
}
// Many runs near each other are quicker looked at as a bitmap. An access is at least as wide as a
// unit and aligned to its width.
inline void LearnUnits(Site& s, u32 unit_shift) {
  const i64 bytes = (((s.high - s.low) >> unit_shift) + 7) >> 3;
  s.unit_bytes = 0;
  if (s.run_count < 2 || bytes > Site::kUnitBytes || bytes >= 2 * s.run_count) return;
  s.unit_bytes = static_cast<u8>(bytes);
  __builtin_memset(s.units, 0, sizeof(s.units));
  for (int r = 0; r < s.run_count; ++r) {
    const u32 from = static_cast<u32>(s.run_start[r] - s.low) >> unit_shift;
    const u32 to = from + (static_cast<u32>(s.run_bytes[r]) >> unit_shift);
    for (u32 unit = from; unit < to; ++unit) {
      s.units[unit >> 3] = static_cast<u8>(s.units[unit >> 3] | 1u << (unit & 7));
    }
  }
}

template <class A>
void Learn(Site& s, const A* addr, A lead, u32 mask, int bytes) {
  using S = std::make_signed_t<A>;
  ++s.learned;
  s.mask = mask;
  s.wide = sizeof(A) == 8;
  s.phase = -1;
  s.low = INT64_MAX;
  s.high = INT64_MIN;
  s.alignment = 0;
  bool uniform = true, contiguous = mask == kAllLanes;
  s.repeated = mask == kAllLanes;
  for (int i = 0; i < kLanes; ++i) {
    const S d = Has(mask, i) ? static_cast<S>(addr[i] - lead) : S{0};
    if constexpr (sizeof(A) == 8)
      s.delta[i] = d;
    else
      s.delta32[i] = d;
    if (!Has(mask, i)) continue;
    uniform &= d == 0;
    s.repeated &= addr[i] == addr[i & 7];
    contiguous &= d == static_cast<S>(i * bytes);
    s.alignment |= static_cast<u64>(d);
    s.low = d < s.low ? d : s.low;
    s.high = d > s.high ? d : s.high;
  }
  // Addresses half the space apart: no allocation holds them, and their distance may overflow.
  constexpr i64 kFar = i64{1} << 60;
  if (s.low < -kFar || s.high > kFar) {
    s.low = 0;
    s.high = kFar;
  }
  s.high += bytes;
  s.shape = uniform ? Site::kUniform : contiguous ? Site::kContiguous : Site::kGeneral;
  if (s.shape == Site::kGeneral && mask == kAllLanes) {
    s.shape = Site::kChunked;
    for (int c = 0; c < 4; ++c) {
      bool same = true, steps = true;
      for (int i = 1; i < 8; ++i) {
        const S d = static_cast<S>(addr[8 * c + i] - addr[8 * c]);
        same &= d == 0;
        steps &= d == static_cast<S>(i * bytes);
      }
      s.chunks[c] = same ? Site::kUniform : steps ? Site::kContiguous : Site::kGeneral;
      if (s.chunks[c] == Site::kGeneral) s.shape = Site::kGeneral;
    }
  }
  if constexpr (sizeof(A) == 4) {
    s.conflicts = static_cast<u8>(
        s.shape == Site::kGeneral || s.shape == Site::kChunked ? BankConflicts(s, bytes) : 0);
    LearnRuns(s, bytes);
  }
}

// ---- device memory ----

// The distinct sectors of the pattern for an address of this phase.
inline void LearnSectors(Site& s, u64 first, int bytes) {
  s.phase = static_cast<i16>(first & 31);
  s.sector_count = 0;
  const i64 phase = s.phase;
  i64 sorted[kLanes];
  const int n = SortedDeltas(s, sorted);
  for (int i = 0; i < n; ++i) {
    const i32 from = static_cast<i32>((phase + sorted[i]) >> 5);
    const i32 to = static_cast<i32>((phase + sorted[i] + bytes - 1) >> 5);
    for (i32 sector = from; sector <= to; ++sector) {
      if (s.sector_count > 0 && s.sectors[s.sector_count - 1] >= sector) continue;
      if (s.sector_count < 2 * kLanes) s.sectors[s.sector_count++] = sector;
    }
  }
  s.dense = s.sectors[s.sector_count - 1] - s.sectors[0] == s.sector_count - 1;
}

// Sets the bits of sectors in a row, at most 64, before their bytes are stored.
template <bool kStore>
inline void MarkSectors(Warp& w, Span* span, u64 from, u32 count) {
  const u64 bits = count == 64 ? ~u64{0} : (u64{1} << count) - 1;
  const u32 at = static_cast<u32>(from & 63);
  u64* word = (kStore ? span->stored : span->touched) + (from >> 6);
  if (kStore && word[0] == 0 && w.parts != nullptr) KeepPiece(w, *span, from >> 6);
  word[0] |= bits << at;
  if (at + count <= 64) return;
  if (kStore && word[1] == 0 && w.parts != nullptr) KeepPiece(w, *span, (from >> 6) + 1);
  word[1] |= bits >> (64 - at);
}
template <bool kStore>
inline void MarkSector(Warp& w, Span* span, u64 sector) {
  MarkSectors<kStore>(w, span, sector, 1);
}

template <bool kStore>
inline void CountSectors(Warp& w, Site& s, Span* span, u64 first, int bytes) {
  if (s.phase != static_cast<i16>(first & 31)) LearnSectors(s, first, bytes);
  ++w.counts->global_requests;
  (kStore ? w.counts->global_store_sectors : w.counts->global_load_sectors) += s.sector_count;
  const i64 base = static_cast<i64>((first - span->start) >> 5);
  if (s.dense) {
    return MarkSectors<kStore>(w, span, static_cast<u64>(base + s.sectors[0]), s.sector_count);
  }
  const int count = s.sector_count;
  for (int i = 0; i < count; ++i) {
    MarkSector<kStore>(w, span, static_cast<u64>(base + s.sectors[i]));
  }
}

// Bits [from, from + count) of a bitmap: are all set?
inline bool AllSet(const u8* bits, u64 from, u64 count) {
  for (; count > 0 && (from & 7) != 0; ++from, --count) {
    if ((bits[from >> 3] >> (from & 7) & 1) == 0) return false;
  }
  const u8* at = bits + (from >> 3);
  for (; count >= 8; count -= 8, ++at) {
    if (*at != 0xff) return false;
  }
  return count == 0 || (*at & ((1u << count) - 1)) == (1u << count) - 1;
}
// Sets them, and returns how many were not.
inline u64 SetAll(u8* bits, u64 from, u64 count) {
  u64 fresh = 0;
  while (count > 0) {
    const u32 at = static_cast<u32>(from & 7);
    const u32 n = static_cast<u32>(8 - at < count ? 8 - at : count);
    const u32 mask = ((1u << n) - 1) << at;
    u8& byte = bits[from >> 3];
    fresh += static_cast<u64>(__builtin_popcount(mask & ~byte & 0xffu));
    byte = static_cast<u8>(byte | mask);
    from += n;
    count -= n;
  }
  return fresh;
}

inline void CountWritten(Span* span, u64 fresh) {
  span->unwritten -= fresh;
  if (span->unwritten == 0) span->written = nullptr;
}
inline void MarkWritten(Span* span, u64 offset, u64 bytes) {
  CountWritten(span, SetAll(span->written, offset, bytes));
}

inline void CheckInitialised(Warp& w, const Op& op, const Site& s, Span* span, u64 offset,
                             int bytes) {
  const u64 from = offset + static_cast<u64>(s.low);
  if ((s.shape == Site::kUniform || s.shape == Site::kContiguous) &&
      AllSet(span->written, from, static_cast<u64>(s.high - s.low))) {
    return;
  }
  for (u32 m = w.mask; m != 0; m &= m - 1) {
    const int i = First(m);
    const u64 at = offset + static_cast<u64>(s.delta[i]);
    if (AllSet(span->written, at, static_cast<u64>(bytes))) continue;
    NoteUninitialised(w, op, i, span->start + at, false);
    return;
  }
}

// A warp's access to one allocation, checked and counted: the host address of the first active
// lane, or nullptr where the lanes must be taken one by one (`scattered`) or the launch ends.
template <bool kStore>
inline char* ReachGlobal(Warp& w, const Op& op, const u64* addr, int bytes, bool* scattered) {
  Site& s = w.sites[op.site];
  const u64 lead = addr[First(w.mask)];
  if (!SamePattern(s, addr, lead, w.mask)) Learn(s, addr, lead, w.mask, bytes);
  const u64 first = lead + op.imm;
  *scattered = false;
  if (((first | s.alignment) & static_cast<u64>(bytes - 1)) != 0) {
    FaultGlobal(w, op, addr, op.imm, static_cast<u32>(bytes), kStore);
    return nullptr;
  }
  const u64 low = first + static_cast<u64>(s.low);
  const u64 length = static_cast<u64>(s.high - s.low);
  Span* span = s.span;
  if (span == nullptr || low - span->start > span->bytes ||
      span->bytes - (low - span->start) < length) {
    span = FindSpan(w, low, length);
    if (span == nullptr) {
      *scattered = true;
      return nullptr;
    }
    s.span = span;
  }
  const u64 offset = first - span->start;
  if constexpr (kStore) {
    if (span->read_only || span->is_protected) {
      if (!StoreToReadOnly(w, op, First(w.mask), first, span)) return nullptr;
    }
    if (span->written != nullptr) {
      if (s.shape == Site::kContiguous) {
        MarkWritten(span, offset, length);
      } else {
        u64 fresh = 0;
        for (u32 m = w.mask; m != 0; m &= m - 1) {
          const u64 at = offset + static_cast<u64>(s.delta[First(m)]);
          fresh += SetAll(span->written, at, static_cast<u64>(bytes));
        }
        CountWritten(span, fresh);
      }
    }
  } else {
    if (span->written != nullptr) CheckInitialised(w, op, s, span, offset, bytes);
  }
  CountSectors<kStore>(w, s, span, first, bytes);
  return span->host + offset;
}

// ---- shared memory ----

// The shared address of the first active lane, checked and counted; false when the launch ends.
inline bool ReachShared(Warp& w, const Op& op, const u32* addr, int bytes, u32* first) {
  Site& s = w.sites[op.site];
  const u32 lead = addr[First(w.mask)];
  const bool known = (op.extra & kKnownPattern) != 0;
  if (!known && !SamePattern(s, addr, lead, w.mask)) {
    Learn(s, addr, lead, w.mask, bytes);
    if (w.race != nullptr) LearnUnits(s, w.race->unit_shift);
  }
  *first = lead + static_cast<u32>(op.imm);
  const i64 low = static_cast<i64>(*first) + s.low, high = static_cast<i64>(*first) + s.high;
  const bool misaligned = ((*first | s.alignment) & static_cast<u64>(bytes - 1)) != 0;
  if (low < 0 || high > static_cast<i64>(w.shared_bytes) || misaligned) {
    for (u32 m = w.mask; m != 0; m &= m - 1) {
      const int i = First(m);
      const u32 at = addr[i] + static_cast<u32>(op.imm);
      const bool odd = (at & static_cast<u32>(bytes - 1)) != 0;
      if (!odd && at <= w.shared_bytes && w.shared_bytes - at >= static_cast<u32>(bytes)) continue;
      return FaultWindow(w, op, Window::kShared, i, at, static_cast<u32>(bytes), odd);
    }
  }
  ++w.counts->shared_requests;
  w.counts->shared_conflicts += s.conflicts;
  return true;
}

inline void NoteSharedRead(Warp& w, const Op& op, u32 first, u32 bytes) {
  if (w.race == nullptr) return;
  const Site& s = w.sites[op.site];
  bool own = false;
  if (s.unit_bytes == 0 || !NoteUnitReads(w, s, first)) {
    for (int r = 0; r < s.run_count; ++r) {
      own |= RaceRead(w, op, first + static_cast<u32>(s.run_start[r]),
                      static_cast<u32>(s.run_bytes[r]));
    }
  }
  if (own) CheckLaneLoads(w, op, s, first, bytes);
  KeepLaneLoads(w, s, first, bytes);
}

}  // namespace
}  // namespace kw::eval::emu
