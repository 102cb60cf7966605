// ldmatrix, mma, wmma.
//
// The decoder leaves in w.lists, at op.imm, what TensorInfo names, and tables that say for each
// (element, lane) of a fragment where it lies in its matrix: row * 32 + column.
#pragma once

#include "lanes/convert.h"
#include "lanes/memory.h"
#include "tensor_info.h"

namespace kw::eval::emu {
namespace {

constexpr int kSide = 32;
using TensorCell = u32;

template <class T>
struct Matrix {
  alignas(64) T at[kSide * kSide];
};

// A fragment's registers into a matrix of floats.
inline void UnpackFloats(const Warp& w, const u32* regs, u32 count, Type type, const u32* table,
                         Matrix<float>* out) {
  alignas(64) float pair[2 * kLanes];
  for (u32 r = 0; r < count; ++r) {
    switch (type) {
      case Type::kF16:
      case Type::kBf16: {
        const u16* halves = Src<u16>(w, regs[r]);
        if (type == Type::kF16)
          Fp16::Load<2 * kLanes>(halves, pair);
        else
          Bf16::Load<2 * kLanes>(halves, pair);
        const u32* cell = table + 2 * r * kLanes;
        for (int i = 0; i < kLanes; ++i) {
          out->at[cell[i]] = pair[2 * i];
          out->at[cell[kLanes + i]] = pair[2 * i + 1];
        }
        break;
      }
      case Type::kTf32: {
        const u32* bits = Src<u32>(w, regs[r]);
        for (int i = 0; i < kLanes; ++i) {
          out->at[table[r * kLanes + static_cast<u32>(i)]] = Bits<float>(bits[i] & 0xffffe000u);
        }
        break;
      }
      case Type::kF32: {
        const float* values = Src<float>(w, regs[r]);
        for (int i = 0; i < kLanes; ++i)
          out->at[table[r * kLanes + static_cast<u32>(i)]] = values[i];
        break;
      }
      default: {  // kB8: e4m3, kU8: e5m2
        const u32* bits = Src<u32>(w, regs[r]);
        for (u32 j = 0; j < 4; ++j) {
          for (int i = 0; i < kLanes; ++i) {
            out->at[table[(4 * r + j) * kLanes + static_cast<u32>(i)]] =
                FromFp8(static_cast<u8>(bits[i] >> (8 * j)), type == Type::kB8);
          }
        }
      }
    }
  }
}

inline void StoreRegister(Warp& w, u32 offset, const u32* values) {
  Each(w, Dst<u32>(w, offset), [=](int i) { return values[i]; });
}

inline void PackFloats(Warp& w, const u32* regs, u32 count, Type type, const u32* table,
                       const Matrix<float>& from) {
  alignas(64) u32 values[kLanes];
  for (u32 r = 0; r < count; ++r) {
    for (int i = 0; i < kLanes; ++i) {
      if (type == Type::kF32) {
        values[i] = Bits<u32>(from.at[table[r * kLanes + static_cast<u32>(i)]]);
      } else {
        const u32 low = FloatToHalf(from.at[table[2 * r * kLanes + static_cast<u32>(i)]]);
        const u32 high = FloatToHalf(from.at[table[(2 * r + 1) * kLanes + static_cast<u32>(i)]]);
        values[i] = high << 16 | low;
      }
    }
    StoreRegister(w, regs[r], values);
  }
}

// d = a * b + c. Products are exact, sums in float and in the order of k: a GPU adds in an order
// and precision of its own, so results agree within rounding.
bool MmaFloat(Warp& w, const Op& op) {
  const u32* info = w.lists + op.imm;
  const u32* regs = w.lists + op.list;
  const auto field = [&](TensorField f) { return info[static_cast<u32>(f)]; };
  const u32 nd = field(TensorField::kD), na = field(TensorField::kA), nb = field(TensorField::kB);
  const u32 nc = field(TensorField::kC);
  const u32 m = field(TensorField::kM), n = field(TensorField::kN), k = field(TensorField::kK);
  Matrix<float> a, b, c;
  UnpackFloats(w, regs + nd, na, static_cast<Type>(field(TensorField::kTypeA)),
               w.lists + field(TensorField::kTableA), &a);
  UnpackFloats(w, regs + nd + na, nb, static_cast<Type>(field(TensorField::kTypeB)),
               w.lists + field(TensorField::kTableB), &b);
  UnpackFloats(w, regs + nd + na + nb, nc, static_cast<Type>(field(TensorField::kTypeC)),
               w.lists + field(TensorField::kTableC), &c);
  for (u32 row = 0; row < m; ++row) {
    for (u32 j = 0; j < n; j += 8) {
      float sum[8];
      for (u32 x = 0; x < 8; ++x) sum[x] = c.at[row * kSide + j + x];
      for (u32 p = 0; p < k; ++p) {
        const float left = a.at[row * kSide + p];
        const float* right = b.at + p * kSide + j;
        for (u32 x = 0; x < 8; ++x) sum[x] = __builtin_fmaf(left, right[x], sum[x]);
      }
      for (u32 x = 0; x < 8; ++x) c.at[row * kSide + j + x] = sum[x];
    }
  }
  PackFloats(w, regs, nd, static_cast<Type>(field(TensorField::kTypeD)),
             w.lists + field(TensorField::kTableC), c);
  return true;
}

inline void UnpackBytes(const Warp& w, const u32* regs, u32 count, bool is_signed, const u32* table,
                        Matrix<i32>* out) {
  for (u32 r = 0; r < count; ++r) {
    const u32* bits = Src<u32>(w, regs[r]);
    for (u32 j = 0; j < 4; ++j) {
      for (int i = 0; i < kLanes; ++i) {
        const u8 byte = static_cast<u8>(bits[i] >> (8 * j));
        out->at[table[(4 * r + j) * kLanes + static_cast<u32>(i)]] =
            is_signed ? static_cast<i8>(byte) : byte;
      }
    }
  }
}

bool MmaInteger(Warp& w, const Op& op) {
  const u32* info = w.lists + op.imm;
  const u32* regs = w.lists + op.list;
  const auto field = [&](TensorField f) { return info[static_cast<u32>(f)]; };
  const u32 nd = field(TensorField::kD), na = field(TensorField::kA), nb = field(TensorField::kB);
  const u32 m = field(TensorField::kM), n = field(TensorField::kN), k = field(TensorField::kK);
  const bool saturate = field(TensorField::kSaturate) != 0;
  Matrix<i32> a, b;
  UnpackBytes(w, regs + nd, na, static_cast<Type>(field(TensorField::kTypeA)) == Type::kS8,
              w.lists + field(TensorField::kTableA), &a);
  UnpackBytes(w, regs + nd + na, nb, static_cast<Type>(field(TensorField::kTypeB)) == Type::kS8,
              w.lists + field(TensorField::kTableB), &b);
  Matrix<i64> c;
  const u32* table = w.lists + field(TensorField::kTableC);
  for (u32 r = 0; r < nd; ++r) {
    const i32* values = Src<i32>(w, regs[nd + na + nb + r]);
    for (int i = 0; i < kLanes; ++i) c.at[table[r * kLanes + static_cast<u32>(i)]] = values[i];
  }
  for (u32 row = 0; row < m; ++row) {
    for (u32 j = 0; j < n; ++j) {
      i64 sum = c.at[row * kSide + j];
      for (u32 p = 0; p < k; ++p) {
        sum += static_cast<i64>(a.at[row * kSide + p]) * b.at[p * kSide + j];
      }
      if (saturate) sum = sum > INT32_MAX ? INT32_MAX : sum < INT32_MIN ? INT32_MIN : sum;
      c.at[row * kSide + j] = sum;
    }
  }
  alignas(64) u32 values[kLanes];
  for (u32 r = 0; r < nd; ++r) {
    for (int i = 0; i < kLanes; ++i) {
      values[i] = static_cast<u32>(c.at[table[r * kLanes + static_cast<u32>(i)]]);
    }
    StoreRegister(w, regs[r], values);
  }
  return true;
}

// m8n8k4 in double
bool MmaDouble(Warp& w, const Op& op) {
  const u32* info = w.lists + op.imm;
  const u32* regs = w.lists + op.list;
  const auto table_of = [&](TensorField f) { return w.lists + info[static_cast<u32>(f)]; };
  double a[8 * kSide] = {}, b[8 * kSide] = {}, c[8 * kSide] = {};
  for (int i = 0; i < kLanes; ++i) {
    a[table_of(TensorField::kTableA)[i]] = Src<double>(w, regs[2])[i];
    b[table_of(TensorField::kTableB)[i]] = Src<double>(w, regs[3])[i];
    for (u32 e = 0; e < 2; ++e) {
      c[table_of(TensorField::kTableC)[e * kLanes + static_cast<u32>(i)]] =
          Src<double>(w, regs[4 + e])[i];
    }
  }
  for (int row = 0; row < 8; ++row) {
    for (int j = 0; j < 8; ++j) {
      double sum = c[row * kSide + j];
      for (int p = 0; p < 4; ++p) {
        sum = __builtin_fma(a[row * kSide + p], b[p * kSide + j], sum);
      }
      c[row * kSide + j] = sum;
    }
  }
  for (u32 e = 0; e < 2; ++e) {
    double values[kLanes];
    const u32* table = table_of(TensorField::kTableC) + e * kLanes;
    for (int i = 0; i < kLanes; ++i) values[i] = c[table[i]];
    Each(w, Dst<double>(w, regs[e]), [&](int i) { return values[i]; });
  }
  return true;
}

// ---- wmma.load and wmma.store ----

// Where the lines (rows or columns) of a matrix in memory are, checked and counted.
// Returns the host address of line 0 (lines then follow at `pitch` bytes), or nullptr.
template <bool kStore>
inline char* ReachMatrix(Warp& w, const Op& op, u64 address, u64 pitch, u32 lines, u32 line_bytes,
                         u32 element) {
  const u64 total = pitch * (lines - 1) + line_bytes;
  const u64 window = (op.extra & 1) != 0   ? kSharedWindow
                     : (op.extra & 2) != 0 ? 0
                                           : WindowOf(address);
  const bool odd = (address & (element - 1)) != 0;
  if (window == kSharedWindow) {
    const u32 at = static_cast<u32>(address);
    if (odd || at > w.shared_bytes || w.shared_bytes - at < total) {
      FaultWindow(w, op, Window::kShared, 0, odd ? at : at + total - element, element, odd);
      return nullptr;
    }
    w.counts->shared_requests += lines / 8 + 1;
    for (u32 i = 0; i < lines && w.race != nullptr; ++i) {
      const u32 line = at + static_cast<u32>(pitch * i);
      if (kStore)
        RaceWrite(w, op, {line, line_bytes, nullptr, kNoLane});
      else
        ReadAsWarp(w, op, line, line_bytes);
    }
    return w.shared + at;
  }
  for (u32 i = 0; i < lines; ++i) {
    const u64 line = address + pitch * i;
    Span* span = odd ? nullptr : FindSpan(w, line, line_bytes);
    if (span == nullptr) {
      // Name the first element of the line that is outside.
      u64 bad = line;
      while (!odd && FindSpan(w, bad, element) != nullptr && bad < line + line_bytes)
        bad += element;
      u64 addresses[kLanes];
      for (u64& x : addresses) x = bad;
      FaultGlobal(w, op, addresses, 0, element, kStore);
      return nullptr;
    }
    const u64 offset = line - span->start;
    if (kStore && (span->read_only || span->is_protected) &&
        !StoreToReadOnly(w, op, 0, line, span)) {
      return nullptr;
    }
    if (span->written != nullptr) {
      if (kStore)
        MarkWritten(span, offset, line_bytes);
      else if (!AllSet(span->written, offset, line_bytes))
        NoteUninitialised(w, op, 0, line, false);
    }
    if (kStore)
      NoteStore(w, op, 0, *span, offset, line_bytes, StoreAccess::kStore, nullptr);
    else
      NoteLoad(w, op, 0, *span, offset, line_bytes);
    const u64 from = offset >> 5, to = (offset + line_bytes - 1) >> 5;
    for (u64 s = from; s <= to; ++s) MarkSector<kStore>(w, span, s);
    (kStore ? w.counts->global_store_sectors : w.counts->global_load_sectors) += to - from + 1;
  }
  ++w.counts->global_requests;
  Span* whole = FindSpan(w, address, total);
  if (whole == nullptr) {
    u64 addresses[kLanes];
    for (u64& x : addresses) x = address + total - element;
    FaultGlobal(w, op, addresses, 0, element, kStore);
    return nullptr;
  }
  return whole->host + (address - whole->start);
}

// lists: registers; a = address, b = stride in elements; extra: 1 shared, 2 device, 4 lines are
// columns. Fields: kM rows, kN columns, kTypeA the element, kD registers, kTableA.
template <bool kStore>
bool WmmaMemory(Warp& w, const Op& op) {
  const u32* info = w.lists + op.imm;
  const u32* regs = w.lists + op.list;
  const auto field = [&](TensorField f) { return info[static_cast<u32>(f)]; };
  const u32 rows = field(TensorField::kM), columns = field(TensorField::kN);
  const Type type = static_cast<Type>(field(TensorField::kTypeA));
  const u32 bytes = type == Type::kF64                          ? 8
                    : type == Type::kF16 || type == Type::kBf16 ? 2
                    : type == Type::kS8 || type == Type::kU8    ? 1
                                                                : 4;
  const u32 count = field(TensorField::kD), packed = bytes == 8 ? 1 : 4 / bytes;
  const u32* table = w.lists + field(TensorField::kTableA);
  const bool by_column = (op.extra & 4) != 0;
  const int lead = First(w.mask);
  const u64 address = Src<u64>(w, op.a)[lead] + field(TensorField::kOffset);
  const u64 stride = Src<u32>(w, op.b)[lead];
  const u32 lines = by_column ? columns : rows, length = by_column ? rows : columns;
  char* host = ReachMatrix<kStore>(w, op, address, stride * bytes, lines, length * bytes, bytes);
  if (host == nullptr) return false;
  const auto place = [&](u32 cell) {
    const u64 row = cell / kSide, column = cell % kSide;
    return (by_column ? column * stride + row : row * stride + column) * bytes;
  };
  for (u32 r = 0; r < count; ++r) {
    alignas(64) u32 values[kLanes];
    for (u32 i = 0; i < kLanes; ++i) {
      if (bytes == 8) {
        char* at = host + place(table[r * kLanes + i]);
        if (kStore)
          Put<u64>(at, Src<u64>(w, regs[r])[i]);
        else if (Has(w.write, static_cast<int>(i)))
          Dst<u64>(w, regs[r])[i] = Get<u64>(at);
        continue;
      }
      u32 value = kStore ? Src<u32>(w, regs[r])[i] : 0;
      for (u32 j = 0; j < packed; ++j) {
        char* at = host + place(table[(r * packed + j) * kLanes + i]);
        if (kStore)
          __builtin_memcpy(at, reinterpret_cast<const char*>(&value) + j * bytes, bytes);
        else
          __builtin_memcpy(reinterpret_cast<char*>(&value) + j * bytes, at, bytes);
      }
      values[i] = value;
    }
    if (!kStore && bytes != 8) StoreRegister(w, regs[r], values);
  }
  return true;
}

// ---- ldmatrix, stmatrix: 8 x 8 matrices of 16 bits, a row address a lane ----

// lists: registers; a = addresses; extra: matrices | transposed << 8
template <bool kStore>
bool MoveMatrix(Warp& w, const Op& op) {
  const u32* addr = Src<u32>(w, op.a);
  const u32* regs = w.lists + op.list;
  const u32 matrices = op.extra & 0xff;
  const bool transposed = (op.extra & 0x100) != 0;
  char* rows[kLanes];
  for (u32 i = 0; i < matrices * 8; ++i) {
    const u32 at = addr[i] + static_cast<u32>(op.imm);
    const bool odd = (at & 15) != 0;
    if (odd || at > w.shared_bytes || w.shared_bytes - at < 16) {
      return FaultWindow(w, op, Window::kShared, static_cast<int>(i), at, 16, odd);
    }
    rows[i] = w.shared + at;
    if (w.race == nullptr) continue;
    if (kStore)
      RaceWrite(w, op, {at, 16, nullptr, kNoLane});
    else
      ReadAsWarp(w, op, at, 16);
  }
  w.counts->shared_requests += matrices;
  for (u32 m = 0; m < matrices; ++m) {
    u32 used[8] = {}, worst = 1;
    for (u32 r = 0; r < 8; ++r) {
      const u32 bank = (addr[m * 8 + r] + static_cast<u32>(op.imm)) >> 4 & 7;
      worst = ++used[bank] > worst ? used[bank] : worst;
    }
    w.counts->shared_conflicts += worst - 1;
    alignas(64) u32 values[kLanes];
    for (u32 i = 0; i < kLanes; ++i) {
      const u32 line = i / 4, pair = i % 4 * 2;
      char* low = transposed ? rows[m * 8 + pair] + line * 2 : rows[m * 8 + line] + pair * 2;
      char* high = transposed ? rows[m * 8 + pair + 1] + line * 2 : low + 2;
      if (kStore) {
        const u32 value = Src<u32>(w, regs[m])[i];
        Put<u16>(low, static_cast<u16>(value));
        Put<u16>(high, static_cast<u16>(value >> 16));
      } else {
        values[i] = static_cast<u32>(Get<u16>(high)) << 16 | Get<u16>(low);
      }
    }
    if (!kStore) StoreRegister(w, regs[m], values);
  }
  return true;
}

constexpr HandlerEntry kTensor[] = {
    {K(Code::kMma, Type::kF32), &MmaFloat},
    {K(Code::kMma, Type::kS32), &MmaInteger},
    {K(Code::kMma, Type::kF64), &MmaDouble},
    {K(Code::kWmmaLoad, Type::kNone), &WmmaMemory<false>},
    {K(Code::kWmmaStore, Type::kNone), &WmmaMemory<true>},
    {K(Code::kLoadMatrix, Type::kB16), &MoveMatrix<false>},
    {K(Code::kStoreMatrix, Type::kB16), &MoveMatrix<true>},
};

}  // namespace
}  // namespace kw::eval::emu
