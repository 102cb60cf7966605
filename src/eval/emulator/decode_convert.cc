// Conversions.
#include "decoder.h"

namespace kw::eval::emu {

bool Decoder::ConvertInteger(Type to, Type from, bool saturate) {
  const int d_bytes = RegisterBytes(At(0));
  const int to_bits = ptx::Bytes(to) * 8, from_bits = ptx::Bytes(from) * 8;
  int a_bytes = std::max(2, ptx::Bytes(from));
  if (At(1).kind == Operand::Kind::kRegister) a_bytes = RegisterBytes(At(1));
  if (d_bytes < ptx::Bytes(to) || d_bytes < 2 || a_bytes < ptx::Bytes(from)) {
    return Unsupported("a register that is too narrow");
  }
  const Arg d{At(0).reg};
  KW_NEED(a, ValueOfBytes(At(1), a_bytes, false));
  if (saturate) {
    Micro* micro = EmitKey(Code::kCvtRounded, Type::kNone, 0);
    Def(*micro, d, Place::kD);
    Use(*micro, *a, Place::kA);
    micro->op.extra = static_cast<uint32_t>(to) | static_cast<uint32_t>(from) << 8 | 1u << 20;
    micro->op.imm = static_cast<uint64_t>(a_bytes) << 8 | static_cast<uint64_t>(d_bytes);
    return true;
  }
  const bool exact = a_bytes * 8 == from_bits && d_bytes * 8 == to_bits;
  if (exact && to_bits == from_bits) {
    return Emit1(Code::kMov, Unsigned(to), 0, d, *a);
  }
  if (exact && from == Type::kS32 && to_bits == 64) {
    return Emit1(Code::kCvt, Type::kS64, static_cast<uint32_t>(Type::kS32), d, *a);
  }
  if (exact && from == Type::kU32 && to_bits == 64) {
    return Emit1(Code::kCvt, Type::kU64, static_cast<uint32_t>(Type::kU32), d, *a);
  }
  if (exact && from_bits == 64 && to_bits == 32) {
    return Emit1(Code::kCvt, Type::kU32, static_cast<uint32_t>(Type::kU64), d, *a);
  }
  return EmitExtend(d, d_bytes, *a, a_bytes, from_bits, ptx::IsSigned(from), to_bits,
                    ptx::IsSigned(to)) != nullptr;
}

// cvt.rn.f16x2.f32 d, a, b: a is the upper half
bool Decoder::ConvertPair(Type to, bool finite, Modifiers& mods) {
  const auto rounding = TakeRounding(mods);
  const bool relu = mods.Take("relu");
  const Type from = mods.TakeType();
  if (!mods.Left().empty()) return Unsupported(mods.Left());
  if (from != Type::kF32 || !rounding || !Count(3, 3)) return Unsupported("its source");
  const Type half = to == Type::kF16x2 ? Type::kF16 : Type::kBf16;
  KW_NEED(d, Target(At(0), to));
  KW_NEED(high, Value(At(1), Type::kF32));
  KW_NEED(low, Value(At(2), Type::kF32));
  Arg parts[2] = {{NewRegister(2)}, {NewRegister(2)}};
  const Arg sources[2] = {*low, *high};
  for (int i = 0; i < 2; ++i) {
    if (*rounding == Rounding::kNearest && !finite) {
      if (!Emit1(Code::kCvt, half, static_cast<uint32_t>(Type::kF32), parts[i], sources[i])) {
        return false;
      }
      continue;
    }
    Micro* micro = EmitKey(Code::kCvtRounded, Type::kNone, 0);
    Def(*micro, parts[i], Place::kD);
    Use(*micro, sources[i], Place::kA);
    micro->op.extra = static_cast<uint32_t>(half) | static_cast<uint32_t>(Type::kF32) << 8 |
                      static_cast<uint32_t>(*rounding) << 16 | (finite ? 1u << 23 : 0);
    micro->op.imm = 4 << 8 | 2;
  }
  Micro* pack = EmitKey(Code::kPack, Type::kU32, 2);
  Def(*pack, *d, Place::kD);
  Def(*pack, *d, Place::kList);
  Use(*pack, parts[0], Place::kList);
  Use(*pack, parts[1], Place::kList);
  return !relu || Emit1(Code::kRelu, to, 0, *d, *d);
}

// cvt.pack.sat.type.s32{.b32} d, a, b{, c}
bool Decoder::ConvertPack(Modifiers& mods) {
  const bool saturate = mods.Take("sat");
  const Type to = mods.TakeType(), from = mods.TakeType(), rest = mods.TakeType();
  const int bytes = ptx::Bytes(to);
  const bool above = rest == Type::kB32;
  if (!saturate || from != Type::kS32 || !mods.Left().empty() || bytes == 0 || bytes > 2 ||
      IsReal(to) || above != (bytes == 1)) {
    return Unsupported("its types");
  }
  if (!Count(above ? 4 : 3, above ? 4 : 3)) return false;
  KW_NEED(d, Target(At(0), Type::kB32));
  KW_NEED(a, Value(At(1), Type::kS32));
  KW_NEED(b, Value(At(2), Type::kS32));
  KW_NEED(c, Value(At(above ? 3 : 2), Type::kB32));
  if (!Emit3(Code::kCvtPack, Type::kU32, 0, *d, *a, *b, *c)) return false;
  draft_->micros.back().op.extra =
      static_cast<uint32_t>(bytes) * 8 | (ptx::IsSigned(to) ? 32u : 0u);
  return true;
}

bool Decoder::Convert() {
  Modifiers mods(instruction_->parts);
  if (mods.Take("pack")) return ConvertPack(mods);
  const bool finite = mods.Take("satfinite");
  for (const std::string_view narrow : {"e4m3x2", "e5m2x2"}) {
    if (!mods.Take(narrow)) continue;
    const bool e4m3 = narrow == "e4m3x2";
    mods.Take("rn");
    const bool relu = mods.Take("relu");
    const Type other = mods.TakeType();
    if (!mods.Left().empty()) return Unsupported(mods.Left());
    const bool widens = instruction_->parts.back() == narrow;
    if (widens) {
      if (other != Type::kF16x2 || !Count(2, 2)) return Unsupported("its type");
      KW_NEED(d, Target(At(0), Type::kB32));
      KW_NEED(a, Value(At(1), Type::kB16));
      if (!Emit1(Code::kCvtPack, Type::kB32, 0, *d, *a)) return false;
    } else {
      const bool pair = other == Type::kF16x2;
      if ((!pair && other != Type::kF32) || !Count(pair ? 2 : 3, pair ? 2 : 3)) {
        return Unsupported("its type");
      }
      KW_NEED(d, Target(At(0), Type::kB16));
      KW_NEED(a, Value(At(1), Type::kB32));
      KW_NEED(b, Value(At(pair ? 1 : 2), Type::kB32));
      if (!Emit2(Code::kCvtPack, Type::kB16, 0, *d, *a, *b)) return false;
      if (pair) draft_->micros.back().op.extra = 2;
    }
    Op& op = draft_->micros.back().op;
    op.extra |= (e4m3 ? 1u : 0u) | (relu ? 4u : 0u);
    return !widens || !relu || Emit1(Code::kRelu, Type::kF16x2, 0, Arg{At(0).reg}, Arg{At(0).reg});
  }
  const Type to = mods.TakeType();
  if (to == Type::kF16x2 || to == Type::kBf16x2) return ConvertPair(to, finite, mods);
  const Type from = mods.TakeType();
  const bool to_whole = std::any_of(
      instruction_->parts.begin(), instruction_->parts.end(),
      [](std::string_view p) { return p == "rni" || p == "rzi" || p == "rmi" || p == "rpi"; });
  const auto rounding = TakeRounding(mods);
  const bool flush = mods.Take("ftz"), saturate = mods.Take("sat"), relu = mods.Take("relu");
  if (!mods.Left().empty()) return Unsupported(mods.Left());
  if (!Count(2, 2) || to == Type::kNone || from == Type::kNone) return Unsupported("its types");
  const bool to_real = IsReal(to) || to == Type::kTf32, from_real = IsReal(from);
  if (finite && to != Type::kF16 && to != Type::kBf16 && to != Type::kTf32) {
    return Unsupported("satfinite");
  }
  if (!to_real && !from_real) return ConvertInteger(to, from, saturate);
  const int d_bytes = RegisterBytes(At(0));
  if (d_bytes < std::max(2, ptx::Bytes(to)) || (to_real && d_bytes != ptx::Bytes(to))) {
    return Unsupported("a result register of another width");
  }
  const Arg d{At(0).reg};
  int a_bytes = std::max(2, ptx::Bytes(from));
  if (!from_real && At(1).kind == Operand::Kind::kRegister) a_bytes = RegisterBytes(At(1));
  if (a_bytes < ptx::Bytes(from)) return Unsupported("a register that is too narrow");
  KW_NEED(a, ValueOfBytes(At(1), a_bytes, from_real));
  const Rounding mode = rounding.value_or(Rounding::kNearest);
  const bool plain =
      !saturate && !relu && !flush && !finite && mode == Rounding::kNearest && !to_whole;
  const uint32_t source = static_cast<uint32_t>(Plain(from));
  if (plain && to != from && a_bytes == std::max(2, ptx::Bytes(from)) &&
      FindHandler(Key(static_cast<uint32_t>(Code::kCvt), static_cast<uint32_t>(to), source)) !=
          nullptr) {
    return Emit1(Code::kCvt, to, source, d, *a);
  }
  if (to == from && (to == Type::kF32 || to == Type::kF64)) {
    Arg value = *a;
    bool ok = true;
    if (to_whole) {
      if (flush) {
        value = Arg{NewRegister(4)};
        if (!Emit2(Code::kAdd, to, kFtz, value, *a, Arg{Constant(0x80000000u, 4)})) return false;
      }
      ok = Emit1(Code::kRoundToInteger, to, static_cast<uint32_t>(mode), d, value);
    } else if (!saturate) {
      ok = flush ? Emit2(Code::kAdd, to, kFtz, d, value, Arg{Constant(0x80000000u, 4)})
                 : Emit1(Code::kMov, to == Type::kF32 ? Type::kU32 : Type::kU64, 0, d, value);
    } else {
      return Emit1(Code::kSaturate, to, flush && to == Type::kF32 ? kFtz : 0, d, value);
    }
    if (ok && saturate) ok = Emit1(Code::kSaturate, to, 0, d, d);
    return ok;
  }
  if (to == from && to_whole) {
    // Whole numbers of a half: by way of float, exact both ways.
    const Arg wide{NewRegister(4)};
    return Emit1(Code::kCvt, Type::kF32, source, wide, *a) &&
           Emit1(Code::kRoundToInteger, Type::kF32, static_cast<uint32_t>(mode), wide, wide) &&
           (!saturate || Emit1(Code::kSaturate, Type::kF32, 0, wide, wide)) &&
           Emit1(Code::kCvt, to, static_cast<uint32_t>(Type::kF32), d, wide);
  }
  if (from == Type::kF32 && to == Type::kS32 && d_bytes == 4 && !flush) {
    return Emit1(Code::kCvtRounded, Type::kS32, static_cast<uint32_t>(mode) + 16, d, *a);
  }
  Micro* micro = EmitKey(Code::kCvtRounded, Type::kNone, 0);
  Def(*micro, d, Place::kD);
  Use(*micro, *a, Place::kA);
  micro->op.extra = static_cast<uint32_t>(to) | static_cast<uint32_t>(from) << 8 |
                    static_cast<uint32_t>(mode) << 16 | (saturate ? 1u << 20 : 0) |
                    (flush ? 1u << 21 : 0) | (relu ? 1u << 22 : 0) | (finite ? 1u << 23 : 0);
  micro->op.imm = static_cast<uint64_t>(a_bytes) << 8 | static_cast<uint64_t>(d_bytes);
  return true;
}

}  // namespace kw::eval::emu
