// Arithmetic, logic, comparison, conversion.
#include <algorithm>

#include "decoder.h"
#include "fmt/format.h"

namespace kw::eval::emu {
namespace {

Type Unsigned(Type type) {
  switch (type) {
    case Type::kS16:
    case Type::kB16:
      return Type::kU16;
    case Type::kS32:
    case Type::kB32:
      return Type::kU32;
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

enum class RoundedOp : uint32_t { kAdd, kSub, kMul, kFma, kDiv, kRcp, kSqrt };

}  // namespace

#define KW_NEED(name, expression) \
  const auto name = (expression); \
  if (!name) return false

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
  if (name == "min") return Emit2(Code::kMin, Plain(type), 0, *d, *a, *b);
  if (name == "max") return Emit2(Code::kMax, Plain(type), 0, *d, *a, *b);
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
  if (is_mad && high && ptx::IsSigned(type)) return Unsupported("a signed high product");
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
                                   (is_mad && low ? 8u : 0u) | (is_mad && high ? 16u : 0u);
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
    if (high) return Unsupported("hi");
    if (!Emit2(Code::kMul24, type, 0, *d, *a, *b)) return false;
    if (!is_mad) return true;
    KW_NEED(c, Value(At(3), type));
    return Emit2(Code::kAdd, Unsigned(type), 0, *d, *d, *c);
  }
  if (!is_mad) {
    if (wide) return Emit2(Code::kMulWide, Plain(type), 0, *d, *a, *b);
    if (high) return Emit2(Code::kMulHi, Plain(type), 0, *d, *a, *b);
    return Emit2(Code::kMul, Unsigned(type), 0, *d, *a, *b);
  }
  KW_NEED(c, Value(At(3), to));
  if (wide) return Emit3(Code::kMadWide, Plain(type), 0, *d, *a, *b, *c);
  if (high) return Emit3(Code::kMadHi, Plain(type), 0, *d, *a, *b, *c);
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
  const uint32_t variant = flush && type == Type::kF32 ? kFtz : 0;
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

bool Decoder::Lop3Op() {
  Modifiers mods(instruction_->parts);
  if (mods.TakeType() != Type::kB32 || !mods.Left().empty()) return Unsupported("its modifiers");
  if (!Count(5, 5) || At(4).kind != Operand::Kind::kInteger) return Unsupported("its table");
  KW_NEED(d, Target(At(0), Type::kB32));
  KW_NEED(a, Value(At(1), Type::kB32));
  KW_NEED(b, Value(At(2), Type::kB32));
  KW_NEED(c, Value(At(3), Type::kB32));
  if (!Emit3(Code::kLop3, Type::kB32, 0, *d, *a, *b, *c)) return false;
  draft_->micros.back().op.extra = static_cast<uint32_t>(At(4).value) & 0xff;
  return true;
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
  KW_NEED(d, Target(At(0), Type::kB32));
  KW_NEED(a, Value(At(1), Type::kB32));
  KW_NEED(b, Value(At(2), Type::kB32));
  KW_NEED(c, Value(At(3), Type::kB32));
  if (!Emit3(Code::kPrmt, Type::kB32, 0, *d, *a, *b, *c)) return false;
  draft_->micros.back().op.extra = mode;
  return true;
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
  KW_NEED(d, Target(At(0), Type::kB32));
  KW_NEED(a, Value(At(1), Type::kB32));
  KW_NEED(b, Value(At(2), Type::kB32));
  KW_NEED(c, Value(At(3), Type::kU32));
  if (!Emit3(Code::kShf, Type::kB32, 0, *d, *a, *b, *c)) return false;
  draft_->micros.back().op.extra = (right ? 1u : 0u) | (wrap ? 2u : 0u);
  return true;
}

// dp4a.atype.btype d, a, b, c; dp2a.lo/hi
bool Decoder::DotProduct() {
  Modifiers mods(instruction_->parts);
  const bool high = mods.Take("hi");
  mods.Take("lo");
  const Type a_type = mods.TakeType(), b_type = mods.TakeType();
  if (!mods.Left().empty()) return Unsupported(mods.Left());
  if (!Count(4, 4)) return false;
  KW_NEED(d, Target(At(0), Type::kB32));
  KW_NEED(a, Value(At(1), Type::kB32));
  KW_NEED(b, Value(At(2), Type::kB32));
  KW_NEED(c, Value(At(3), Type::kB32));
  const Code code = instruction_->parts[0] == "dp4a" ? Code::kDp4a : Code::kDp2a;
  if (!Emit3(code, Type::kB32, 0, *d, *a, *b, *c)) return false;
  draft_->micros.back().op.extra =
      (a_type == Type::kS32 ? 1u : 0u) | (b_type == Type::kS32 ? 2u : 0u) | (high ? 4u : 0u);
  return true;
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
  Arg first = *a, second = *a;
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

namespace {

struct Comparison {
  Compare how;
  bool is_unsigned = false;
};
std::optional<Comparison> ComparisonNamed(std::string_view name) {
  static const std::unordered_map<std::string_view, Comparison> kNames = {
      {"eq", {Compare::kEq}},       {"ne", {Compare::kNe}},       {"lt", {Compare::kLt}},
      {"le", {Compare::kLe}},       {"gt", {Compare::kGt}},       {"ge", {Compare::kGe}},
      {"lo", {Compare::kLt, true}}, {"ls", {Compare::kLe, true}}, {"hi", {Compare::kGt, true}},
      {"hs", {Compare::kGe, true}}, {"equ", {Compare::kEqu}},     {"neu", {Compare::kNeu}},
      {"ltu", {Compare::kLtu}},     {"leu", {Compare::kLeu}},     {"gtu", {Compare::kGtu}},
      {"geu", {Compare::kGeu}},     {"num", {Compare::kNum}},     {"nan", {Compare::kNan}}};
  const auto found = kNames.find(name);
  if (found == kNames.end()) return std::nullopt;
  return found->second;
}

Combine CombineTaken(Modifiers& mods) {
  if (mods.Take("and")) return Combine::kAnd;
  if (mods.Take("or")) return Combine::kOr;
  if (mods.Take("xor")) return Combine::kXor;
  return Combine::kNone;
}

struct CompareKey {
  Type type;
  uint32_t variant;
  uint64_t imm;
};
CompareKey KeyOf(Comparison how, Type type, bool flush) {
  const uint32_t code = static_cast<uint32_t>(how.how);
  if (IsHalf(type)) return {type, 0, code};
  if (type == Type::kF32) return {type, code + (flush ? 16u : 0u), 0};
  if (type == Type::kF64) return {type, code, 0};
  const bool unordered = how.how == Compare::kEq || how.how == Compare::kNe || how.is_unsigned;
  return {unordered ? Unsigned(type) : Plain(type), code, 0};
}

}  // namespace

// setp.cmp{.bool}{.ftz}.type p{|q}, a, b{, {!}c}
bool Decoder::Setp() {
  Modifiers mods(instruction_->parts);
  if (instruction_->parts.size() < 3) return Unsupported("its modifiers");
  KW_NEED(how, ComparisonNamed(mods.TakeAny()));
  const Combine combine = CombineTaken(mods);
  const bool flush = mods.Take("ftz");
  const Type type = mods.TakeType();
  if (!mods.Left().empty()) return Unsupported(mods.Left());
  const size_t operands = combine == Combine::kNone ? 3 : 4;
  if (!Count(operands, operands)) return false;
  KW_NEED(p, PredicateResult(At(0)));
  KW_NEED(a, Value(At(1), type));
  KW_NEED(b, Value(At(2), type));
  const CompareKey key = KeyOf(*how, type, flush);
  Micro* micro = EmitKey(Code::kSetp, key.type, key.variant);
  if (micro == nullptr) return false;
  micro->op.imm = key.imm;
  micro->op.extra = static_cast<uint32_t>(combine);
  micro->work = Work::kInteger;
  Def(*micro, *p, Place::kPredicateD);
  Use(*micro, *a, Place::kA);
  Use(*micro, *b, Place::kB);
  if (!At(0).pair.empty()) {
    KW_NEED(q, PredicateResult(At(0).pair[0]));
    Def(*micro, *q, Place::kPredicateTarget);
  }
  if (combine != Combine::kNone) {
    KW_NEED(c, PredicateValue(At(3)));
    Use(draft_->micros.back(), *c, Place::kPredicateC);
  }
  return true;
}

// set.cmp{.bool}{.ftz}.dtype.stype d, a, b{, {!}c}
bool Decoder::Set() {
  Modifiers mods(instruction_->parts);
  if (instruction_->parts.size() < 4) return Unsupported("its modifiers");
  KW_NEED(how, ComparisonNamed(mods.TakeAny()));
  const Combine combine = CombineTaken(mods);
  const bool flush = mods.Take("ftz");
  const Type to = mods.TakeType(), from = mods.TakeType();
  if (!mods.Left().empty()) return Unsupported(mods.Left());
  const size_t operands = combine == Combine::kNone ? 3 : 4;
  if (!Count(operands, operands)) return false;
  KW_NEED(d, Target(At(0), to));
  KW_NEED(a, Value(At(1), from));
  KW_NEED(b, Value(At(2), from));
  const CompareKey key = KeyOf(*how, from, flush);
  const Arg p{NewRegister(0)}, q{NewRegister(0)};
  Micro* micro = EmitKey(Code::kSetp, key.type, key.variant);
  if (micro == nullptr) return false;
  micro->op.imm = key.imm;
  micro->op.extra = static_cast<uint32_t>(combine);
  Def(*micro, p, Place::kPredicateD);
  Def(*micro, q, Place::kPredicateTarget);
  Use(*micro, *a, Place::kA);
  Use(*micro, *b, Place::kB);
  if (combine != Combine::kNone) {
    KW_NEED(c, PredicateValue(At(3)));
    Use(draft_->micros.back(), *c, Place::kPredicateC);
  }
  const auto select = [&](Type type, uint64_t yes, Arg result, Arg predicate) {
    const int bytes = ptx::Bytes(type);
    Micro* choice = EmitKey(Code::kSelp, Unsigned(bytes == 2 ? Type::kB16 : Type::kB32), 0);
    if (choice == nullptr) return false;
    const Arg one{Constant(yes, bytes)}, zero{Constant(0, bytes)};
    Def(*choice, result, Place::kD);
    Use(*choice, one, Place::kA);
    Use(*choice, zero, Place::kB);
    Use(*choice, predicate, Place::kPredicateC);
    return true;
  };
  const bool pairs = from == Type::kF16x2 || from == Type::kBf16x2;
  if (!pairs) {
    const uint64_t yes = to == Type::kF32    ? 0x3f800000
                         : to == Type::kF16  ? 0x3c00
                         : to == Type::kBf16 ? 0x3f80
                                             : ~uint64_t{0};
    return select(to, yes, *d, p);
  }
  const uint64_t yes = to == Type::kF16x2 ? 0x3c00 : to == Type::kBf16x2 ? 0x3f80 : 0xffff;
  const Arg low{NewRegister(4)}, high{NewRegister(4)};
  return select(Type::kB32, yes, low, p) && select(Type::kB32, yes << 16, high, q) &&
         Emit2(Code::kOr, Type::kU32, 0, *d, low, high);
}

bool Decoder::Selp() {
  Modifiers mods(instruction_->parts);
  const Type type = mods.TakeType();
  if (!mods.Left().empty()) return Unsupported(mods.Left());
  if (!Count(4, 4)) return false;
  KW_NEED(d, Target(At(0), type));
  KW_NEED(a, Value(At(1), type));
  KW_NEED(b, Value(At(2), type));
  KW_NEED(p, PredicateValue(At(3)));
  const int bytes = ptx::Bytes(type);
  const Type kind = bytes == 2 ? Type::kU16 : bytes == 4 ? Type::kU32 : Type::kU64;
  Micro* micro = EmitKey(Code::kSelp, kind, 0);
  if (micro == nullptr) return false;
  Def(*micro, *d, Place::kD);
  Use(*micro, *a, Place::kA);
  Use(*micro, *b, Place::kB);
  Use(*micro, *p, Place::kPredicateC);
  return true;
}

// slct.dtype.s32|f32 d, a, b, c: c >= 0 ? a : b
bool Decoder::Slct() {
  Modifiers mods(instruction_->parts);
  const bool flush = mods.Take("ftz");
  const Type type = mods.TakeType(), by = mods.TakeType();
  if (!mods.Left().empty()) return Unsupported(mods.Left());
  if (!Count(4, 4)) return false;
  KW_NEED(d, Target(At(0), type));
  KW_NEED(a, Value(At(1), type));
  KW_NEED(b, Value(At(2), type));
  KW_NEED(c, Value(At(3), by));
  const Arg p{NewRegister(0)}, zero{Constant(0, 4)};
  const CompareKey key = KeyOf({Compare::kGe}, by, flush);
  Micro* test = EmitKey(Code::kSetp, key.type, key.variant);
  if (test == nullptr) return false;
  Def(*test, p, Place::kPredicateD);
  Use(*test, *c, Place::kA);
  Use(*test, zero, Place::kB);
  const int bytes = ptx::Bytes(type);
  Micro* micro = EmitKey(Code::kSelp,
                         bytes == 2   ? Type::kU16
                         : bytes == 4 ? Type::kU32
                                      : Type::kU64,
                         0);
  if (micro == nullptr) return false;
  Def(*micro, *d, Place::kD);
  Use(*micro, *a, Place::kA);
  Use(*micro, *b, Place::kB);
  Use(*micro, p, Place::kPredicateC);
  return true;
}

bool Decoder::Testp() {
  Modifiers mods(instruction_->parts);
  const std::string_view what = mods.TakeAny();
  const Type type = mods.TakeType();
  if (!Count(2, 2)) return false;
  static constexpr std::string_view kKinds[] = {"finite",     "infinite", "number",
                                                "notanumber", "normal",   "subnormal"};
  const auto kind = std::find(std::begin(kKinds), std::end(kKinds), what);
  if (kind == std::end(kKinds)) return Unsupported(what);
  KW_NEED(p, PredicateResult(At(0)));
  KW_NEED(a, Value(At(1), type));
  Micro* micro = EmitKey(Code::kTestp, type, 0);
  if (micro == nullptr) return false;
  micro->op.imm = static_cast<uint64_t>(kind - std::begin(kKinds));
  Def(*micro, *p, Place::kPredicateD);
  Use(*micro, *a, Place::kA);
  return true;
}

// ---- cvt ----

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
bool Decoder::ConvertPair(Type to, Modifiers& mods) {
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
    if (*rounding == Rounding::kNearest) {
      if (!Emit1(Code::kCvt, half, static_cast<uint32_t>(Type::kF32), parts[i], sources[i])) {
        return false;
      }
      continue;
    }
    Micro* micro = EmitKey(Code::kCvtRounded, Type::kNone, 0);
    Def(*micro, parts[i], Place::kD);
    Use(*micro, sources[i], Place::kA);
    micro->op.extra = static_cast<uint32_t>(half) | static_cast<uint32_t>(Type::kF32) << 8 |
                      static_cast<uint32_t>(*rounding) << 16;
    micro->op.imm = 4 << 8 | 2;
  }
  Micro* pack = EmitKey(Code::kPack, Type::kU32, 2);
  Def(*pack, *d, Place::kD);
  Def(*pack, *d, Place::kList);
  Use(*pack, parts[0], Place::kList);
  Use(*pack, parts[1], Place::kList);
  return !relu || Emit1(Code::kRelu, to, 0, *d, *d);
}

bool Decoder::Convert() {
  Modifiers mods(instruction_->parts);
  mods.Take("satfinite");
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
    if (widens && relu) return Unsupported("relu");
    return true;
  }
  const Type to = mods.TakeType();
  if (to == Type::kF16x2 || to == Type::kBf16x2) return ConvertPair(to, mods);
  const Type from = mods.TakeType();
  const bool to_whole = std::any_of(
      instruction_->parts.begin(), instruction_->parts.end(),
      [](std::string_view p) { return p == "rni" || p == "rzi" || p == "rmi" || p == "rpi"; });
  const auto rounding = TakeRounding(mods);
  const bool flush = mods.Take("ftz"), saturate = mods.Take("sat"), relu = mods.Take("relu");
  if (!mods.Left().empty()) return Unsupported(mods.Left());
  if (!Count(2, 2) || to == Type::kNone || from == Type::kNone) return Unsupported("its types");
  const bool to_real = IsReal(to) || to == Type::kTf32, from_real = IsReal(from);
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
  const bool plain = !saturate && !relu && !flush && mode == Rounding::kNearest && !to_whole;
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
                    (flush ? 1u << 21 : 0) | (relu ? 1u << 22 : 0);
  micro->op.imm = static_cast<uint64_t>(a_bytes) << 8 | static_cast<uint64_t>(d_bytes);
  return true;
}

#undef KW_NEED

}  // namespace kw::eval::emu
