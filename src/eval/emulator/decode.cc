// The decoder's frame: modifiers, functions, whole kernels. decode_operands.cc makes micro
// instructions and their operands; the families of instructions have a file each.
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

namespace {

// Each register of an instruction's operands, with the operand's number.
template <class F>
void EachRegister(const ptx::Instruction& instruction, F visit) {
  for (size_t i = 0; i < instruction.operands.size(); ++i) {
    const auto walk = [&](const ptx::Operand& operand, const auto& self) -> void {
      for (const ptx::Operand& item : operand.list) self(item, self);
      if (operand.kind == ptx::Operand::Kind::kRegister) visit(static_cast<size_t>(operand.reg), i);
    };
    walk(instruction.operands[i], walk);
  }
}

bool CombinesPredicates(const ptx::Instruction& instruction) {
  return instruction.parts.size() == 2 && instruction.parts[1] == "pred" &&
         (instruction.parts[0] == "and" || instruction.parts[0] == "or");
}

}  // namespace

// A value is only chosen or not where all its uses are selp, or comparisons whose outcome another
// condition may override: `if (i < n && x[i] > most) most = x[i]` may be compiled so.
void Decoder::CountUses() {
  const size_t registers = function_->registers.size();
  uses_.assign(registers, 0);
  choices_.assign(registers, 0);
  std::vector<uint32_t> combined(registers, 0);
  for (const ptx::Instruction& instruction : function_->instructions) {
    const bool combines = CombinesPredicates(instruction);
    EachRegister(instruction, [&](size_t reg, size_t operand) {
      ++uses_[reg];
      combined[reg] += combines && operand > 0;
    });
  }
  for (const ptx::Instruction& instruction : function_->instructions) {
    const std::vector<Operand>& operands = instruction.operands;
    bool choice = instruction.parts[0] == "selp" && operands.size() == 4;
    if (instruction.parts[0] == "setp" && operands.size() == 3 &&
        operands[0].kind == Operand::Kind::kRegister && operands[0].pair.empty()) {
      const size_t outcome = static_cast<size_t>(operands[0].reg);
      choice = combined[outcome] > 0 && uses_[outcome] == combined[outcome] + 1;
    }
    if (!choice) continue;
    EachRegister(instruction, [&](size_t reg, size_t operand) {
      if (operand == 1 || operand == 2) ++choices_[reg];
    });
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
