// Arithmetic and logic.
#include <algorithm>

#include "decoder.h"
#include "fmt/format.h"

namespace kw::eval::emu {
Type Unsigned(Type type) {
  switch (type) {
    case Type::kS16:
    case Type::kB16:
      return Type::kU16;
    case Type::kS32:
    case Type::kB32:
      return Type::kU32;
    case Type::kS16x2:
      return Type::kU16x2;
    case Type::kS64:
    case Type::kB64:
      return Type::kU64;
    default:
      return type;
  }
}
Type Plain(Type type) {  // .b32 as .u32, signs stay
  switch (type) {
    case Type::kB16:
      return Type::kU16;
    case Type::kB32:
      return Type::kU32;
    case Type::kB64:
      return Type::kU64;
    default:
      return type;
  }
}
bool IsHalf(Type type) {
  return type == Type::kF16 || type == Type::kF16x2 || type == Type::kBf16 || type == Type::kBf16x2;
}
bool IsReal(Type type) { return ptx::IsFloat(type) || IsHalf(type); }

std::optional<Rounding> TakeRounding(Modifiers& mods) {
  if (mods.Take("rn") || mods.Take("rni")) return Rounding::kNearest;
  if (mods.Take("rz") || mods.Take("rzi")) return Rounding::kZero;
  if (mods.Take("rm") || mods.Take("rmi")) return Rounding::kDown;
  if (mods.Take("rp") || mods.Take("rpi")) return Rounding::kUp;
  if (mods.Take("rna")) return Rounding::kAway;
  return std::nullopt;
}

namespace {

enum class RoundedOp : uint32_t { kAdd, kSub, kMul, kFma, kDiv, kRcp, kSqrt };

}  // namespace

// add sub min max div rem and or xor, and copysign
bool Decoder::Binary() {
  const std::string_view name = instruction_->parts[0];
  Modifiers mods(instruction_->parts);
  if (std::find(instruction_->parts.begin(), instruction_->parts.end(), "cc") !=
      instruction_->parts.end()) {
    return CarryArithmetic();
  }
  const Type type = mods.TakeType();
  if (type == Type::kPred) return PredicateLogic(name);
  if (IsReal(type)) return FloatBinary(name, type, mods);
  if (!Count(3, 3)) return false;
  const bool saturate = mods.Take("sat");
  const bool relu = (name == "min" || name == "max") &&
                    (type == Type::kS32 || type == Type::kS16x2) && mods.Take("relu");
  if (!mods.Left().empty()) return Unsupported(mods.Left());
  KW_NEED(d, Target(At(0), type));
  KW_NEED(a, Value(At(1), type));
  KW_NEED(b, Value(At(2), type));
  if (name == "add") {
    return saturate ? Emit2(Code::kAddSat, type, 0, *d, *a, *b)
                    : Emit2(Code::kAdd, Unsigned(type), 0, *d, *a, *b);
  }
  if (name == "sub") {
    return saturate ? Emit2(Code::kSubSat, type, 0, *d, *a, *b)
                    : Emit2(Code::kSub, Unsigned(type), 0, *d, *a, *b);
  }
  if (saturate) return Unsupported("sat");
  if (name == "and") return Emit2(Code::kAnd, Unsigned(type), 0, *d, *a, *b);
  if (name == "or") return Emit2(Code::kOr, Unsigned(type), 0, *d, *a, *b);
  if (name == "xor") return Emit2(Code::kXor, Unsigned(type), 0, *d, *a, *b);
  if (name == "min" || name == "max") {
    const Code code = name == "min" ? Code::kMin : Code::kMax;
    if (!Emit2(code, Plain(type), 0, *d, *a, *b)) return false;
    return !relu || Emit2(Code::kMax, type, 0, *d, *d, Arg{Constant(0, 4)});
  }
  if (name == "div") return Emit2(Code::kDiv, Plain(type), 0, *d, *a, *b);
  if (name == "rem") return Emit2(Code::kRem, Plain(type), 0, *d, *a, *b);
  return Unsupported(name);
}

bool Decoder::FloatBinary(std::string_view name, Type type, Modifiers& mods) {
  const bool flush = mods.Take("ftz");
  const bool saturate = mods.Take("sat"), relu = mods.Take("relu");
  const bool nan = mods.Take("NaN"), xorsign = mods.Take("xorsign");
  if (xorsign) mods.Take("abs");
  mods.Take("approx");
  mods.Take("full");
  const auto rounding = TakeRounding(mods);
  if (!mods.Left().empty()) return Unsupported(mods.Left());
  const size_t operands = name == "fma" || name == "mad" ? 4 : 3;
  if (!Count(operands, operands)) return false;
  KW_NEED(d, Target(At(0), type));
  KW_NEED(a, Value(At(1), type));
  KW_NEED(b, Value(At(2), type));
  Arg c{Constant(0, ptx::Bytes(type))};
  if (operands == 4) {
    KW_NEED(third, Value(At(3), type));
    c = *third;
  }
  const bool directed = rounding && *rounding != Rounding::kNearest;
  const uint32_t variant = flush ? kFtz : 0;
  bool ok = false;
  if (name == "min" || name == "max") {
    const uint32_t mode = variant | (nan ? kNanMode : 0) | (xorsign ? kXorSign : 0);
    const Code code = name == "min" ? Code::kMin : Code::kMax;
    ok =
        type == Type::kF64 ? Emit2(code, type, 0, *d, *a, *b) : Emit2(code, type, mode, *d, *a, *b);
  } else if (directed) {
    RoundedOp what;
    if (name == "add")
      what = RoundedOp::kAdd;
    else if (name == "sub")
      what = RoundedOp::kSub;
    else if (name == "mul")
      what = RoundedOp::kMul;
    else if (name == "div")
      what = RoundedOp::kDiv;
    else if (name == "fma" || name == "mad")
      what = RoundedOp::kFma;
    else
      return Unsupported(name);
    if (what == RoundedOp::kFma && type == Type::kF32) {
      ok = Emit3(Code::kFma, type, 16 * static_cast<uint32_t>(*rounding) + variant, *d, *a, *b, c);
    } else {
      ok = Emit3(Code::kRounded, type, variant, *d, *a, *b, c);
      if (ok) {
        draft_->micros.back().op.extra =
            static_cast<uint32_t>(what) | static_cast<uint32_t>(*rounding) << 4;
      }
    }
  } else if (name == "add") {
    ok = Emit2(Code::kAdd, type, variant, *d, *a, *b);
  } else if (name == "sub") {
    ok = Emit2(Code::kSub, type, variant, *d, *a, *b);
  } else if (name == "mul") {
    ok = Emit2(Code::kMul, type, variant, *d, *a, *b);
  } else if (name == "div") {
    ok = Emit2(Code::kDiv, type, variant, *d, *a, *b);
    if (ok) draft_->micros.back().work = Work::kSpecial;
  } else if (operands == 4) {
    ok = Emit3(Code::kFma, type, variant, *d, *a, *b, c);
  } else {
    return Unsupported(name);
  }
  if (ok && saturate) ok = Emit1(Code::kSaturate, type, 0, *d, *d);
  if (ok && relu) ok = Emit1(Code::kRelu, type, 0, *d, *d);
  return ok;
}

// add.cc addc sub.cc subc mad.lo.cc madc.hi
bool Decoder::CarryArithmetic() {
  std::string_view name = instruction_->parts[0];
  Modifiers mods(instruction_->parts);
  const bool writes = mods.Take("cc");
  const bool low = mods.Take("lo"), high = mods.Take("hi");
  const Type type = mods.TakeType();
  if (!mods.Left().empty()) return Unsupported(mods.Left());
  const bool reads = name.back() == 'c' && name != "mad";
  if (reads) name.remove_suffix(1);
  const bool is_mad = name == "mad";
  if (!Count(is_mad ? 4 : 3, is_mad ? 4 : 3)) return false;
  KW_NEED(d, Target(At(0), type));
  KW_NEED(a, Value(At(1), type));
  KW_NEED(b, Value(At(2), type));
  Arg c = *b;
  if (is_mad) {
    KW_NEED(third, Value(At(3), type));
    c = *third;
  }
  if (!Emit3(Code::kAddCarry, Unsigned(type), 0, *d, *a, *b, c)) return false;
  draft_->micros.back().op.extra = (reads ? (writes ? 2u : 1u) : 0u) | (name == "sub" ? 4u : 0u) |
                                   (is_mad && low ? 8u : 0u) | (is_mad && high ? 16u : 0u) |
                                   (is_mad && ptx::IsSigned(type) ? 32u : 0u);
  return true;
}

// mul mad fma mul24
bool Decoder::Multiply() {
  const std::string_view name = instruction_->parts[0];
  Modifiers mods(instruction_->parts);
  const bool carry = std::find(instruction_->parts.begin(), instruction_->parts.end(), "cc") !=
                     instruction_->parts.end();
  if (carry || name == "madc") return CarryArithmetic();
  const Type type = mods.TakeType();
  if (IsReal(type)) return FloatBinary(name, type, mods);
  const bool high = mods.Take("hi"), wide = mods.Take("wide");
  const bool saturate = high && name == "mad" && type == Type::kS32 && mods.Take("sat");
  mods.Take("lo");
  if (!mods.Left().empty()) return Unsupported(mods.Left());
  const bool is_mad = name == "mad" || name == "mad24";
  if (!Count(is_mad ? 4 : 3, is_mad ? 4 : 3)) return false;
  Type to = type;
  if (wide) {
    if (type == Type::kU16 || type == Type::kS16)
      to = Type::kU32;
    else if (type == Type::kU32 || type == Type::kS32)
      to = Type::kU64;
    else
      return Unsupported("wide");
  }
  KW_NEED(d, Target(At(0), to));
  KW_NEED(a, Value(At(1), type));
  KW_NEED(b, Value(At(2), type));
  if (name == "mul24" || name == "mad24") {
    const uint32_t part = high ? kHighPart : 0;
    if (!is_mad) return Emit2(Code::kMul24, type, part, *d, *a, *b);
    // The addend may be the result's register.
    const Arg product{NewRegister(4)};
    KW_NEED(c, Value(At(3), type));
    return Emit2(Code::kMul24, type, part, product, *a, *b) &&
           Emit2(Code::kAdd, Unsigned(type), 0, *d, product, *c);
  }
  if (!is_mad) {
    if (wide) return Emit2(Code::kMulWide, Plain(type), 0, *d, *a, *b);
    if (high) return Emit2(Code::kMulHi, Plain(type), 0, *d, *a, *b);
    return Emit2(Code::kMul, Unsigned(type), 0, *d, *a, *b);
  }
  KW_NEED(c, Value(At(3), to));
  if (wide) return Emit3(Code::kMadWide, Plain(type), 0, *d, *a, *b, *c);
  if (high) return Emit3(Code::kMadHi, Plain(type), saturate ? kSaturated : 0, *d, *a, *b, *c);
  return Emit3(Code::kMad, Unsigned(type), 0, *d, *a, *b, *c);
}

// abs neg not cnot
bool Decoder::Unary() {
  const std::string_view name = instruction_->parts[0];
  Modifiers mods(instruction_->parts);
  const Type type = mods.TakeType();
  if (!Count(2, 2)) return false;
  if (type == Type::kPred && name == "not") return PredicateLogic(name);
  const bool flush = mods.Take("ftz");
  if (!mods.Left().empty()) return Unsupported(mods.Left());
  KW_NEED(d, Target(At(0), type));
  KW_NEED(a, Value(At(1), type));
  const bool flushes = type == Type::kF32 || type == Type::kF16 || type == Type::kF16x2;
  if (flush && !flushes) return Unsupported("ftz");
  const uint32_t variant = flush ? kFtz : 0;
  if (name == "abs" || name == "neg") {
    const Code code = name == "abs" ? Code::kAbs : Code::kNeg;
    Type kind = type;
    if (type == Type::kBf16) kind = Type::kF16;
    if (type == Type::kBf16x2) kind = Type::kF16x2;
    if (!IsReal(type) && name == "neg") kind = Unsigned(type);
    return Emit1(code, kind, variant, *d, *a);
  }
  return Emit1(name == "not" ? Code::kNot : Code::kCnot, Unsigned(type), 0, *d, *a);
}

// sqrt rcp rsqrt ex2 lg2 sin cos tanh
bool Decoder::FloatUnary() {
  const std::string_view name = instruction_->parts[0];
  Modifiers mods(instruction_->parts);
  const Type type = mods.TakeType();
  const bool flush = mods.Take("ftz");
  mods.Take("approx");
  const auto rounding = TakeRounding(mods);
  if (!mods.Left().empty()) return Unsupported(mods.Left());
  if (!Count(2, 2)) return false;
  KW_NEED(d, Target(At(0), type));
  KW_NEED(a, Value(At(1), type));
  // rcp.approx.ftz.f64 has no other form: its ftz is not a choice.
  const uint32_t variant =
      flush && type != Type::kF64 && type != Type::kBf16 && type != Type::kBf16x2 ? kFtz : 0;
  if (rounding && *rounding != Rounding::kNearest) {
    if (name != "sqrt" && name != "rcp") return Unsupported("its rounding");
    const RoundedOp what = name == "sqrt" ? RoundedOp::kSqrt : RoundedOp::kRcp;
    if (!Emit3(Code::kRounded, type, variant, *d, *a, *a, *a)) return false;
    draft_->micros.back().op.extra = static_cast<uint32_t>(what) | static_cast<uint32_t>(*rounding)
                                                                       << 4;
    return true;
  }
  static const std::unordered_map<std::string_view, Code> kCodes = {
      {"sqrt", Code::kSqrt}, {"rcp", Code::kRcp}, {"rsqrt", Code::kRsqrt}, {"ex2", Code::kEx2},
      {"lg2", Code::kLg2},   {"sin", Code::kSin}, {"cos", Code::kCos},     {"tanh", Code::kTanh}};
  return Emit1(kCodes.at(name), type, variant, *d, *a);
}

// shl shr, copysign
bool Decoder::Shift() {
  const std::string_view name = instruction_->parts[0];
  Modifiers mods(instruction_->parts);
  const Type type = mods.TakeType();
  if (!mods.Left().empty()) return Unsupported(mods.Left());
  if (!Count(3, 3)) return false;
  KW_NEED(d, Target(At(0), type));
  KW_NEED(a, Value(At(1), type));
  if (name == "copysign") {
    KW_NEED(b, Value(At(2), type));
    return Emit2(Code::kCopysign, type, 0, *d, *a, *b);
  }
  KW_NEED(n, Value(At(2), Type::kU32));
  if (name == "shl") return Emit2(Code::kShl, Unsigned(type), 0, *d, *a, *n);
  return Emit2(Code::kShr, Plain(type), 0, *d, *a, *n);
}

// bfe bfi fns bmsk szext
bool Decoder::BitField() {
  const std::string_view name = instruction_->parts[0];
  Modifiers mods(instruction_->parts);
  const bool wrap = mods.Take("wrap");
  mods.Take("clamp");
  const Type type = mods.TakeType();
  if (!mods.Left().empty()) return Unsupported(mods.Left());
  if (name == "bfe") {
    if (!Count(4, 4)) return false;
    KW_NEED(d, Target(At(0), type));
    KW_NEED(a, Value(At(1), type));
    KW_NEED(b, Value(At(2), Type::kU32));
    KW_NEED(c, Value(At(3), Type::kU32));
    return Emit3(Code::kBfe, type, 0, *d, *a, *b, *c);
  }
  if (name == "bmsk" || name == "szext") {
    if (!Count(3, 3)) return false;
    KW_NEED(d, Target(At(0), type));
    KW_NEED(a, Value(At(1), type));
    KW_NEED(b, Value(At(2), Type::kU32));
    const Code code = name == "bmsk" ? Code::kBmsk : Code::kSzext;
    if (ptx::Bytes(type) != 4 || !Emit2(code, Type::kB32, 0, *d, *a, *b)) return false;
    draft_->micros.back().op.extra = (wrap ? 1u : 0u) | (ptx::IsSigned(type) ? 2u : 0u);
    return true;
  }
  if (name == "fns") {
    if (!Count(4, 4)) return false;
    KW_NEED(d, Target(At(0), type));
    KW_NEED(a, Value(At(1), type));
    KW_NEED(b, Value(At(2), type));
    KW_NEED(c, Value(At(3), type));
    return Emit3(Code::kFns, Type::kB32, 0, *d, *a, *b, *c);
  }
  if (!Count(5, 5)) return false;
  KW_NEED(d, Target(At(0), type));
  KW_NEED(a, Value(At(1), type));
  KW_NEED(b, Value(At(2), type));
  KW_NEED(c, Value(At(3), Type::kU32));
  KW_NEED(n, Value(At(4), Type::kU32));
  Micro* micro = EmitKey(Code::kBfi, Unsigned(type), 0);
  if (micro == nullptr) return false;
  Def(*micro, *d, Place::kD);
  // The list's first place mirrors the result, as in Op::lists of vectors.
  Def(*micro, *d, Place::kList);
  for (const Arg& arg : {*a, *b, *c, *n}) Use(*micro, arg, Place::kList);
  return true;
}

// popc clz brev bfind
bool Decoder::Bits1() {
  const std::string_view name = instruction_->parts[0];
  Modifiers mods(instruction_->parts);
  const bool shift = mods.Take("shiftamt");
  const Type type = mods.TakeType();
  if (!mods.Left().empty()) return Unsupported(mods.Left());
  if (!Count(2, 2)) return false;
  KW_NEED(a, Value(At(1), type));
  if (name == "brev") {
    KW_NEED(d, Target(At(0), type));
    return Emit1(Code::kBrev, Unsigned(type), 0, *d, *a);
  }
  KW_NEED(d, Target(At(0), Type::kU32));
  if (name == "popc") return Emit1(Code::kPopc, Unsigned(type), 0, *d, *a);
  if (name == "clz") return Emit1(Code::kClz, Unsigned(type), 0, *d, *a);
  return Emit1(Code::kBfind, Plain(type), shift ? 1 : 0, *d, *a);
}

// Of d, a, b, c, words all of them.
bool Decoder::EmitWords(Code code, uint32_t extra) {
  KW_NEED(d, Target(At(0), Type::kB32));
  KW_NEED(a, Value(At(1), Type::kB32));
  KW_NEED(b, Value(At(2), Type::kB32));
  KW_NEED(c, Value(At(3), Type::kB32));
  if (!Emit3(code, Type::kB32, 0, *d, *a, *b, *c)) return false;
  draft_->micros.back().op.extra = extra;
  return true;
}

bool Decoder::Lop3Op() {
  Modifiers mods(instruction_->parts);
  if (mods.TakeType() != Type::kB32 || !mods.Left().empty()) return Unsupported("its modifiers");
  if (!Count(5, 5) || At(4).kind != Operand::Kind::kInteger) return Unsupported("its table");
  return EmitWords(Code::kLop3, static_cast<uint32_t>(At(4).value) & 0xff);
}

bool Decoder::Permute() {
  Modifiers mods(instruction_->parts);
  if (mods.TakeType() != Type::kB32) return Unsupported("its type");
  static constexpr std::string_view kModes[] = {"", "f4e", "b4e", "rc8", "ecl", "ecr", "rc16"};
  uint32_t mode = 0;
  for (uint32_t i = 1; i < std::size(kModes); ++i) {
    if (mods.Take(kModes[i])) mode = i;
  }
  if (!mods.Left().empty()) return Unsupported(mods.Left());
  if (!Count(4, 4)) return false;
  return EmitWords(Code::kPrmt, mode);
}

bool Decoder::FunnelShift() {
  Modifiers mods(instruction_->parts);
  const bool right = mods.Take("r");
  const bool left = mods.Take("l");
  const bool wrap = mods.Take("wrap");
  mods.Take("clamp");
  if (mods.TakeType() != Type::kB32 || left == right) return Unsupported("its modifiers");
  if (!mods.Left().empty()) return Unsupported(mods.Left());
  if (!Count(4, 4)) return false;
  return EmitWords(Code::kShf, (right ? 1u : 0u) | (wrap ? 2u : 0u));
}

// dp4a.atype.btype d, a, b, c; dp2a.lo/hi
bool Decoder::DotProduct() {
  Modifiers mods(instruction_->parts);
  const bool high = mods.Take("hi");
  mods.Take("lo");
  const Type a_type = mods.TakeType(), b_type = mods.TakeType();
  if (!mods.Left().empty()) return Unsupported(mods.Left());
  if (!Count(4, 4)) return false;
  const Code code = instruction_->parts[0] == "dp4a" ? Code::kDp4a : Code::kDp2a;
  return EmitWords(
      code, (a_type == Type::kS32 ? 1u : 0u) | (b_type == Type::kS32 ? 2u : 0u) | (high ? 4u : 0u));
}

// vabsdiff4.u32.u32.u32{.add} d, a, b, c: without .add c only fills bytes that d leaves out
bool Decoder::AbsDiff4() {
  Modifiers mods(instruction_->parts);
  const bool add = mods.Take("add");
  for (int i = 0; i < 3; ++i) {
    if (mods.TakeType() != Type::kU32) return Unsupported("its types");
  }
  if (!mods.Left().empty()) return Unsupported(mods.Left());
  if (!Count(4, 4)) return false;
  return EmitWords(Code::kAbsDiff4, add ? 1 : 0);
}

bool Decoder::Sad() {
  Modifiers mods(instruction_->parts);
  const Type type = mods.TakeType();
  if (!mods.Left().empty()) return Unsupported(mods.Left());
  if (!Count(4, 4)) return false;
  KW_NEED(d, Target(At(0), type));
  KW_NEED(a, Value(At(1), type));
  KW_NEED(b, Value(At(2), type));
  KW_NEED(c, Value(At(3), type));
  return Emit3(Code::kSad, type, 0, *d, *a, *b, *c);
}

// and or xor not mov of predicates
bool Decoder::PredicateLogic(std::string_view name) {
  const bool two = name == "and" || name == "or" || name == "xor";
  if (!Count(two ? 3 : 2, two ? 3 : 2)) return false;
  KW_NEED(d, PredicateResult(At(0)));
  KW_NEED(a, PredicateValue(At(1)));
  Arg first = *a;
  Arg second = first;
  if (two) {
    KW_NEED(b, PredicateValue(At(2)));
    second = *b;
  }
  if (name == "not") first.negated = !first.negated;
  Micro* micro = EmitKey(Code::kPredicate, Type::kPred, 0);
  if (micro == nullptr) return false;
  Def(*micro, *d, Place::kPredicateD);
  Use(*micro, first, Place::kPredicateA);
  Use(*micro, second, Place::kPredicateB);
  const PredicateOp what = name == "and"   ? PredicateOp::kAnd
                           : name == "or"  ? PredicateOp::kOr
                           : name == "xor" ? PredicateOp::kXor
                                           : PredicateOp::kMove;
  micro->op.extra = static_cast<uint32_t>(what);
  return true;
}

}  // namespace kw::eval::emu
