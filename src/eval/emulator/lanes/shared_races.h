// Races on shared memory: between the warps of a block, and between the lanes of a warp, which do
// not run in step since Volta: what one lane stores another may read only behind a __syncwarp(),
// and the other way round.
#pragma once

#include "lanes/lanes.h"

namespace kw::eval::emu {
namespace {

inline bool Unordered(const RaceShadow& r, u32 warp, u32 stamp, u32 other) {
  return stamp >= r.floor[warp] && other != warp && other != kAtomicWriter &&
         stamp >= r.seen[warp][other & 31];
}

// ---- between lanes ----

constexpr int kNoLane = -1;    // an access of the warp as a whole
constexpr int kEachLane = -2;  // lane by lane, side by side

inline void BeginEpoch(Warp& w) {
  if (w.race == nullptr) return;
  w.epoch = ++w.race->epochs;
  w.epoch_stamp = w.race->clock << 6;
  w.read_count = 0;
}

// Did a lane of this warp store the unit in this epoch?
inline bool StoredByLane(const Warp& w, u32 mark) { return mark >> 5 == w.epoch; }

// The lanes' loads in the pattern of a site: which unit was stored by another lane?
inline void CheckLaneLoads(Warp& w, const Op& op, const Site& s, u32 first, u32 bytes) {
  const RaceShadow& r = *w.race;
  for (u32 m = w.mask; m != 0; m &= m - 1) {
    const int i = First(m);
    const u32 at = first + static_cast<u32>(s.delta32[i]);
    for (u32 unit = at >> r.unit_shift; unit <= (at + bytes - 1) >> r.unit_shift; ++unit) {
      const u32 mark = r.lanes[unit];
      const int other = static_cast<int>(mark & 31);
      if (!StoredByLane(w, mark) || other == i) continue;
      return NoteLaneRace(w, op, unit << r.unit_shift, i, other, RaceKind::kReadAfterWrite);
    }
  }
}

inline void KeepLaneLoads(Warp& w, const Site& s, u32 first, u32 bytes) {
  w.reads[w.read_count++ % kLaneReads] = {&s, s.learned, first, bytes};
}

// The lanes whose store in the pattern of a site overwrites what another lane has read in this
// epoch; *reader is one that did, for the last of them.
inline u32 OverwritesOfLoads(const Warp& w, const Site& s, u32 first, u32 bytes, int* reader) {
  u32 found = 0;
  const u32 kept = w.read_count < kLaneReads ? w.read_count : kLaneReads;
  for (u32 k = 0; k < kept; ++k) {
    const LaneRead& read = w.reads[k];
    const Site& pattern = *read.site;
    const i64 shift = static_cast<i64>(first) - read.first;
    if (pattern.learned != read.learned) continue;
    if (s.low + shift >= pattern.high || s.high + shift <= pattern.low) continue;
    for (u32 m = w.mask; m != 0; m &= m - 1) {
      const int i = First(m);
      const i64 at = shift + s.delta32[i];
      u32 readers = 0;
      for (int j = 0; j < kLanes; ++j) {
        const i64 from = pattern.delta32[j];
        readers |= static_cast<u32>((from < at + bytes) & (from + read.bytes > at)) << j;
      }
      readers &= pattern.mask & ~(1u << i);
      if (readers == 0) continue;
      found |= 1u << i;
      *reader = First(readers);
    }
  }
  return found;
}

// ---- between warps ----

// The units of an access.
struct UnitRange {
  u32 from, count;
};
inline UnitRange SharedUnits(const RaceShadow& r, u32 address, u32 bytes) {
  const u32 from = address >> r.unit_shift;
  return {from, ((address + bytes - 1) >> r.unit_shift) - from + 1};
}

// True when a lane of this warp stored some of it and no barrier of the warp came since.
inline bool RaceRead(Warp& w, const Op& op, u32 address, u32 bytes) {
  RaceShadow& r = *w.race;
  const auto [from, n] = SharedUnits(r, address, bytes);
  const u32 floor = r.floor[w.index] << 6, me = w.index, bit = 1u << w.index, clock = r.clock,
            base = r.base, epoch_stamp = w.epoch_stamp;
  const u32* writer = r.writer + from;
  u32* reader = r.reader + from;
  u32* readers = r.readers + from;
  if (n == 1) {
    const u32 stamp = *writer;
    if (stamp >= base && (stamp < floor || (stamp & 63) == me)) {
      *readers = (*reader == clock ? *readers : 0) | bit;
      *reader = clock;
      return stamp >= epoch_stamp && (stamp & 63) == me && StoredByLane(w, r.lanes[from]);
    }
  }
  u32 suspicious = 0, own = 0;
#pragma GCC ivdep
  for (u32 i = 0; i < n; ++i) {
    suspicious |= static_cast<u32>((writer[i] >= floor) & ((writer[i] & 63) != me)) |
                  static_cast<u32>(writer[i] < base);
    own |= static_cast<u32>((writer[i] >= epoch_stamp) & ((writer[i] & 63) == me));
    readers[i] = (reader[i] == clock ? readers[i] : 0) | bit;
    reader[i] = clock;
  }
  for (u32 i = 0; i < n && suspicious != 0; ++i) {
    const u32 at = (from + i) << r.unit_shift;
    if (writer[i] < base) {
      NoteUninitialised(w, op, -1, at, true);
    } else if (Unordered(r, me, writer[i] >> 6, writer[i] & 63)) {
      NoteRace(w, op, at, writer[i] & 63, RaceKind::kReadAfterWrite);
    }
  }
  bool by_lane = false;
  for (u32 i = 0; i < n && own != 0; ++i) by_lane |= StoredByLane(w, r.lanes[from + i]);
  return by_lane;
}

// RaceRead of a site's units, eight at a time, where all of them were stored before the last
// barrier of this warp and of the block. False where RaceRead is to be called for each run.
inline bool NoteUnitReads(const Warp& w, const Site& s, u32 first) {
  using Eight = u32 __attribute__((vector_size(32)));
  constexpr u32 kCount = sizeof(Eight) / sizeof(u32);
  constexpr Eight kBits = {1, 2, 4, 8, 16, 32, 64, 128};
  RaceShadow& r = *w.race;
  const u32 floor = r.floor[w.index] << 6, bit = 1u << w.index, clock = r.clock, base = r.base;
  const u32 barrier = floor < w.epoch_stamp ? floor : w.epoch_stamp;
  if (barrier < base) return false;
  u32 at = (first + static_cast<u32>(s.low)) >> r.unit_shift;
  Eight recent = {};  // or never stored
  for (int byte = 0; byte < s.unit_bytes; ++byte, at += kCount) {
    Eight writer, reader, readers;
    __builtin_memcpy(&writer, r.writer + at, sizeof(Eight));
    __builtin_memcpy(&reader, r.reader + at, sizeof(Eight));
    __builtin_memcpy(&readers, r.readers + at, sizeof(Eight));
    // A mask. What is not of the pattern is stored as it was.
    const Eight in = (Eight)((kBits & s.units[byte]) == kBits);
    recent |= in & (Eight)(writer - base >= barrier - base);
    const Eight so_far = (Eight)(reader == clock) & readers;
    readers ^= in & (readers ^ (so_far | bit));
    reader ^= in & (reader ^ clock);
    __builtin_memcpy(r.reader + at, &reader, sizeof(Eight));
    __builtin_memcpy(r.readers + at, &readers, sizeof(Eight));
  }
  u32 any = 0;
  for (u32 i = 0; i < kCount; ++i) any |= recent[i];
  return any == 0;
}

// A read by all lanes together (wmma, ldmatrix).
inline void ReadAsWarp(Warp& w, const Op& op, u32 address, u32 bytes) {
  if (!RaceRead(w, op, address, bytes)) return;
  const RaceShadow& r = *w.race;
  const auto [from, n] = SharedUnits(r, address, bytes);
  for (u32 unit = from; unit < from + n; ++unit) {
    if (!StoredByLane(w, r.lanes[unit])) continue;
    return NoteLaneRace(w, op, unit << r.unit_shift, kNoLane, static_cast<int>(r.lanes[unit] & 31),
                        RaceKind::kReadAfterWrite);
  }
}

// A store to shared memory. `fresh` holds its bytes, or nullptr when they are not known. `lane` is
// the one that stores, kEachLane for equal parts of all 32 in a row, or kNoLane.
struct SharedStore {
  u32 address, bytes;
  const char* fresh;
  int lane;
  bool atomic = false;
};

// One unit that another warp or lane may have touched. `mark` is the storing lane's, or 0. True
// when several lanes have stored the same there: then it belongs to none of them.
inline bool CheckStoredUnit(Warp& w, const Op& op, const SharedStore& store, u32 unit, u32 mark) {
  const RaceShadow& r = *w.race;
  const u32 me = w.index, at = unit << r.unit_shift, bytes = 1u << r.unit_shift;
  const bool other_lane = mark != 0 && r.lanes[unit] != mark && StoredByLane(w, r.lanes[unit]);
  const bool same = store.fresh != nullptr && at >= store.address &&
                    __builtin_memcmp(w.shared + at, store.fresh + (at - store.address), bytes) == 0;
  if (same) return other_lane;
  if (other_lane) {
    NoteLaneRace(w, op, at, static_cast<int>(mark & 31), static_cast<int>(r.lanes[unit] & 31),
                 RaceKind::kWriteAfterWrite);
  }
  const u32 writer = r.writer[unit];
  if (Unordered(r, me, writer >> 6, writer & 63)) {
    NoteRace(w, op, at, writer & 63, RaceKind::kWriteAfterWrite);
  }
  const bool recent = r.reader[unit] >= r.floor[me] && !store.atomic;
  for (u32 m = recent ? r.readers[unit] & ~(1u << me) : 0; m != 0; m &= m - 1) {
    const u32 other = static_cast<u32>(First(m));
    if (!Unordered(r, me, r.reader[unit], other)) continue;
    NoteRace(w, op, at, other, RaceKind::kWriteAfterRead);
    break;
  }
  return false;
}

inline void RaceWrite(Warp& w, const Op& op, const SharedStore& store) {
  RaceShadow& r = *w.race;
  const auto [from, n] = SharedUnits(r, store.address, store.bytes);
  const u32 me = w.index, bit = 1u << w.index, floor = r.floor[me], epoch = w.epoch;
  u32* writer = r.writer + from;
  u32* lanes = r.lanes + from;
  const u32* reader = r.reader + from;
  const u32* readers = r.readers + from;
  const bool by_lane = store.lane != kNoLane && !store.atomic;
  const u32 first_mark =
      by_lane ? epoch << 5 | static_cast<u32>(store.lane >= 0 ? store.lane : 0) : 0;
  // With all lanes in a row unit i belongs to lane i >> part.
  const u32 part = by_lane && store.lane == kEachLane ? static_cast<u32>(First(n)) - 5 : 31;
  const u32 stamp = r.clock << 6 | (store.atomic ? kAtomicWriter : me);
  u32 suspicious = 0;
#pragma GCC ivdep
  for (u32 i = 0; i < n; ++i) {
    const u32 mark = first_mark + (i >> part);
    suspicious |= static_cast<u32>((writer[i] >= floor << 6) & ((writer[i] & 63) != me)) |
                  static_cast<u32>((reader[i] >= floor) & ((readers[i] & ~bit) != 0)) |
                  static_cast<u32>((lanes[i] >> 5 == epoch) & (lanes[i] != mark));
  }
  if (suspicious == 0) {
#pragma GCC ivdep
    for (u32 i = 0; i < n; ++i) {
      writer[i] = stamp;
      lanes[i] = first_mark + (i >> part);
    }
    return;
  }
  for (u32 i = 0; i < n; ++i) {
    const u32 mark = first_mark + (i >> part);
    const bool of_several = CheckStoredUnit(w, op, store, from + i, mark);
    writer[i] = stamp;
    lanes[i] = of_several ? 0 : mark;
  }
}

// Stores of whole units by lanes, no two to the same. False, with nothing noted, where some unit
// needs to be looked at.
inline bool NoteLaneStores(Warp& w, const Site& s, u32 first) {
  RaceShadow& r = *w.race;
  const u32 me = w.index, bit = 1u << w.index, floor = r.floor[me], epoch = w.epoch;
  u32 units[kLanes];
  u32 suspicious = 0;
  for (u32 m = w.mask; m != 0; m &= m - 1) {
    const int i = First(m);
    const u32 unit = (first + static_cast<u32>(s.delta32[i])) >> r.unit_shift;
    const u32 writer = r.writer[unit], mark = r.lanes[unit];
    suspicious |= static_cast<u32>((writer >= floor << 6) & ((writer & 63) != me)) |
                  static_cast<u32>((r.reader[unit] >= floor) & ((r.readers[unit] & ~bit) != 0)) |
                  static_cast<u32>((mark >> 5 == epoch) & ((mark & 31) != static_cast<u32>(i)));
    units[i] = unit;
  }
  if (suspicious != 0) return false;
  const u32 stamp = r.clock << 6 | me;
  for (u32 m = w.mask; m != 0; m &= m - 1) {
    const int i = First(m);
    r.writer[units[i]] = stamp;
    r.lanes[units[i]] = epoch << 5 | static_cast<u32>(i);
  }
  return true;
}

// Ordering between warps by other means than barriers. All flags of a block count as one: that
// may hide a race in code that mixes several, and never invents one.
inline void Release(Warp& w) {
  if (w.race == nullptr) return;
  RaceShadow& r = *w.race;
  for (int x = 0; x < kLanes; ++x) {
    r.released[x] = r.released[x] > r.seen[w.index][x] ? r.released[x] : r.seen[w.index][x];
  }
  r.released[w.index] = ++r.clock;
}
inline void Acquire(Warp& w) {
  if (w.race == nullptr) return;
  RaceShadow& r = *w.race;
  u32* seen = r.seen[w.index];
  for (int x = 0; x < kLanes; ++x) seen[x] = seen[x] > r.released[x] ? seen[x] : r.released[x];
}
// An access by which threads signal each other: it publishes what was fenced before it.
inline void Signal(Warp& w) {
  w.sync_touched = true;
  w.looked = true;
  if (w.fenced) Release(w);
  if (w.stores == nullptr) return;
  if (w.fenced) ReleaseStores(w);
  w.acquired = w.stores->clock;
}

}  // namespace
}  // namespace kw::eval::emu
