// The decoder's frame: functions, operands, constants. The families of instructions follow in
// decode_arithmetic.cc, decode_memory.cc, decode_control.cc and decode_tensor.cc.
#include <algorithm>
#include <bit>
#include <cstring>

#include "decoder.h"
#include "fmt/format.h"

namespace kw::eval::emu {
namespace {

constexpr uint64_t kMaxLocalBytes = 512 << 10;
constexpr uint32_t kMaxSites = 100'000;

uint64_t AlignUp(uint64_t value, uint64_t align) { return (value + align - 1) / align * align; }

const std::unordered_map<std::string_view, SpecialRegister>& SpecialNames() {
  using S = SpecialRegister;
  static const std::unordered_map<std::string_view, S> kNames = {
      {"%tid.x", S::kTidX},
      {"%tid.y", S::kTidY},
      {"%tid.z", S::kTidZ},
      {"%ntid.x", S::kNtidX},
      {"%ntid.y", S::kNtidY},
      {"%ntid.z", S::kNtidZ},
      {"%ctaid.x", S::kCtaidX},
      {"%ctaid.y", S::kCtaidY},
      {"%ctaid.z", S::kCtaidZ},
      {"%nctaid.x", S::kNctaidX},
      {"%nctaid.y", S::kNctaidY},
      {"%nctaid.z", S::kNctaidZ},
      {"%laneid", S::kLaneId},
      {"%warpid", S::kWarpId},
      {"%nwarpid", S::kNwarpId},
      {"%smid", S::kSmId},
      {"%nsmid", S::kNsmId},
      {"%gridid", S::kGridId},
      {"%lanemask_eq", S::kLaneMaskEq},
      {"%lanemask_le", S::kLaneMaskLe},
      {"%lanemask_lt", S::kLaneMaskLt},
      {"%lanemask_ge", S::kLaneMaskGe},
      {"%lanemask_gt", S::kLaneMaskGt},
      {"%clock", S::kClock},
      {"%clock_hi", S::kClockHi},
      {"%clock64", S::kClock64},
      {"%globaltimer", S::kGlobalTimer},
      {"%globaltimer_lo", S::kGlobalTimerLo},
      {"%globaltimer_hi", S::kGlobalTimerHi},
      {"%dynamic_smem_size", S::kDynamicShared},
      {"%total_smem_size", S::kTotalShared},
      // Without clusters each block is a cluster of its own.
      // Where grid.sync() finds its barrier.
      {"%envreg1", S::kWorkspaceHigh},
      {"%envreg2", S::kWorkspaceLow},
      {"%cluster_ctarank", S::kZero},
      {"%cluster_nctarank", S::kOne},
      {"%cluster_ctaid.x", S::kZero},
      {"%cluster_ctaid.y", S::kZero},
      {"%cluster_ctaid.z", S::kZero},
      {"%cluster_nctaid.x", S::kOne},
      {"%cluster_nctaid.y", S::kOne},
      {"%cluster_nctaid.z", S::kOne},
      {"%clusterid.x", S::kCtaidX},
      {"%clusterid.y", S::kCtaidY},
      {"%clusterid.z", S::kCtaidZ},
      {"%nclusterid.x", S::kNctaidX},
      {"%nclusterid.y", S::kNctaidY},
      {"%nclusterid.z", S::kNctaidZ}};
  return kNames;
}

// What a symbol's bits are as an immediate of a type.
uint64_t ImmediateBits(const Operand& operand, int bytes, bool is_float) {
  if (operand.kind == Operand::Kind::kInteger) {
    const int64_t v = operand.value;
    if (is_float && bytes == 4) return std::bit_cast<uint32_t>(static_cast<float>(v));
    if (is_float && bytes == 8) return std::bit_cast<uint64_t>(static_cast<double>(v));
    return static_cast<uint64_t>(v);
  }
  const uint64_t bits = static_cast<uint64_t>(operand.value);
  if (operand.single) {
    if (bytes != 8) return bits;
    return std::bit_cast<uint64_t>(
        static_cast<double>(std::bit_cast<float>(static_cast<uint32_t>(bits))));
  }
  if (bytes != 4) return bits;
  return std::bit_cast<uint32_t>(static_cast<float>(std::bit_cast<double>(bits)));
}

}  // namespace

bool Modifiers::Take(std::string_view name) {
  for (size_t i = 1; i < parts_.size(); ++i) {
    if (!taken_[i] && parts_[i] == name) {
      taken_[i] = true;
      return true;
    }
  }
  return false;
}

Type Modifiers::TakeType() {
  for (size_t i = 1; i < parts_.size(); ++i) {
    const Type type = taken_[i] ? Type::kNone : ptx::TypeNamed(parts_[i]);
    if (type == Type::kNone) continue;
    taken_[i] = true;
    return type;
  }
  return Type::kNone;
}

void Modifiers::TakeCacheHints() {
  static const std::set<std::string_view> kHints = {"nc", "ca", "cg", "cs",    "lu",
                                                    "cv", "wb", "wt", "level", "unified"};
  for (size_t i = 1; i < parts_.size(); ++i) {
    const std::string_view part = parts_[i];
    if (kHints.contains(part) || part.substr(0, 4) == "L1::" || part.substr(0, 4) == "L2::") {
      taken_[i] = true;
    }
  }
}

std::string_view Modifiers::Left() const {
  for (size_t i = 1; i < parts_.size(); ++i) {
    if (!taken_[i]) return parts_[i];
  }
  return "";
}

std::string_view Modifiers::TakeAny() {
  for (size_t i = 1; i < parts_.size(); ++i) {
    if (taken_[i]) continue;
    taken_[i] = true;
    return parts_[i];
  }
  return "";
}

// ---- functions ----

void Decoder::SurveyOperand(const Operand& operand, int function, std::vector<int>* order) {
  for (const Operand& item : operand.list) SurveyOperand(item, function, order);
  if (operand.kind != Operand::Kind::kSymbol) return;
  const auto callee = module_.function_index.find(operand.name);
  if (callee != module_.function_index.end()) {
    const ptx::Function& target = module_.functions[callee->second];
    if (target.has_body && !target.is_entry &&
        code_index_.emplace(callee->second, static_cast<int>(order->size())).second) {
      order->push_back(callee->second);
    }
    return;
  }
  const auto note = [&](const std::vector<ptx::Variable>& variables) {
    for (const ptx::Variable& variable : variables) {
      if (variable.space != ptx::Space::kShared || variable.name != operand.name) continue;
      if (shared_.emplace(variable.name, 0).second) shared_used_.push_back(&variable);
    }
  };
  note(module_.functions[function].variables);
  note(module_.variables);
}

kw::Result<std::vector<int>> Decoder::Survey(int kernel) {
  std::vector<int> order = {kernel};
  code_index_[kernel] = 0;
  for (size_t i = 0; i < order.size(); ++i) {
    const ptx::Function& function = module_.functions[order[i]];
    for (const ptx::Instruction& instruction : function.instructions) {
      for (const Operand& operand : instruction.operands) SurveyOperand(operand, order[i], &order);
      const bool indirect = instruction.parts[0] == "call" &&
                            std::any_of(instruction.operands.begin(), instruction.operands.end(),
                                        [](const Operand& operand) {
                                          return operand.kind == Operand::Kind::kRegister;
                                        });
      if (!indirect) continue;
      // It may go to any function whose address stands in a variable.
      for (const ptx::Variable& variable : module_.variables) {
        for (const ptx::Variable::Reference& reference : variable.references) {
          Operand symbol;
          symbol.kind = Operand::Kind::kSymbol;
          symbol.name = reference.symbol;
          SurveyOperand(symbol, order[i], &order);
        }
      }
    }
  }
  program_->code_of_function.assign(module_.functions.size(), -1);
  for (const auto& [function, code] : code_index_) {
    program_->code_of_function[static_cast<size_t>(function)] = code;
  }
  uint64_t bytes = 0;
  for (const ptx::Variable* variable : shared_used_) {
    if (variable->is_extern || variable->bytes == 0) continue;
    bytes = AlignUp(bytes, variable->align);
    shared_[variable->name] = static_cast<uint32_t>(bytes);
    bytes += variable->bytes;
    if (bytes > (uint64_t{1} << 30)) return Fail(ErrorCode::kLimit, "too much shared memory");
  }
  program_->static_shared = static_cast<uint32_t>(bytes);
  uint64_t align = 16;
  for (const ptx::Variable* variable : shared_used_) {
    if (variable->is_extern || variable->bytes == 0) align = std::max(align, variable->align);
  }
  program_->dynamic_shared_at = static_cast<uint32_t>(AlignUp(bytes, align));
  for (const ptx::Variable* variable : shared_used_) {
    if (!variable->is_extern && variable->bytes != 0) continue;
    shared_[variable->name] = program_->dynamic_shared_at;
  }
  return order;
}

kw::Result<FunctionDraft> Decoder::Function(int function_index) {
  const ptx::Function& function = module_.functions[function_index];
  FunctionDraft draft;
  draft.source = function_ = &function;
  // Cleared of meaning when this returns: only the calls below read it.
  // cppcheck-suppress danglingLifetime
  draft_ = &draft;
  draft.code.source = &function;
  draft.code.name = function.name;
  local_.clear();
  variables_.clear();
  parameters_.clear();
  labels_.clear();
  for (const ptx::Register& reg : function.registers) {
    const int bytes = ptx::Bytes(reg.type);
    draft.registers.push_back({static_cast<uint8_t>(bytes)});
  }
  uint64_t frame = 0;
  const auto place = [&](const ptx::Variable& variable) {
    frame = AlignUp(frame, std::max<uint64_t>(variable.align, 8));
    const uint32_t offset = static_cast<uint32_t>(frame);
    frame += variable.bytes;
    return offset;
  };
  uint64_t block_bytes = 0;
  for (const ptx::Variable& parameter : function.parameters) {
    if (function.is_entry) {
      block_bytes = AlignUp(block_bytes, parameter.align);
      parameters_[parameter.name] = static_cast<uint32_t>(block_bytes);
      program_->parameters.emplace_back(static_cast<uint32_t>(block_bytes),
                                        static_cast<uint32_t>(parameter.bytes));
      block_bytes += parameter.bytes;
    } else {
      const uint32_t offset = place(parameter);
      parameters_[parameter.name] = offset;
      draft.code.parameter_offsets.push_back(offset);
    }
  }
  if (function.is_entry) program_->parameter_bytes = static_cast<uint32_t>(block_bytes);
  for (const ptx::Variable& result : function.results) {
    const uint32_t offset = place(result);
    parameters_[result.name] = offset;
    draft.code.result_offsets.push_back(offset);
  }
  for (const ptx::Variable& variable : function.variables) {
    variables_[{variable.scope, variable.name}] = &variable;
    if (variable.space == ptx::Space::kShared) continue;
    if (frame + variable.bytes > kMaxLocalBytes) {
      return Fail(ErrorCode::kLimit, fmt::format("{} needs more than 512 KiB of local memory a "
                                                 "thread",
                                                 function.name));
    }
    local_[{variable.scope, variable.name}] = place(variable);
  }
  draft.code.local_bytes = static_cast<uint32_t>(AlignUp(frame, 16));
  for (const ptx::Label& label : function.labels) {
    labels_[{label.scope, label.name}] = label.instruction;
  }
  CountUses();
  for (size_t i = 0; i < function.instructions.size(); ++i) {
    draft.start.push_back(static_cast<int32_t>(draft.micros.size()));
    instruction_index_ = static_cast<int32_t>(i);
    program_->origins.push_back({&function.instructions[i], &function, {}});
    Instruction(function.instructions[i]);
  }
  draft.start.push_back(static_cast<int32_t>(draft.micros.size()));
  program_->origins.push_back({nullptr, &function, {}});
  instruction_ = nullptr;
  Emit(nullptr, function.is_entry ? OpKind::kExit : OpKind::kReturn);
  return draft;
}

void Decoder::Instruction(const ptx::Instruction& instruction) {
  instruction_ = &instruction;
  why_.clear();
  const size_t before = draft_->micros.size();
  const auto method = Methods().find(instruction.parts[0]);
  const bool done = method != Methods().end() && (this->*method->second)();
  if (!done) {
    draft_->micros.resize(before);
    program_->origins.back().why = why_;
    Micro& micro = Emit(nullptr, OpKind::kUnsupported);
    micro.next = instruction_index_ + 1;
  }
  if (instruction.guard >= 0) Guard(before);
  if (draft_->micros.size() > before) {
    draft_->micros[before].counts = true;
    draft_->micros[before].work = draft_->micros.back().work;
    draft_->micros[before].amount = draft_->micros.back().amount;
  }
}

// Puts the instruction's guard on its micro instructions from `first`. What ends a block or meets
// other lanes is branched around instead: lanes without the guard must not even arrive.
void Decoder::Guard(size_t first) {
  std::vector<Micro>& micros = draft_->micros;
  const auto from = micros.begin() + static_cast<std::ptrdiff_t>(first);
  const bool branches = std::any_of(from, micros.end(), [](const Micro& m) {
    switch (m.op.kind) {
      case OpKind::kCollective:
      case OpKind::kBarrier:
      case OpKind::kCall:
      case OpKind::kIndirect:
      case OpKind::kTrap:
      case OpKind::kUnsupported:
        return true;
      default:
        return false;
    }
  });
  if (!branches) {
    for (auto micro = from; micro != micros.end(); ++micro) {
      micro->guard = instruction_->guard;
      micro->guard_negated = instruction_->guard_negated;
    }
    return;
  }
  Micro around;
  around.op.kind = OpKind::kBranch;
  around.op.origin = static_cast<uint32_t>(program_->origins.size()) - 1;
  around.guard = instruction_->guard;
  around.guard_negated = !instruction_->guard_negated;
  around.target = instruction_index_ + 1;
  micros.insert(from, std::move(around));
}

void Decoder::CountUses() {
  uses_.assign(function_->registers.size(), 0);
  choices_.assign(function_->registers.size(), 0);
  for (const ptx::Instruction& instruction : function_->instructions) {
    const bool choice = instruction.parts[0] == "selp" && instruction.operands.size() == 4;
    for (size_t i = 0; i < instruction.operands.size(); ++i) {
      const auto note = [&](const Operand& operand, const auto& self) -> void {
        for (const Operand& item : operand.list) self(item, self);
        if (operand.kind != Operand::Kind::kRegister) return;
        ++uses_[static_cast<size_t>(operand.reg)];
        if (choice && (i == 1 || i == 2)) ++choices_[static_cast<size_t>(operand.reg)];
      };
      note(instruction.operands[i], note);
    }
  }
}

// The operand is the result of one instruction; all other uses of it are choices.
bool Decoder::OnlyChosen(const Operand& operand) const {
  if (operand.kind != Operand::Kind::kRegister) return false;
  const size_t reg = static_cast<size_t>(operand.reg);
  return reg < uses_.size() && choices_[reg] > 0 && uses_[reg] == choices_[reg] + 1;
}

bool Decoder::Unsupported(std::string_view why) {
  why_ = std::string(why);
  return false;
}

bool Decoder::Count(size_t least, size_t most) {
  const size_t n = instruction_->operands.size();
  return (n >= least && n <= most) || Unsupported("its number of operands");
}

// ---- building ----

int32_t Decoder::NewRegister(int bytes) {
  draft_->registers.push_back({static_cast<uint8_t>(bytes)});
  return static_cast<int32_t>(draft_->registers.size()) - 1;
}

// A constant, spread over 32 lanes. Returns ~offset.
int32_t Decoder::Constant(uint64_t bits, int bytes) {
  if (bytes < 8) bits &= (uint64_t{1} << (bytes * 8)) - 1;
  const auto [at, fresh] = constant_index_.emplace(std::make_pair(bits, bytes), 0);
  if (fresh) {
    const size_t offset = constants_.size();
    constants_.resize(offset + std::max<size_t>(64, static_cast<size_t>(bytes) * kLanes));
    for (int i = 0; i < kLanes; ++i) {
      std::memcpy(constants_.data() + offset + static_cast<size_t>(i * bytes), &bits,
                  static_cast<size_t>(bytes));
    }
    at->second = ~static_cast<int32_t>(offset);
  }
  return at->second;
}

Micro& Decoder::Emit(Handler fn, OpKind kind) {
  Micro& micro = draft_->micros.emplace_back();
  micro.op.fn = fn;
  micro.op.kind = kind;
  micro.op.origin = static_cast<uint32_t>(program_->origins.size()) - 1;
  micro.op.target = kNoPredicate;
  return micro;
}

Micro* Decoder::EmitKey(Code code, Type type, uint32_t variant) {
  const Handler fn =
      FindHandler(Key(static_cast<uint32_t>(code), static_cast<uint32_t>(type), variant));
  if (fn == nullptr) {
    Unsupported("this combination of modifiers and types");
    return nullptr;
  }
  Micro& micro = Emit(fn);
  switch (type) {
    case Type::kF32:
      micro.work = Work::kFp32;
      break;
    case Type::kF64:
      micro.work = Work::kFp64;
      break;
    case Type::kF16:
    case Type::kF16x2:
    case Type::kBf16:
    case Type::kBf16x2:
      micro.work = Work::kFp16;
      break;
    case Type::kNone:
    case Type::kPred:
      break;
    default:
      micro.work = Work::kInteger;
  }
  if (code >= Code::kSqrt && code <= Code::kTanh) micro.work = Work::kSpecial;
  // A move between PTX registers is renaming: ptxas leaves nothing of it.
  if (code == Code::kMov) micro.work = Work::kOther;
  return &micro;
}

void Decoder::Def(Micro& micro, Arg arg, Place place) {
  micro.refs.push_back({arg.reg, place, true, false});
}
void Decoder::Use(Micro& micro, Arg arg, Place place) {
  micro.refs.push_back({arg.reg, place, false, arg.negated});
}

bool Decoder::Emit1(Code code, Type type, uint32_t variant, Arg d, Arg a) {
  Micro* micro = EmitKey(code, type, variant);
  if (micro == nullptr) return false;
  Def(*micro, d, Place::kD);
  Use(*micro, a, Place::kA);
  return true;
}
bool Decoder::Emit2(Code code, Type type, uint32_t variant, Arg d, Arg a, Arg b) {
  Micro* micro = EmitKey(code, type, variant);
  if (micro == nullptr) return false;
  Def(*micro, d, Place::kD);
  Use(*micro, a, Place::kA);
  Use(*micro, b, Place::kB);
  return true;
}
bool Decoder::Emit3(Code code, Type type, uint32_t variant, Arg d, Arg a, Arg b, Arg c) {
  if (!Emit2(code, type, variant, d, a, b)) return false;
  Use(draft_->micros.back(), c, Place::kC);
  return true;
}

Micro* Decoder::EmitExtend(Arg d, int d_bytes, Arg a, int a_bytes, int in_bits, bool in_signed,
                           int out_bits, bool out_signed) {
  const auto of = [](int bytes) {
    return bytes == 2 ? Type::kU16 : bytes == 4 ? Type::kU32 : Type::kU64;
  };
  Micro* micro = EmitKey(Code::kExtend, of(d_bytes), static_cast<uint32_t>(of(a_bytes)));
  if (micro == nullptr) return nullptr;
  Def(*micro, d, Place::kD);
  Use(*micro, a, Place::kA);
  micro->op.extra = static_cast<uint32_t>(in_bits) | (in_signed ? 1u << 8 : 0) |
                    static_cast<uint32_t>(out_bits) << 16 | (out_signed ? 1u << 24 : 0);
  return micro;
}

// ---- operands ----

int Decoder::RegisterBytes(const Operand& operand) const {
  if (operand.kind != Operand::Kind::kRegister) return -1;
  return draft_->registers[static_cast<size_t>(operand.reg)].bytes;
}

std::optional<Arg> Decoder::ValueOfBytes(const Operand& operand, int bytes, bool is_float) {
  switch (operand.kind) {
    case Operand::Kind::kRegister:
      if (RegisterBytes(operand) != bytes) {
        Unsupported("a register of another width");
        return std::nullopt;
      }
      return Arg{operand.reg, operand.negated};
    case Operand::Kind::kInteger:
    case Operand::Kind::kFloat:
      return Arg{Constant(ImmediateBits(operand, bytes, is_float), bytes)};
    case Operand::Kind::kSymbol:
      return SymbolAddress(operand, bytes);
    case Operand::Kind::kSpecial:
      return SpecialValue(operand, bytes);
    default:
      break;
  }
  Unsupported("an operand");
  return std::nullopt;
}

std::optional<Arg> Decoder::Value(const Operand& operand, Type type) {
  return ValueOfBytes(operand, std::max(2, ptx::Bytes(type)), ptx::IsFloat(type));
}

std::optional<Arg> Decoder::Target(const Operand& operand, Type type) {
  const int bytes = std::max(2, ptx::Bytes(type));
  if (operand.kind == Operand::Kind::kSink) return Arg{NewRegister(bytes)};
  if (operand.kind != Operand::Kind::kRegister || RegisterBytes(operand) != bytes) {
    Unsupported("a result register of another width");
    return std::nullopt;
  }
  return Arg{operand.reg};
}

std::optional<Arg> Decoder::PredicateValue(const Operand& operand) {
  if (operand.kind == Operand::Kind::kRegister && RegisterBytes(operand) == 0) {
    return Arg{operand.reg, operand.negated};
  }
  if (operand.kind == Operand::Kind::kInteger) {
    // Constant predicates are ~0 (true) and ~1 (false).
    const bool value = (operand.value != 0) != operand.negated;
    return Arg{value ? ~0 : ~1};
  }
  Unsupported("a predicate operand");
  return std::nullopt;
}

std::optional<Arg> Decoder::PredicateResult(const Operand& operand) {
  if (operand.kind == Operand::Kind::kSink) return Arg{NewRegister(0)};
  if (operand.kind == Operand::Kind::kRegister && RegisterBytes(operand) == 0) {
    return Arg{operand.reg};
  }
  Unsupported("a predicate result");
  return std::nullopt;
}

std::optional<Arg> Decoder::SymbolAddress(const Operand& operand, int bytes) {
  const uint64_t addend = static_cast<uint64_t>(operand.value);
  if (bytes != 4 && bytes != 8) {
    Unsupported("an address in a narrow register");
    return std::nullopt;
  }
  for (int32_t scope = instruction_->scope; scope >= 0; scope = function_->scope_parent[scope]) {
    const auto local = local_.find({scope, operand.name});
    if (local == local_.end()) continue;
    const Arg d{NewRegister(bytes)};
    Micro* micro = EmitKey(Code::kLocalAddress, bytes == 4 ? Type::kU32 : Type::kU64, 0);
    Def(*micro, d, Place::kD);
    micro->op.imm = local->second + addend;
    return d;
  }
  const auto parameter = parameters_.find(operand.name);
  if (parameter != parameters_.end()) {
    if (function_->is_entry) return Arg{Constant(parameter->second + addend, bytes)};
    const Arg d{NewRegister(bytes)};
    Micro* micro = EmitKey(Code::kLocalAddress, bytes == 4 ? Type::kU32 : Type::kU64, 0);
    Def(*micro, d, Place::kD);
    micro->op.imm = parameter->second + addend;
    return d;
  }
  const auto shared = shared_.find(operand.name);
  if (shared != shared_.end()) return Arg{Constant(shared->second + addend, bytes)};
  const auto global = symbols_.addresses.find(operand.name);
  if (global != symbols_.addresses.end()) return Arg{Constant(global->second + addend, bytes)};
  const auto function = module_.function_index.find(operand.name);
  if (function != module_.function_index.end()) {
    const auto code = code_index_.find(function->second);
    if (code != code_index_.end()) {
      return Arg{Constant(FunctionAddress(function->second), bytes)};
    }
  }
  Unsupported(fmt::format("the symbol {}", operand.name));
  return std::nullopt;
}

std::optional<Arg> Decoder::SpecialValue(const Operand& operand, int bytes) {
  if (operand.name == "WARP_SZ") return Arg{Constant(kLanes, bytes)};
  const auto found = SpecialNames().find(operand.name);
  if (found == SpecialNames().end()) {
    Unsupported(fmt::format("the special register {}", operand.name));
    return std::nullopt;
  }
  const Arg d{NewRegister(bytes)};
  Micro* micro = EmitKey(Code::kSpecial,
                         bytes == 2   ? Type::kU16
                         : bytes == 4 ? Type::kU32
                                      : Type::kU64,
                         0);
  Def(*micro, d, Place::kD);
  micro->op.imm = static_cast<uint64_t>(found->second);
  return d;
}

// ---- a whole kernel ----

kw::Result<std::unique_ptr<Program>> BuildProgram(const ptx::Module& module,
                                                  std::string_view kernel,
                                                  const SymbolTable& symbols) {
  const auto found = module.function_index.find(kernel);
  if (found == module.function_index.end() || !module.functions[found->second].is_entry ||
      !module.functions[found->second].has_body) {
    return Fail(ErrorCode::kNotFound, fmt::format("the module has no kernel {}", kernel));
  }
  auto program = std::make_unique<Program>();
  program->kernel = std::string(kernel);
  program->max_threads = module.functions[found->second].max_threads;
  program->required_threads = module.functions[found->second].required_threads;
  Decoder decoder(module, symbols, program.get());
  KW_ASSIGN(const std::vector<int> order, decoder.Survey(found->second));
  program->calls_functions = order.size() > 1;
  program->origins.emplace_back();
  for (const int index : order) {
    KW_ASSIGN(FunctionDraft draft, decoder.Function(index));
    KW_TRY(Assemble(&draft, program.get()));
    if (program->site_count > kMaxSites) {
      return Fail(ErrorCode::kLimit,
                  fmt::format("{} has more than {} memory instructions", kernel, kMaxSites));
    }
    program->functions.push_back(std::move(draft.code));
  }
  const std::vector<char>& constants = decoder.constants();
  program->constants = AlignedBytes(constants.size());
  std::memcpy(program->constants.get(), constants.data(), constants.size());
  return program;
}

}  // namespace kw::eval::emu
