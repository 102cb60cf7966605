// Comparisons and choices.
#include "decoder.h"

namespace kw::eval::emu {
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
  if (IsHalf(type)) return {type, 0, code | (flush ? kFlushHalves : 0)};
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
  const Type kind = OfBytes(bytes);
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
  Micro* micro = EmitKey(Code::kSelp, OfBytes(bytes), 0);
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

}  // namespace kw::eval::emu
