// Instructions and their operands, and what stands between them.
#include <algorithm>

#include "ptx_parser.h"

namespace kw::eval::ptx {
namespace {

constexpr size_t kMaxInstructions = 500'000;

}  // namespace

// Finds a register by its name, innermost scope first; members of %r<100> are made on first use.
bool Parser::Resolve(std::string_view name, Operand* operand) {
  size_t digits = name.size();
  while (digits > 0 && name[digits - 1] >= '0' && name[digits - 1] <= '9') --digits;
  const auto range = ranges_.find(name.substr(0, digits));
  const size_t length = name.size() - digits;
  int64_t index = -1;
  if (range != ranges_.end() && length > 0 && length < 9 && (length == 1 || name[digits] != '0')) {
    index = 0;
    for (const char c : name.substr(digits)) index = index * 10 + (c - '0');
  }
  for (int32_t scope = scope_; scope >= 0; scope = function_->scope_parent[scope]) {
    std::string key = fmt::format("{}:{}", scope, name);
    const auto known = registers_.find(key);
    if (known != registers_.end()) {
      operand->kind = Operand::Kind::kRegister;
      operand->reg = known->second;
      return true;
    }
    if (index < 0) continue;
    for (const RegisterRange& candidate : range->second) {
      if (candidate.scope != scope || index >= candidate.count) continue;
      if (function_->registers.size() >= kMaxRegisters) return false;
      operand->kind = Operand::Kind::kRegister;
      operand->reg = static_cast<int32_t>(function_->registers.size());
      registers_.emplace(std::move(key), operand->reg);
      function_->registers.push_back({candidate.type, std::string(name)});
      return true;
    }
  }
  return false;
}

// .loc file line column [, function_name symbol, inlined_at file line column]
// A line of a header that was inlined counts as the line that called it, however deep: nvcc names
// the outer calls first.
Result<void> Parser::Location() {
  const std::string_view rest = lexer_.RestOfLine();
  Lexer words(rest);
  const auto number = [&](int32_t* to) {
    const Token token = words.Next();
    *to = static_cast<int32_t>(std::clamp<int64_t>(token.integer, 0, 1 << 30));
    return token.kind == Token::Kind::kInteger;
  };
  SourceLine line;
  int32_t column = 0;
  if (!number(&line.file) || !number(&line.line) || !number(&column)) return Bad("bad .loc");
  const size_t inlined = rest.find("inlined_at");
  if (main_file_ == 0 && inlined == std::string_view::npos) main_file_ = line.file;
  if (inlined != std::string_view::npos && line.file != main_file_) {
    words = Lexer(rest.substr(inlined + 10));
    SourceLine outer;
    if (!number(&outer.file) || !number(&outer.line)) return Bad("bad .loc");
    if (outer.file != main_file_) {
      const auto known = callers_.find({outer.file, outer.line});
      if (known != callers_.end()) outer = known->second;
    }
    callers_[{line.file, line.line}] = outer;
    line = outer;
  }
  source_ = line;
  Advance();
  return {};
}

// label: .branchtargets a, b, c;
Result<void> Parser::BranchTable() {
  if (function_->labels.empty()) return Bad("a branch table without a label");
  std::vector<std::string_view>& targets = function_->branch_tables[function_->labels.back().name];
  Advance();
  do {
    KW_ASSIGN(const std::string_view name, Name());
    targets.push_back(name);
  } while (Accept(','));
  return Expect(';');
}

Result<void> Parser::OperandList(char end, int depth, std::vector<Operand>* out) {
  if (Accept(end)) return {};
  do {
    KW_ASSIGN(Operand item, ParseOperand(depth + 1));
    out->push_back(std::move(item));
  } while (Accept(','));
  return Expect(end);
}

Result<Operand> Parser::ParseAddress(int depth) {
  Operand address;
  address.kind = Operand::Kind::kAddress;
  if (token_.kind == Token::Kind::kInteger || token_.Is('-')) {
    KW_ASSIGN(address.value, Integer());
  } else {
    KW_ASSIGN(Operand base, ParseOperand(depth + 1));
    if (base.kind == Operand::Kind::kSymbol) {
      address.value = base.value;
      base.value = 0;
    }
    const bool plain = base.kind == Operand::Kind::kRegister || base.kind == Operand::Kind::kSymbol;
    if (!plain) address.kind = Operand::Kind::kOther;
    address.list.push_back(std::move(base));
    if (Accept('+')) {
      KW_ASSIGN(const int64_t offset, Integer());
      address.value += offset;
    } else if (token_.Is('-')) {
      KW_ASSIGN(const int64_t offset, Integer());
      address.value += offset;
    }
  }
  if (Accept(']')) return address;
  address.kind = Operand::Kind::kOther;
  KW_TRY(SkipTo(']'));
  return address;
}

Result<Operand> Parser::ParseOperand(int depth) {
  if (depth > 8) return Bad("operands nest too deep");
  Operand operand;
  if (Accept('[')) return ParseAddress(depth);
  if (Accept('{')) {
    operand.kind = Operand::Kind::kList;
    KW_TRY(OperandList('}', depth, &operand.list));
    return operand;
  }
  if (Accept('(')) {
    operand.kind = Operand::Kind::kList;
    KW_TRY(OperandList(')', depth, &operand.list));
    return operand;
  }
  if (Accept('!')) {
    KW_ASSIGN(operand, ParseOperand(depth + 1));
    operand.negated = !operand.negated;
    return operand;
  }
  const bool minus = Accept('-');
  if (token_.kind == Token::Kind::kInteger) {
    operand.kind = Operand::Kind::kInteger;
    operand.value =
        minus ? static_cast<int64_t>(0 - static_cast<uint64_t>(token_.integer)) : token_.integer;
    Advance();
    return operand;
  }
  if (token_.kind == Token::Kind::kFloat) {
    operand.kind = Operand::Kind::kFloat;
    operand.single = token_.single;
    operand.value = token_.integer;
    if (minus) operand.value ^= operand.single ? int64_t{1} << 31 : INT64_MIN;
    Advance();
    return operand;
  }
  if (minus) return Bad("expected a number");
  KW_ASSIGN(operand.name, Name());
  if (operand.name == "_") {
    operand.kind = Operand::Kind::kSink;
  } else if (!Resolve(operand.name, &operand)) {
    const bool special = operand.name[0] == '%' || operand.name == "WARP_SZ";
    operand.kind = special ? Operand::Kind::kSpecial : Operand::Kind::kSymbol;
  }
  if (operand.kind == Operand::Kind::kSymbol && token_.Is('+')) {
    Advance();
    KW_ASSIGN(operand.value, Integer());
  }
  if (Accept('|')) {
    KW_ASSIGN(Operand second, ParseOperand(depth + 1));
    operand.pair.push_back(std::move(second));
  }
  return operand;
}

Result<void> Parser::ParseInstruction(int32_t scope) {
  if (++instructions_ > kMaxInstructions) {
    return Fail(ErrorCode::kLimit, "the module has more than 500000 instructions");
  }
  Instruction instruction;
  instruction.ptx_line = token_.line;
  instruction.scope = scope;
  instruction.source = source_;
  const size_t text_begin = static_cast<size_t>(token_.text.data() - module_->text.data());
  if (Accept('@')) {
    instruction.guard_negated = Accept('!');
    Operand guard;
    KW_ASSIGN(guard.name, Name());
    if (!Resolve(guard.name, &guard)) return Bad("an unknown guard before");
    if (function_->registers[guard.reg].type != Type::kPred) return Bad("no predicate before");
    instruction.guard = guard.reg;
  }
  if (token_.kind != Token::Kind::kWord) return Bad("expected an instruction");
  const std::string_view opcode = token_.text;
  Advance();
  if (token_.Is(':') && instruction.guard < 0) {
    Advance();
    function_->labels.push_back(
        {opcode, scope, static_cast<int32_t>(function_->instructions.size())});
    return {};
  }
  for (const std::string_view part : Split(opcode, '.')) instruction.parts.push_back(part);
  if (!token_.Is(';')) {
    do {
      KW_ASSIGN(Operand operand, ParseOperand(0));
      instruction.operands.push_back(std::move(operand));
      if (instruction.operands.size() > 64) return Bad("too many operands");
      // "call (result), f, (a), prototype" may lack the comma before a list.
    } while (Accept(','));
  }
  if (!token_.Is(';')) return Bad("expected ';'");
  const size_t text_end = static_cast<size_t>(token_.text.data() - module_->text.data());
  instruction.text = std::string_view(module_->text).substr(text_begin, text_end - text_begin + 1);
  Advance();
  function_->instructions.push_back(std::move(instruction));
  return {};
}

}  // namespace kw::eval::ptx
