// Branches, calls, barriers, and what a warp does together.
#include <algorithm>

#include "decoder.h"
#include "fmt/format.h"

namespace kw::eval::emu {

int32_t Decoder::LabelTarget(const Operand& operand) const {
  if (operand.kind != Operand::Kind::kSymbol) return -1;
  for (int32_t scope = instruction_->scope; scope >= 0; scope = function_->scope_parent[scope]) {
    const auto found = labels_.find({scope, operand.name});
    if (found != labels_.end()) return found->second;
  }
  return -1;
}

bool Decoder::Branch() {
  Modifiers mods(instruction_->parts);
  mods.Take("uni");
  if (!mods.Left().empty() || !Count(1, 1)) return Unsupported("its modifiers");
  const int32_t target = LabelTarget(At(0));
  if (target < 0) return Unsupported("an unknown label");
  Micro& micro = Emit(nullptr, instruction_->guard >= 0 ? OpKind::kBranch : OpKind::kJump);
  micro.target = target;
  return true;
}

// brx.idx index, table
bool Decoder::IndirectBranch() {
  Modifiers mods(instruction_->parts);
  mods.Take("idx");
  mods.Take("uni");
  if (!mods.Left().empty() || !Count(2, 2)) return Unsupported("its modifiers");
  const auto table = function_->branch_tables.find(At(1).name);
  if (table == function_->branch_tables.end()) return Unsupported("its table");
  KW_NEED(index, Value(At(0), Type::kU32));
  std::vector<int32_t> targets;
  for (const std::string_view name : table->second) {
    Operand label;
    label.kind = Operand::Kind::kSymbol;
    label.name = name;
    targets.push_back(LabelTarget(label));
    if (targets.back() < 0) return Unsupported("an unknown label");
  }
  Micro& micro = Emit(nullptr, OpKind::kIndirect);
  micro.targets = std::move(targets);
  Use(micro, *index, Place::kA);
  return true;
}

bool Decoder::Return() {
  Modifiers mods(instruction_->parts);
  mods.Take("uni");
  if (!mods.Left().empty()) return Unsupported(mods.Left());
  Emit(nullptr, function_->is_entry ? OpKind::kExit : OpKind::kReturn);
  return true;
}

bool Decoder::Exit() {
  Emit(nullptr, OpKind::kExit);
  return true;
}

bool Decoder::Trap() {
  if (instruction_->parts[0] == "brkpt") return EmitKey(Code::kNothing, Type::kNone, 0) != nullptr;
  Emit(nullptr, OpKind::kTrap);
  return true;
}

// call{.uni} {(results),} function{, (arguments)}{, prototype}
bool Decoder::Call() {
  std::vector<const Operand*> lists[2];
  const Operand* callee = nullptr;
  bool after = false;
  for (const Operand& operand : instruction_->operands) {
    if (operand.kind == Operand::Kind::kList) {
      for (const Operand& item : operand.list) lists[after ? 1 : 0].push_back(&item);
    } else if (callee == nullptr) {
      callee = &operand;
      after = true;
    }
  }
  if (callee == nullptr) return Unsupported("its callee");
  const auto offset_of = [&](const Operand& operand, uint32_t* offset, uint32_t* bytes) {
    for (int32_t scope = instruction_->scope; scope >= 0; scope = function_->scope_parent[scope]) {
      const auto found = local_.find({scope, operand.name});
      if (found == local_.end()) continue;
      *offset = found->second;
      *bytes = static_cast<uint32_t>(variables_.at({scope, operand.name})->bytes);
      return true;
    }
    const auto own = parameters_.find(operand.name);
    if (function_->is_entry || own == parameters_.end()) return false;
    *offset = own->second;
    *bytes = 0;
    for (const auto* variables : {&function_->parameters, &function_->results}) {
      for (const ptx::Variable& variable : *variables) {
        if (variable.name == operand.name) *bytes = static_cast<uint32_t>(variable.bytes);
      }
    }
    return true;
  };
  CallSite site;
  for (const Operand* argument : lists[1]) {
    Copy copy;
    if (!offset_of(*argument, &copy.from, &copy.bytes)) return Unsupported("its arguments");
    site.arguments.push_back(copy);
    site.argument_offsets.push_back(copy.from);
  }
  for (const Operand* result : lists[0]) {
    Copy copy;
    if (!offset_of(*result, &copy.to, &copy.bytes)) return Unsupported("its results");
    site.results.push_back(copy);
  }
  Arg pointer;
  if (callee->kind == Operand::Kind::kRegister) {
    site.built_in = CallSite::BuiltIn::kIndirect;
    program_->calls_functions = true;
    KW_NEED(address, ValueOfBytes(*callee, 8, false));
    pointer = *address;
  } else if (callee->name == "vprintf") {
    site.built_in = CallSite::BuiltIn::kPrintf;
    program_->blocks_signal = true;
    if (site.arguments.size() != 2 || site.arguments[0].bytes != 8 ||
        site.arguments[1].bytes != 8) {
      return Unsupported("its arguments");
    }
  } else if (callee->name == "__assertfail") {
    // Text, file, line, function, and the size of a character.
    site.built_in = CallSite::BuiltIn::kAssert;
    if (site.arguments.size() != 5) return Unsupported("its arguments");
    for (size_t i = 0; i < 4; ++i) {
      if (site.arguments[i].bytes != (i == 2 ? 4u : 8u)) return Unsupported("its arguments");
    }
  } else {
    const auto function = module_.function_index.find(callee->name);
    if (function == module_.function_index.end() || !code_index_.contains(function->second)) {
      return Unsupported(fmt::format("the function {}", callee->name));
    }
    site.callee = code_index_.at(function->second);
    program_->calls_functions = true;
  }
  Micro& micro = Emit(nullptr, OpKind::kCall);
  micro.op.imm = program_->calls.size();
  if (site.built_in == CallSite::BuiltIn::kIndirect) Use(micro, pointer, Place::kA);
  program_->calls.push_back(std::move(site));
  return true;
}

// bar{.cta}.sync a{, b}; bar.arrive a, b; bar.red.op{.type} d, a{, b}, {!}p; barrier...
bool Decoder::Barrier() {
  Modifiers mods(instruction_->parts);
  if (mods.Take("warp")) return WarpBarrier();
  if (mods.Take("cluster")) {
    // A cluster of one block: nothing to wait for.
    return Unsupported("clusters");
  }
  mods.Take("cta");
  mods.Take("aligned");
  const bool sync = mods.Take("sync"), arrive = mods.Take("arrive"), reduce = mods.Take("red");
  uint32_t what = sync ? 0 : arrive ? 1 : 2;
  if (reduce) {
    if (mods.Take("popc"))
      what = 2;
    else if (mods.Take("and"))
      what = 3;
    else if (mods.Take("or"))
      what = 4;
    else
      return Unsupported("its operation");
    mods.TakeType();
  }
  if (!mods.Left().empty() || !(sync || arrive || reduce)) return Unsupported(mods.Left());
  const size_t first = reduce ? 1 : 0;
  const size_t n = instruction_->operands.size() - (reduce ? 2 : 0);
  if (instruction_->operands.size() < (reduce ? 3u : 1u) || n > 2) {
    return Unsupported("its operands");
  }
  KW_NEED(id, Value(At(first), Type::kU32));
  Arg threads{Constant(0, 4)};
  if (n == 2) {
    KW_NEED(count, Value(At(first + 1), Type::kU32));
    threads = *count;
  }
  // a = id, b = threads or 0, d = result, c = predicate; extra = what
  Micro& micro = Emit(nullptr, OpKind::kBarrier);
  micro.op.extra = what;
  Use(micro, *id, Place::kA);
  Use(micro, threads, Place::kB);
  if (reduce) {
    KW_NEED(p, PredicateValue(At(instruction_->operands.size() - 1)));
    Use(draft_->micros.back(), *p, Place::kPredicateC);
    if (what == 2) {
      KW_NEED(d, Target(At(0), Type::kU32));
      Def(draft_->micros.back(), *d, Place::kD);
    } else {
      KW_NEED(d, PredicateResult(At(0)));
      Def(draft_->micros.back(), *d, Place::kPredicateD);
    }
  }
  return true;
}

bool Decoder::WarpBarrier() {
  if (!Count(1, 1)) return false;
  KW_NEED(members, Value(At(0), Type::kU32));
  Micro* micro = EmitKey(Code::kNothing, Type::kB16, 0);
  micro->op.kind = OpKind::kCollective;
  micro->op.imm = kWarpBarrier;
  Use(*micro, *members, Place::kC);
  return true;
}

// shfl.sync.mode.b32 d{|p}, a, b, c, members
bool Decoder::Shuffle() {
  Modifiers mods(instruction_->parts);
  if (!mods.Take("sync")) return Unsupported("a shuffle without sync");
  static constexpr std::string_view kModes[] = {"up", "down", "bfly", "idx"};
  uint32_t mode = 4;
  for (uint32_t i = 0; i < 4; ++i) {
    if (mods.Take(kModes[i])) mode = i;
  }
  if (mode == 4 || ptx::Bytes(mods.TakeType()) != 4 || !mods.Left().empty()) {
    return Unsupported("its modifiers");
  }
  if (!Count(5, 5)) return false;
  KW_NEED(d, Target(At(0), Type::kB32));
  KW_NEED(a, Value(At(1), Type::kB32));
  KW_NEED(b, Value(At(2), Type::kB32));
  KW_NEED(c, Value(At(3), Type::kB32));
  KW_NEED(members, Value(At(4), Type::kB32));
  Micro* micro = EmitKey(Code::kShuffle, Type::kB32, mode);
  if (micro == nullptr) return false;
  micro->op.kind = OpKind::kCollective;
  Def(*micro, *d, Place::kD);
  Use(*micro, *a, Place::kA);
  Use(*micro, *b, Place::kB);
  Use(*micro, *c, Place::kList);
  Use(*micro, *members, Place::kC);
  if (!At(0).pair.empty()) {
    KW_NEED(p, PredicateResult(At(0).pair[0]));
    Def(draft_->micros.back(), *p, Place::kPredicateTarget);
  }
  return true;
}

// vote.sync.{all,any,uni}.pred p, {!}a, members; vote.sync.ballot.b32 d, {!}a, members
bool Decoder::Vote() {
  Modifiers mods(instruction_->parts);
  if (!mods.Take("sync")) return Unsupported("a vote without sync");
  static constexpr std::string_view kModes[] = {"all", "any", "uni", "ballot"};
  uint32_t mode = 4;
  for (uint32_t i = 0; i < 4; ++i) {
    if (mods.Take(kModes[i])) mode = i;
  }
  mods.TakeType();
  if (mode == 4 || !mods.Left().empty()) return Unsupported("its modifiers");
  if (!Count(3, 3)) return false;
  KW_NEED(a, PredicateValue(At(1)));
  KW_NEED(members, Value(At(2), Type::kB32));
  Micro* micro = EmitKey(Code::kVote, Type::kPred, 0);
  micro->op.kind = OpKind::kCollective;
  micro->op.extra = mode;
  Use(*micro, *a, Place::kPredicateA);
  Use(*micro, *members, Place::kC);
  if (mode == 3) {
    KW_NEED(d, Target(At(0), Type::kB32));
    Def(draft_->micros.back(), *d, Place::kD);
  } else {
    KW_NEED(d, PredicateResult(At(0)));
    Def(draft_->micros.back(), *d, Place::kPredicateD);
  }
  return true;
}

// match.any.sync.type d, a, members; match.all.sync.type d{|p}, a, members
bool Decoder::Match() {
  Modifiers mods(instruction_->parts);
  mods.Take("sync");
  const bool all = mods.Take("all");
  mods.Take("any");
  const Type type = mods.TakeType();
  if (!mods.Left().empty()) return Unsupported(mods.Left());
  if (!Count(3, 3)) return false;
  KW_NEED(d, Target(At(0), Type::kB32));
  KW_NEED(a, Value(At(1), type));
  KW_NEED(members, Value(At(2), Type::kB32));
  Micro* micro = EmitKey(Code::kMatch, ptx::Bytes(type) == 8 ? Type::kU64 : Type::kU32, 0);
  micro->op.kind = OpKind::kCollective;
  micro->op.extra = all ? 1 : 0;
  Def(*micro, *d, Place::kD);
  Use(*micro, *a, Place::kA);
  Use(*micro, *members, Place::kC);
  if (!At(0).pair.empty()) {
    KW_NEED(p, PredicateResult(At(0).pair[0]));
    Def(draft_->micros.back(), *p, Place::kPredicateTarget);
  }
  return true;
}

// redux.sync.op.type d, a, members
bool Decoder::Redux() {
  Modifiers mods(instruction_->parts);
  mods.Take("sync");
  static constexpr std::string_view kOps[] = {"add", "min", "max", "and", "or", "xor"};
  uint32_t what = 6;
  for (uint32_t i = 0; i < 6; ++i) {
    if (mods.Take(kOps[i])) what = i;
  }
  const Type type = mods.TakeType();
  if (what == 6 || ptx::Bytes(type) != 4 || ptx::IsFloat(type) || !mods.Left().empty()) {
    return Unsupported("its modifiers");
  }
  if (!Count(3, 3)) return false;
  KW_NEED(d, Target(At(0), Type::kB32));
  KW_NEED(a, Value(At(1), Type::kB32));
  KW_NEED(members, Value(At(2), Type::kB32));
  Micro* micro = EmitKey(Code::kRedux, Type::kU32, 0);
  micro->op.kind = OpKind::kCollective;
  micro->op.extra = what | (ptx::IsSigned(type) ? 8u : 0u);
  Def(*micro, *d, Place::kD);
  Use(*micro, *a, Place::kA);
  Use(*micro, *members, Place::kC);
  return true;
}

bool Decoder::ActiveMaskOp() {
  if (!Count(1, 1)) return false;
  KW_NEED(d, Target(At(0), Type::kB32));
  Micro* micro = EmitKey(Code::kActiveMask, Type::kNone, 0);
  Def(*micro, *d, Place::kD);
  return true;
}

// elect.sync d|p, members
bool Decoder::ElectOp() {
  if (!Count(2, 2) || At(0).pair.empty()) return Unsupported("its operands");
  KW_NEED(members, Value(At(1), Type::kB32));
  KW_NEED(d, Target(At(0), Type::kB32));
  KW_NEED(p, PredicateResult(At(0).pair[0]));
  Micro* micro = EmitKey(Code::kElect, Type::kNone, 0);
  micro->op.kind = OpKind::kCollective;
  Def(*micro, *d, Place::kD);
  Def(*micro, *p, Place::kPredicateTarget);
  Use(*micro, *members, Place::kC);
  return true;
}

// membar.level, fence{.order}.scope
bool Decoder::Fence() { return EmitKey(Code::kNothing, Type::kB8, 0) != nullptr; }

const std::unordered_map<std::string_view, Decoder::Method>& Decoder::Methods() {
  static const std::unordered_map<std::string_view, Method> kMethods = {
      {"add", &Decoder::Binary},
      {"sub", &Decoder::Binary},
      {"addc", &Decoder::CarryArithmetic},
      {"subc", &Decoder::CarryArithmetic},
      {"min", &Decoder::Binary},
      {"max", &Decoder::Binary},
      {"div", &Decoder::Binary},
      {"rem", &Decoder::Binary},
      {"and", &Decoder::Binary},
      {"or", &Decoder::Binary},
      {"xor", &Decoder::Binary},
      {"mul", &Decoder::Multiply},
      {"mad", &Decoder::Multiply},
      {"madc", &Decoder::Multiply},
      {"fma", &Decoder::Multiply},
      {"mul24", &Decoder::Multiply},
      {"mad24", &Decoder::Multiply},
      {"abs", &Decoder::Unary},
      {"neg", &Decoder::Unary},
      {"not", &Decoder::Unary},
      {"cnot", &Decoder::Unary},
      {"sqrt", &Decoder::FloatUnary},
      {"rcp", &Decoder::FloatUnary},
      {"rsqrt", &Decoder::FloatUnary},
      {"ex2", &Decoder::FloatUnary},
      {"lg2", &Decoder::FloatUnary},
      {"sin", &Decoder::FloatUnary},
      {"cos", &Decoder::FloatUnary},
      {"tanh", &Decoder::FloatUnary},
      {"shl", &Decoder::Shift},
      {"shr", &Decoder::Shift},
      {"copysign", &Decoder::Shift},
      {"bfe", &Decoder::BitField},
      {"bfi", &Decoder::BitField},
      {"fns", &Decoder::BitField},
      {"bmsk", &Decoder::BitField},
      {"szext", &Decoder::BitField},
      {"popc", &Decoder::Bits1},
      {"clz", &Decoder::Bits1},
      {"brev", &Decoder::Bits1},
      {"bfind", &Decoder::Bits1},
      {"lop3", &Decoder::Lop3Op},
      {"prmt", &Decoder::Permute},
      {"shf", &Decoder::FunnelShift},
      {"dp4a", &Decoder::DotProduct},
      {"dp2a", &Decoder::DotProduct},
      {"sad", &Decoder::Sad},
      {"vabsdiff4", &Decoder::AbsDiff4},
      {"setp", &Decoder::Setp},
      {"set", &Decoder::Set},
      {"selp", &Decoder::Selp},
      {"slct", &Decoder::Slct},
      {"testp", &Decoder::Testp},
      {"cvt", &Decoder::Convert},
      {"mov", &Decoder::Move},
      {"ld", &Decoder::Load},
      {"ldu", &Decoder::Load},
      {"st", &Decoder::Store},
      {"cvta", &Decoder::Cvta},
      {"isspacep", &Decoder::IsSpacep},
      {"atom", &Decoder::AtomicOrReduce},
      {"red", &Decoder::AtomicOrReduce},
      {"cp", &Decoder::CopyAsyncOp},
      {"prefetch", &Decoder::Ignored},
      {"prefetchu", &Decoder::Ignored},
      {"discard", &Decoder::Ignored},
      {"applypriority", &Decoder::Ignored},
      {"createpolicy", &Decoder::Ignored},
      {"griddepcontrol", &Decoder::Ignored},
      {"nanosleep", &Decoder::Ignored},
      {"pmevent", &Decoder::Ignored},
      {"setmaxnreg", &Decoder::Ignored},
      {"membar", &Decoder::Fence},
      {"fence", &Decoder::Fence},
      {"bra", &Decoder::Branch},
      {"brx", &Decoder::IndirectBranch},
      {"ret", &Decoder::Return},
      {"exit", &Decoder::Exit},
      {"trap", &Decoder::Trap},
      {"brkpt", &Decoder::Trap},
      {"call", &Decoder::Call},
      {"bar", &Decoder::Barrier},
      {"barrier", &Decoder::Barrier},
      {"shfl", &Decoder::Shuffle},
      {"vote", &Decoder::Vote},
      {"match", &Decoder::Match},
      {"redux", &Decoder::Redux},
      {"activemask", &Decoder::ActiveMaskOp},
      {"elect", &Decoder::ElectOp},
      {"mma", &Decoder::Mma},
      {"wmma", &Decoder::Wmma},
      {"stmatrix", &Decoder::LoadMatrix},
      {"ldmatrix", &Decoder::LoadMatrix},
      {"mbarrier", &Decoder::MbarrierOp}};
  return kMethods;
}

std::vector<std::string_view> Decoder::KnownOpcodes() {
  std::vector<std::string_view> names;
  for (const auto& [name, method] : Methods()) names.push_back(name);
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace kw::eval::emu
