// cp.async: copies from device to shared memory that are there only when their thread has waited.
#pragma once

#include "lanes/memory.h"

namespace kw::eval::emu {
namespace {

// Until it is waited for, nobody may touch what a copy will fill.
inline void MarkPending(const RaceShadow& r, u32 address, u32 bytes) {
  const auto [from, n] = SharedUnits(r, address, bytes);
  for (u32 unit = from; unit < from + n; ++unit) {
    r.writer[unit] = kPendingStamp;
    r.lanes[unit] = 0;
  }
}

inline void Finish(Warp& w, const AsyncCopy& copy) {
  __builtin_memcpy(w.shared + copy.to, copy.data, copy.bytes);
  if (w.race == nullptr) return;
  const RaceShadow& r = *w.race;
  const auto [from, n] = SharedUnits(r, copy.to, copy.bytes);
  for (u32 unit = from; unit < from + n; ++unit) {
    r.writer[unit] = r.clock << 6 | w.index;
    r.lanes[unit] = w.epoch << 5 | copy.lane;
  }
}

// a = shared address, b = device address, c = bytes that are read (the rest is zero); imm = offset
// of the source << 32 | offset of the destination, extra = bytes
bool CopyAsync(Warp& w, const Op& op) {
  if (w.mask == 0) return true;
  const u32* to = Src<u32>(w, op.a);
  const u64* from = Src<u64>(w, op.b);
  const u32* kept = Src<u32>(w, op.c);
  const u32 bytes = op.extra;
  const u64 source_offset = static_cast<u64>(static_cast<i64>(op.imm) >> 32);
  ++w.counts->global_requests;
  ++w.counts->shared_requests;
  for (u32 m = w.mask; m != 0; m &= m - 1) {
    const int i = First(m);
    const u32 s = to[i] + static_cast<u32>(op.imm);
    const u32 n = kept[i] < bytes ? kept[i] : bytes;
    const bool odd = (s & (bytes - 1)) != 0;
    if (odd || s > w.shared_bytes || w.shared_bytes - s < bytes) {
      return FaultWindow(w, op, Window::kShared, i, s, bytes, odd);
    }
    if (w.copy_count == w.copy_capacity) GrowCopies(w);
    AsyncCopy& copy = w.copies[w.copy_count++];
    copy = {s, bytes, w.copy_groups[i], static_cast<u32>(i), {}};
    if (n > 0) {
      const u64 at = from[i] + source_offset;
      Span* span = (at & (bytes - 1)) == 0 ? FindSpan(w, at, n) : nullptr;
      if (span == nullptr) {
        w.mask = 1u << i;
        return FaultGlobal(w, op, from, source_offset, (at & (bytes - 1)) == 0 ? n : bytes, false);
      }
      const u64 offset = at - span->start;
      if (span->written != nullptr && !AllSet(span->written, offset, n)) {
        NoteUninitialised(w, op, i, at, false);
      }
      NoteLoad(w, op, i, *span, offset, n);
      MarkSector<false>(w, span, offset >> 5);
      // Neighbouring lanes share sectors of 32 bytes.
      w.counts->global_load_sectors += (i * bytes) % 32 == 0;
      __builtin_memcpy(copy.data, span->host + offset, n);
    }
    if (w.race == nullptr) continue;
    RaceWrite(w, op, {s, bytes, copy.data, i});
    MarkPending(*w.race, s, bytes);
  }
  return true;
}

bool CommitCopies(Warp& w, const Op&) {
  for (int i = 0; i < kLanes; ++i) w.copy_groups[i] += w.mask >> i & 1;
  return true;
}

// imm = committed groups that may stay under way; kAllCopies: none, committed or not
bool WaitForCopies(Warp& w, const Op& op) {
  u32 left = 0;
  for (u32 k = 0; k < w.copy_count; ++k) {
    const AsyncCopy& copy = w.copies[k];
    const bool done = Has(w.mask, static_cast<int>(copy.lane)) &&
                      (op.imm == kAllCopies || copy.group + op.imm < w.copy_groups[copy.lane]);
    if (done) {
      Finish(w, copy);
    } else {
      w.copies[left++] = copy;
    }
  }
  w.copy_count = left;
  return true;
}

constexpr HandlerEntry kAsyncCopies[] = {
    {K(Code::kCopyAsync, Type::kNone), &CopyAsync},
    {K(Code::kCopyAsync, Type::kB8), &CommitCopies},
    {K(Code::kCopyAsync, Type::kB16), &WaitForCopies},
};

}  // namespace
}  // namespace kw::eval::emu
