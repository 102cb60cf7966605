// Who stored what in this launch: the quick tests and marks around each access to device memory.
// What they find suspicious is looked at in store_authors.cc.
#pragma once

#include "lanes/access.h"

namespace kw::eval::emu {
namespace {

inline u32 AuthorOf(Warp& w) {
  if (w.author_stamp != w.race->clock) BecomeAuthor(w);
  return w.author;
}

// Its number where it has stored since its block's clock stepped, else 0.
inline u32 KnownAuthor(const Warp& w) { return w.author_stamp == w.race->clock ? w.author : 0; }

// Has one of the units another author of this launch? Atomic stores count for plain ones only.
inline bool HasOthers(const u32* units, u64 count, u32 base, u32 me, StoreAccess access) {
  const u32 known = access == StoreAccess::kStore ? ~kAtomicStore : ~u32{0};
  u32 others = 0;
  for (u64 i = 0; i < count; ++i) {
    const u32 author = units[i] & known;
    others |= static_cast<u32>((author >= base) & (author < kAtomicStore) & (author != me));
  }
  return others != 0;
}

struct Units {
  u32* at;
  u64 count;
};
inline Units UnitsOf(const Warp& w, const Span& span, u64 offset, u64 bytes) {
  const u32 shift = w.stores->unit_shift;
  return {span.authors + (offset >> shift), ((bytes - 1) >> shift) + 1};
}

// One lane's (or a run's) access. `fresh` as in CheckAuthors.
inline void NoteLoad(Warp& w, const Op& op, int lane, const Span& span, u64 offset, u32 bytes) {
  if (w.stores == nullptr || span.authors == nullptr) return;
  const Units units = UnitsOf(w, span, offset, bytes);
  const u32 me = KnownAuthor(w);
  if (HasOthers(units.at, units.count, w.stores->base, me, StoreAccess::kLoad)) {
    CheckAuthors(w, op, lane, span, offset, bytes, StoreAccess::kLoad, nullptr);
  }
}
inline void NoteStore(Warp& w, const Op& op, int lane, Span& span, u64 offset, u32 bytes,
                      StoreAccess access, const char* fresh) {
  if (w.stores == nullptr) return;
  if (span.authors == nullptr) WatchStores(w, &span);
  if (span.authors == nullptr) return;
  const Units units = UnitsOf(w, span, offset, bytes);
  const u32 me = AuthorOf(w);
  if (HasOthers(units.at, units.count, w.stores->base, me, access)) {
    CheckAuthors(w, op, lane, span, offset, bytes, access, fresh);
  }
  for (u64 i = 0; i < units.count; ++i) {
    if (access == StoreAccess::kStore) {
      units.at[i] = me;
    } else if (units.at[i] < w.stores->base || !IsPlainStoreOfBlock(w, units.at[i])) {
      // A plain store of the own block still races with others' atomics: it stays on record.
      units.at[i] = me | kAtomicStore;
    }
  }
}

// A warp's access in the pattern of its site, `bytes` a lane.
inline void NoteLoads(Warp& w, const Op& op, const Site& s, u64 offset, u32 bytes) {
  const Span& span = *s.span;
  if (w.stores == nullptr || span.authors == nullptr) return;
  const u64 from = offset + static_cast<u64>(s.low);
  const Units all = UnitsOf(w, span, from, static_cast<u64>(s.high - s.low));
  const u32 me = KnownAuthor(w);
  const bool dense = s.shape == Site::kUniform || s.shape == Site::kContiguous;
  if (dense && !HasOthers(all.at, all.count, w.stores->base, me, StoreAccess::kLoad)) return;
  for (u32 m = w.mask; m != 0; m &= m - 1) {
    const int i = First(m);
    NoteLoad(w, op, i, span, offset + static_cast<u64>(s.delta[i]), bytes);
  }
}
// A warp's plain store in the pattern of its site is put on record. False, with nothing recorded,
// where the lanes must be taken one by one, each with what it stores.
inline bool NoteStores(Warp& w, const Site& s, u64 offset, u32 bytes) {
  Span& span = *s.span;
  if (w.stores == nullptr) return true;
  if (span.authors == nullptr) WatchStores(w, &span);
  if (span.authors == nullptr) return true;
  const u32 me = AuthorOf(w), base = w.stores->base, shift = w.stores->unit_shift;
  if (s.shape == Site::kContiguous) {
    const Units units = UnitsOf(w, span, offset, static_cast<u64>(s.high - s.low));
    if (HasOthers(units.at, units.count, base, me, StoreAccess::kStore)) return false;
    for (u64 i = 0; i < units.count; ++i) units.at[i] = me;
    return true;
  }
  if (bytes != 1u << shift) return false;
  u32* units[kLanes];
  u32 others = 0;
  for (u32 m = w.mask; m != 0; m &= m - 1) {
    const int i = First(m);
    units[i] = span.authors + ((offset + static_cast<u64>(s.delta[i])) >> shift);
    others |= static_cast<u32>(HasOthers(units[i], 1, base, me, StoreAccess::kStore));
  }
  if (others != 0) return false;
  for (u32 m = w.mask; m != 0; m &= m - 1) *units[First(m)] = me;
  return true;
}

}  // namespace
}  // namespace kw::eval::emu
