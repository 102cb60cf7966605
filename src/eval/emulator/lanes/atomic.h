// Atomics, fences, mbarriers.
#pragma once

#include "lanes/half.h"
#include "lanes/memory.h"

namespace kw::eval::emu {
namespace {

template <class T>
inline T AtomicInteger(AtomicOp op, T old, T b, T c) {
  switch (op) {
    case AtomicOp::kAnd:
      return old & b;
    case AtomicOp::kOr:
      return old | b;
    case AtomicOp::kXor:
      return old ^ b;
    case AtomicOp::kStore:
    case AtomicOp::kExch:
      return b;
    case AtomicOp::kAdd:
      return static_cast<T>(old + b);
    case AtomicOp::kInc:
      return old >= b ? T{0} : static_cast<T>(old + 1);
    case AtomicOp::kDec:
      return old == 0 || old > b ? b : static_cast<T>(old - 1);
    case AtomicOp::kMin:
      return b < old ? b : old;
    case AtomicOp::kMax:
      return b > old ? b : old;
    case AtomicOp::kCas:
      return old == b ? c : old;
    case AtomicOp::kLoad:
      return old;
  }
  return old;
}
inline float AtomicReal(AtomicOp op, float old, float b) {
  if (op == AtomicOp::kAdd) return old + b;
  const bool less = b < old || old != old;
  if (op == AtomicOp::kMin) return less ? b : old;
  return b > old || old != old ? b : old;
}
inline u16 AtomicHalf(AtomicOp op, u16 old, u16 b, bool bf16) {
  const float x = bf16 ? Bf16ToFloat(old) : HalfToFloat(old);
  const float y = bf16 ? Bf16ToFloat(b) : HalfToFloat(b);
  const float r = AtomicReal(op, x, y);
  return bf16 ? FloatToBf16(r) : FloatToHalf(r);
}
inline u32 FlushBits(u32 bits) { return (bits & 0x7f800000) == 0 ? bits & 0x80000000 : bits; }

template <class T>
inline T AtomicResult(AtomicOp op, Type type, bool device, T old, T b, T c) {
  switch (type) {
    case Type::kS32:
    case Type::kS64: {
      using S = std::make_signed_t<T>;
      if (op != AtomicOp::kMin && op != AtomicOp::kMax) break;
      return static_cast<T>(AtomicInteger<S>(op, static_cast<S>(old), static_cast<S>(b), 0));
    }
    case Type::kF32:
      if constexpr (sizeof(T) == 4) {
        if (op == AtomicOp::kExch || op == AtomicOp::kCas) break;
        if (!device) return Bits<u32>(AtomicReal(op, Bits<float>(old), Bits<float>(b)));
        // In device memory subnormal operands and results count as zero.
        return FlushBits(
            Bits<u32>(AtomicReal(op, Bits<float>(FlushBits(old)), Bits<float>(FlushBits(b)))));
      }
      break;
    case Type::kF64:
      if constexpr (sizeof(T) == 8) {
        if (op == AtomicOp::kAdd) return Bits<u64>(Bits<double>(old) + Bits<double>(b));
      }
      break;
    case Type::kF16:
    case Type::kBf16:
      if constexpr (sizeof(T) == 2) return AtomicHalf(op, old, b, type == Type::kBf16);
      break;
    case Type::kF16x2:
    case Type::kBf16x2:
      if constexpr (sizeof(T) == 4) {
        const bool bf16 = type == Type::kBf16x2;
        const u32 low = AtomicHalf(op, static_cast<u16>(old), static_cast<u16>(b), bf16);
        const u32 high =
            AtomicHalf(op, static_cast<u16>(old >> 16), static_cast<u16>(b >> 16), bf16);
        return high << 16 | low;
      }
      break;
    default:
      break;
  }
  return AtomicInteger<T>(op, old, b, c);
}

// Where one lane's bytes are, checked: nullptr ends the launch.
inline char* ReachLane(Warp& w, const Op& op, const u64* addr, u64 offset, int i, u64 window,
                       u32 bytes, bool store) {
  const u64 at = addr[i] + offset;
  if (window == kSharedWindow) {
    const u32 s = static_cast<u32>(at);
    const bool odd = (s & (bytes - 1)) != 0;
    if (odd || s > w.shared_bytes || w.shared_bytes - s < bytes) {
      FaultWindow(w, op, Window::kShared, i, s, bytes, odd);
      return nullptr;
    }
    return w.shared + s;
  }
  const u32 mask = w.mask;
  Span* span = (at & (bytes - 1)) == 0 ? FindSpan(w, at, bytes) : nullptr;
  if (span == nullptr) {
    w.mask = 1u << i;
    FaultGlobal(w, op, addr, offset, bytes, store);
    w.mask = mask;
    return nullptr;
  }
  if (store && (span->read_only || span->is_protected) && !StoreToReadOnly(w, op, i, at, span)) {
    return nullptr;
  }
  const u64 from = at - span->start;
  if (span->written != nullptr) {
    if (!store || (op.extra >> 24 & 1) != 0) {
      if (!AllSet(span->written, from, bytes)) NoteUninitialised(w, op, i, at, false);
    }
    if (store) MarkWritten(span, from, bytes);
  }
  if (store) NoteStore(w, op, i, *span, from, bytes, StoreAccess::kAtomic, nullptr);
  store ? MarkSector<true>(w, span, from >> 5) : MarkSector<false>(w, span, from >> 5);
  ++(store ? w.counts->global_store_sectors : w.counts->global_load_sectors);
  return span->host + from;
}

// a = address, b = operand, c = second operand of cas; d = old value or none.
// extra: AtomicOp | type << 8 | space << 16 (0 device, 1 shared, 2 generic) | reads << 24
template <class T>
bool Atomic(Warp& w, const Op& op) {
  if (w.mask == 0) return true;
  const AtomicOp what = static_cast<AtomicOp>(op.extra & 0xff);
  const Type type = static_cast<Type>(op.extra >> 8 & 0xff);
  const u32 space = op.extra >> 16 & 0xff;
  const u64* addr = Src<u64>(w, op.a);
  const T *b = Src<T>(w, op.b), *c = Src<T>(w, op.c);
  Signal(w);
  ++w.counts->atomics;
  for (u32 m = w.mask; m != 0; m &= m - 1) {
    const int i = First(m);
    const u64 at = addr[i] + op.imm;
    const u64 window = space == 0 ? 0 : space == 1 ? kSharedWindow : WindowOf(at);
    T old;
    if (window == kLocalWindow) {
      if (!LocalInside(w, op, i, static_cast<u32>(at), sizeof(T))) return false;
      NoteLocalLoad(w, op, static_cast<u32>(at), sizeof(T), 1u << i);
      NoteLocalStore(w, static_cast<u32>(at), sizeof(T), 1u << i);
      old = LocalGet<T>(w, static_cast<u32>(at), i);
      LocalPut<T>(w, static_cast<u32>(at), i, AtomicResult<T>(what, type, false, old, b[i], c[i]));
    } else {
      char* host = ReachLane(w, op, addr, op.imm, i, window, sizeof(T), what != AtomicOp::kLoad);
      if (host == nullptr) return false;
      old = Get<T>(host);
      if (window == kSharedWindow && w.race != nullptr) {
        const u32 s = static_cast<u32>(at);
        if (w.race->writer[s >> w.race->unit_shift] < w.race->base)
          NoteUninitialised(w, op, i, s, true);
        RaceWrite(w, op, {s, sizeof(T), nullptr, kNoLane, true});
      }
      Put<T>(host, AtomicResult<T>(what, type, window == 0, old, b[i], c[i]));
    }
    if (op.d != kNoPredicate) Dst<T>(w, op.d)[i] = old;
  }
  return true;
}

bool SyncWarp(Warp& w, const Op&) {
  BeginEpoch(w);
  return true;
}

// Between lanes a fence counts as a barrier: code from before Volta has it where shuffles follow.
bool Fence(Warp& w, const Op&) {
  BeginEpoch(w);
  if (w.looked) Acquire(w);
  w.looked = false;
  w.fenced = true;
  return true;
}

// ---- mbarrier: an object of 64 bits in shared memory, in an encoding of our own ----
// phase | pending << 1 | expected << 21

enum class MbarrierOp : u32 {
  kInit,
  kArrive,
  kWaitToken,
  kWaitParity,
  kInvalidate,
  kDrop,
  kPending
};

// a = address, b = count, token or parity; d = token or predicate
bool Mbarrier(Warp& w, const Op& op) {
  if (w.mask == 0) return true;
  const u32* addr = Src<u32>(w, op.a);
  const MbarrierOp what = static_cast<MbarrierOp>(op.extra);
  u32 result = 0;
  w.sync_touched = true;
  constexpr u64 kMost = (1u << 20) - 1;
  bool complete = false;
  for (u32 m = w.mask; m != 0; m &= m - 1) {
    const int i = First(m);
    const u32 at = addr[i] + static_cast<u32>(op.imm);
    if ((at & 7) != 0 || at > w.shared_bytes || w.shared_bytes - at < 8) {
      return FaultWindow(w, op, Window::kShared, i, at, 8, (at & 7) != 0);
    }
    u64 state = Get<u64>(w.shared + at);
    u64 phase = state & 1, pending = state >> 1 & kMost, expected = state >> 21 & kMost;
    switch (what) {
      case MbarrierOp::kInit:
        phase = 0;
        pending = expected = Src<u32>(w, op.b)[i] & kMost;
        break;
      case MbarrierOp::kDrop:
      case MbarrierOp::kArrive: {
        if (op.d != kNoPredicate) Dst<u64>(w, op.d)[i] = state;
        Release(w);
        const u64 n = Src<u32>(w, op.b)[i];
        if (what == MbarrierOp::kDrop) expected -= n < expected ? n : expected;
        pending -= n < pending ? n : pending;
        if (pending == 0) {
          phase ^= 1;
          pending = expected;
        }
        break;
      }
      case MbarrierOp::kWaitToken:
        complete = (Src<u64>(w, op.b)[i] & 1) != phase;
        result |= static_cast<u32>(complete) << i;
        break;
      case MbarrierOp::kWaitParity:
        complete = (Src<u32>(w, op.b)[i] & 1) != phase;
        result |= static_cast<u32>(complete) << i;
        break;
      case MbarrierOp::kInvalidate:
        break;
      case MbarrierOp::kPending:
        break;
    }
    Put<u64>(w.shared + at, phase | pending << 1 | expected << 21);
    if (w.race != nullptr) RaceWrite(w, op, {at, 8, nullptr, kNoLane, true});
  }
  if (what == MbarrierOp::kWaitToken || what == MbarrierOp::kWaitParity) {
    if (result != 0) Acquire(w);
    SetPredicate(w, op.d, result);
  }
  return true;
}

constexpr HandlerEntry kAtomics[] = {
    {K(Code::kNothing, Type::kB8), &Fence},       {K(Code::kNothing, Type::kB16), &SyncWarp},
    {K(Code::kMbarrier, Type::kB64), &Mbarrier},  {K(Code::kAtomic, Type::kU16), &Atomic<u16>},
    {K(Code::kAtomic, Type::kU32), &Atomic<u32>}, {K(Code::kAtomic, Type::kU64), &Atomic<u64>},
};

}  // namespace
}  // namespace kw::eval::emu
