// The grammar, as far as it matters here:
//
//   module    = { ".version" v | ".target" t {"," t} | ".address_size" n | file | variable ";"
//             | function | ".section" name "{" ... "}" | ".pragma" string ";" }
//   function  = linkage* (".entry" | ".func" [params]) name [params] hint* (";" | body)
//   params    = "(" [param {"," param}] ")"        param = ".param" attribute* type name ["[n]"]
//   body      = "{" { statement } "}"
//   statement = variable ";" | ".reg" type name ["<" n ">"] {"," ...} ";" | body | word ":"
//             | ".loc" ... end of line | ".pragma" ... ";"
//             | ["@" ["!"] register] opcode [operand {"," operand}] ";"
//   operand   = ["!"] register ["|" operand] | number | word ["+" number]
//             | "[" ... "]" | "{" operands "}" | "(" operands ")" | "_"
#include <algorithm>
#include <bit>

#include "fmt/format.h"
#include "kw/base/text.h"
#include "ptx.h"
#include "ptx_lexer.h"

namespace kw::eval::ptx {
namespace {

constexpr size_t kMaxText = size_t{16} << 20;
constexpr size_t kMaxInstructions = 500'000;
constexpr size_t kMaxRegisters = 1'000'000;
constexpr size_t kMaxScopes = 500'000;
constexpr int kMaxDepth = 64;
constexpr uint64_t kMaxVariable = uint64_t{1} << 32;

struct RegisterRange {
  int32_t scope;
  int64_t count;
  Type type;
};

class Parser {
 public:
  explicit Parser(Module* module) : module_(module), lexer_(module->text) { Advance(); }

  Result<void> Run() {
    while (token_.kind != Token::Kind::kEnd) KW_TRY(TopLevel());
    for (size_t i = 0; i < module_->functions.size(); ++i) {
      const Function& function = module_->functions[i];
      auto [at, fresh] = module_->function_index.emplace(function.name, static_cast<int>(i));
      if (!fresh && function.has_body) {
        if (module_->functions[at->second].has_body) {
          return Fail(ErrorCode::kParse, fmt::format("PTX line {}: {} is defined twice",
                                                     function.ptx_line, function.name));
        }
        at->second = static_cast<int>(i);
      }
    }
    return {};
  }

 private:
  void Advance() {
    begin_ = end_;
    token_ = lexer_.Next();
    end_ = lexer_.position();
  }
  tl::unexpected<Error> Bad(std::string_view what) const {
    return Fail(ErrorCode::kParse, fmt::format("PTX line {}: {} at '{}'", token_.line, what,
                                               Shorten(ToValidUtf8(token_.text), 40)));
  }
  bool Accept(char c) {
    if (!token_.Is(c)) return false;
    Advance();
    return true;
  }
  Result<void> Expect(char c) {
    if (!Accept(c)) return Bad(fmt::format("expected '{}'", c));
    return {};
  }
  Result<std::string_view> Name() {
    if (token_.kind != Token::Kind::kWord) return Bad("expected a name");
    const std::string_view name = token_.text;
    Advance();
    return name;
  }
  Result<int64_t> Integer() {
    const bool minus = Accept('-');
    if (token_.kind != Token::Kind::kInteger) return Bad("expected a whole number");
    const uint64_t value = static_cast<uint64_t>(token_.integer);
    Advance();
    return static_cast<int64_t>(minus ? 0 - value : value);
  }
  Result<void> SkipTo(char end) {
    while (!token_.Is(end)) {
      if (token_.kind == Token::Kind::kEnd) return Bad(fmt::format("'{}' is missing", end));
      Advance();
    }
    Advance();
    return {};
  }

  Result<void> TopLevel();
  Result<void> FileDirective();
  Result<void> FunctionDefinition(bool is_entry);
  Result<void> Parameters(std::vector<Variable>* out);
  Result<void> Hints(Function* function);
  Result<void> Body(Function* function);
  Result<void> Statement(int32_t scope);
  Result<void> Registers(int32_t scope);
  Result<void> VariableTail(Space space, int32_t scope, bool is_extern, std::vector<Variable>* out);
  Result<void> Initialiser(Variable* variable);
  Result<void> InitialValue(Variable* variable, uint64_t* at, int depth);
  Result<void> Location();
  Result<void> BranchTable();
  Result<void> ParseInstruction(int32_t scope);
  Result<Operand> ParseOperand(int depth);
  Result<Operand> ParseAddress(int depth);
  Result<void> OperandList(char end, int depth, std::vector<Operand>* out);
  bool Resolve(std::string_view name, Operand* operand);

  Module* module_;
  Lexer lexer_;
  Token token_;
  size_t begin_ = 0, end_ = 0;

  Function* function_ = nullptr;
  int32_t scope_ = 0;
  int32_t main_file_ = 0;
  SourceLine source_;
  size_t instructions_ = 0;
  std::unordered_map<std::string_view, std::vector<RegisterRange>> ranges_;
  std::unordered_map<std::string, int32_t> registers_;  // "scope:name"
};

Result<void> Parser::TopLevel() {
  if (token_.kind != Token::Kind::kDirective) return Bad("expected a directive");
  const std::string_view word = token_.text;
  if (word == ".version") {
    Advance();
    if (token_.kind != Token::Kind::kFloat && token_.kind != Token::Kind::kInteger) {
      return Bad("expected a version");
    }
    Advance();
    return {};
  }
  if (word == ".target") {
    Advance();
    do {
      KW_ASSIGN(const std::string_view name, Name());
      if (name.substr(0, 3) == "sm_") {
        for (const char c : name.substr(3)) {
          if (c < '0' || c > '9' || module_->target_sm > 1000) break;
          module_->target_sm = module_->target_sm * 10 + (c - '0');
        }
      }
    } while (Accept(','));
    return {};
  }
  if (word == ".address_size") {
    Advance();
    KW_ASSIGN(const int64_t bits, Integer());
    if (bits != 64) return Fail(ErrorCode::kParse, "PTX with 32-bit addresses is not supported");
    return {};
  }
  if (word == ".file") return FileDirective();
  if (word == ".section") {
    return SkipTo('}');
  }
  if (word == ".pragma" || word == ".alias") return SkipTo(';');
  bool is_extern = false;
  while (token_.Is(".visible") || token_.Is(".extern") || token_.Is(".weak") ||
         token_.Is(".common")) {
    is_extern |= token_.Is(".extern");
    Advance();
  }
  if (token_.Is(".entry")) return FunctionDefinition(true);
  if (token_.Is(".func")) return FunctionDefinition(false);
  Space space;
  if (token_.Is(".global")) {
    space = Space::kGlobal;
  } else if (token_.Is(".const")) {
    space = Space::kConst;
  } else if (token_.Is(".shared")) {
    space = Space::kShared;
  } else {
    return Bad("unknown directive");
  }
  Advance();
  return VariableTail(space, 0, is_extern, &module_->variables);
}

Result<void> Parser::FileDirective() {
  Advance();
  KW_ASSIGN(const int64_t number, Integer());
  if (token_.kind != Token::Kind::kString) return Bad("expected a file name");
  module_->files[static_cast<int32_t>(number)] =
      std::string(token_.text.substr(1, token_.text.size() - 2));
  Advance();
  while (Accept(',')) KW_TRY(Integer());
  return {};
}

Result<void> Parser::Parameters(std::vector<Variable>* out) {
  KW_TRY(Expect('('));
  if (Accept(')')) return {};
  do {
    if (token_.Is(".reg")) return Bad("register parameters are not supported");
    if (!token_.Is(".param")) return Bad("expected .param");
    Advance();
    Variable variable;
    variable.space = Space::kParam;
    for (;;) {
      if (token_.Is(".align")) {
        Advance();
        KW_ASSIGN(const int64_t align, Integer());
        if (align < 1 || align > 4096 || (align & (align - 1)) != 0) return Bad("bad alignment");
        variable.align = static_cast<uint64_t>(align);
      } else if (token_.Is(".ptr") || token_.Is(".global") || token_.Is(".shared") ||
                 token_.Is(".const") || token_.Is(".local")) {
        Advance();
      } else {
        break;
      }
    }
    variable.type =
        token_.kind == Token::Kind::kDirective ? TypeNamed(token_.text.substr(1)) : Type::kNone;
    if (Bytes(variable.type) == 0) return Bad("expected a type");
    Advance();
    for (;;) {
      if (token_.Is(".align")) {
        Advance();
        KW_TRY(Integer());
      } else if (token_.Is(".ptr") || token_.Is(".global") || token_.Is(".shared") ||
                 token_.Is(".const") || token_.Is(".local")) {
        Advance();
      } else {
        break;
      }
    }
    KW_ASSIGN(variable.name, Name());
    variable.bytes = static_cast<uint64_t>(Bytes(variable.type));
    variable.align = std::max(variable.align, variable.bytes);
    if (Accept('[')) {
      int64_t count = 0;
      if (!token_.Is(']')) {
        KW_ASSIGN(count, Integer());
      }
      if (count < 0 || count > 65536) return Bad("a parameter is too large");
      variable.bytes *= static_cast<uint64_t>(count);
      KW_TRY(Expect(']'));
    }
    out->push_back(std::move(variable));
  } while (Accept(','));
  return Expect(')');
}

Result<void> Parser::Hints(Function* function) {
  while (token_.kind == Token::Kind::kDirective) {
    const std::string_view word = token_.text;
    if (word == ".maxntid" || word == ".reqntid") {
      Advance();
      int64_t threads = 1;
      do {
        KW_ASSIGN(const int64_t n, Integer());
        if (n < 1 || n > 4096) return Bad("bad block size");
        threads *= n;
      } while (Accept(','));
      threads = std::min<int64_t>(threads, 1 << 20);
      function->max_threads = static_cast<int>(threads);
      if (word == ".reqntid") function->required_threads = static_cast<int>(threads);
    } else if (word == ".pragma") {
      KW_TRY(SkipTo(';'));
    } else if (word == ".noreturn" || word == ".explicitcluster") {
      Advance();
    } else if (word == ".attribute") {
      KW_TRY(SkipTo(')'));
    } else {
      Advance();
      while (token_.kind == Token::Kind::kInteger) {
        Advance();
        if (!Accept(',')) break;
      }
    }
  }
  return {};
}

Result<void> Parser::FunctionDefinition(bool is_entry) {
  Function function;
  function.is_entry = is_entry;
  function.ptx_line = token_.line;
  Advance();
  while (token_.Is(".attribute")) KW_TRY(SkipTo(')'));
  if (!is_entry && token_.Is('(')) KW_TRY(Parameters(&function.results));
  KW_ASSIGN(function.name, Name());
  if (token_.Is('(')) KW_TRY(Parameters(&function.parameters));
  KW_TRY(Hints(&function));
  if (Accept(';')) {
    module_->functions.push_back(std::move(function));
    return {};
  }
  if (!token_.Is('{')) return Bad("expected the body of a function");
  function.has_body = true;
  KW_TRY(Body(&function));
  module_->functions.push_back(std::move(function));
  return {};
}

Result<void> Parser::Body(Function* function) {
  function_ = function;
  function->scope_parent = {-1};
  ranges_.clear();
  registers_.clear();
  source_ = {};
  main_file_ = 0;
  scope_ = 0;
  int depth = 0;
  KW_TRY(Expect('{'));
  for (;;) {
    if (Accept('{')) {
      if (++depth > kMaxDepth) return Bad("blocks nest too deep");
      if (function->scope_parent.size() > kMaxScopes) return Bad("too many blocks");
      function->scope_parent.push_back(scope_);
      scope_ = static_cast<int32_t>(function->scope_parent.size()) - 1;
    } else if (Accept('}')) {
      if (depth-- == 0) break;
      scope_ = function->scope_parent[scope_];
    } else {
      KW_TRY(Statement(scope_));
    }
  }
  function_ = nullptr;
  return {};
}

Result<void> Parser::Statement(int32_t scope) {
  if (Accept(';')) return {};
  if (token_.kind == Token::Kind::kDirective) {
    const std::string_view word = token_.text;
    if (word == ".loc") return Location();
    if (word == ".pragma" || word == ".callprototype") return SkipTo(';');
    if (word == ".reg") return Registers(scope);
    if (word == ".branchtargets") return BranchTable();
    Space space;
    if (word == ".local") {
      space = Space::kLocal;
    } else if (word == ".shared") {
      space = Space::kShared;
    } else if (word == ".param") {
      space = Space::kParam;
    } else if (word == ".const" || word == ".global") {
      return Bad("a static variable inside a function is not supported");
    } else {
      return Bad("unknown directive");
    }
    Advance();
    return VariableTail(space, scope, false, &function_->variables);
  }
  return ParseInstruction(scope);
}

Result<void> Parser::Registers(int32_t scope) {
  Advance();
  if (token_.kind != Token::Kind::kDirective) return Bad("expected a type");
  const Type type = TypeNamed(token_.text.substr(1));
  if (type == Type::kNone) return Bad("unknown register type");
  Advance();
  do {
    KW_ASSIGN(const std::string_view name, Name());
    if (Accept('<')) {
      KW_ASSIGN(const int64_t count, Integer());
      if (count < 0 || count > static_cast<int64_t>(kMaxRegisters)) {
        return Bad("too many registers");
      }
      KW_TRY(Expect('>'));
      ranges_[name].push_back({scope, count, type});
    } else {
      if (function_->registers.size() >= kMaxRegisters) return Bad("too many registers");
      registers_[fmt::format("{}:{}", scope, name)] =
          static_cast<int32_t>(function_->registers.size());
      function_->registers.push_back({type, std::string(name)});
    }
  } while (Accept(','));
  return Expect(';');
}

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

Result<void> Parser::VariableTail(Space space, int32_t scope, bool is_extern,
                                  std::vector<Variable>* out) {
  Variable shape;
  shape.space = space;
  shape.scope = scope;
  shape.is_extern = is_extern;
  uint64_t lanes = 1;
  for (;; Advance()) {
    if (token_.kind != Token::Kind::kDirective) return Bad("expected a type");
    if (token_.Is(".align")) {
      Advance();
      if (token_.kind != Token::Kind::kInteger || token_.integer < 1 || token_.integer > 65536 ||
          (token_.integer & (token_.integer - 1)) != 0) {
        return Bad("bad alignment");
      }
      shape.align = static_cast<uint64_t>(token_.integer);
    } else if (token_.Is(".v2")) {
      lanes = 2;
    } else if (token_.Is(".v4")) {
      lanes = 4;
    } else if (token_.Is(".attribute")) {
      while (!token_.Is(')')) {
        if (token_.kind == Token::Kind::kEnd) return Bad("')' is missing");
        Advance();
      }
    } else if (!token_.Is(".unified")) {
      shape.type = TypeNamed(token_.text.substr(1));
      if (Bytes(shape.type) == 0) return Bad("unknown type");
      Advance();
      break;
    }
  }
  do {
    Variable variable = shape;
    KW_ASSIGN(variable.name, Name());
    variable.bytes = static_cast<uint64_t>(Bytes(shape.type)) * lanes;
    variable.align = std::max<uint64_t>(variable.align, Bytes(shape.type) * lanes);
    while (Accept('[')) {
      int64_t count = 0;
      if (!token_.Is(']')) {
        KW_ASSIGN(count, Integer());
      }
      if (count < 0 || static_cast<uint64_t>(count) > kMaxVariable) return Bad("too large");
      variable.bytes *= static_cast<uint64_t>(count);
      if (variable.bytes > kMaxVariable) return Bad("a variable is too large");
      KW_TRY(Expect(']'));
    }
    if (Accept('=')) KW_TRY(Initialiser(&variable));
    out->push_back(std::move(variable));
  } while (Accept(','));
  return Expect(';');
}

Result<void> Parser::Initialiser(Variable* variable) {
  uint64_t at = 0;
  return InitialValue(variable, &at, 0);
}

Result<void> Parser::InitialValue(Variable* variable, uint64_t* at, int depth) {
  if (depth > 8) return Bad("an initialiser nests too deep");
  if (Accept('{')) {
    if (Accept('}')) return {};
    do {
      KW_TRY(InitialValue(variable, at, depth + 1));
    } while (Accept(','));
    return Expect('}');
  }
  const uint64_t size = static_cast<uint64_t>(Bytes(variable->type));
  uint64_t bits = 0;
  if (token_.kind == Token::Kind::kWord) {
    Variable::Reference reference;
    KW_ASSIGN(std::string_view name, Name());
    reference.generic = name == "generic" && token_.Is('(');
    if (reference.generic) {
      Advance();
      KW_ASSIGN(name, Name());
      KW_TRY(Expect(')'));
    }
    reference.offset = *at;
    reference.symbol = name;
    if (Accept('+')) {
      KW_ASSIGN(reference.addend, Integer());
    }
    if (size != 8) return Bad("an address must be 64 bits wide");
    variable->references.push_back(reference);
  } else {
    const bool minus = Accept('-');
    if (token_.kind == Token::Kind::kInteger) {
      bits = static_cast<uint64_t>(token_.integer);
      if (minus) bits = 0 - bits;
      if (variable->type == Type::kF32) bits = std::bit_cast<uint32_t>(float(int64_t(bits)));
      if (variable->type == Type::kF64) bits = std::bit_cast<uint64_t>(double(int64_t(bits)));
    } else if (token_.kind == Token::Kind::kFloat) {
      bits = static_cast<uint64_t>(token_.integer);
      if (token_.single && size == 8) {
        bits = std::bit_cast<uint64_t>(double(std::bit_cast<float>(uint32_t(bits))));
      } else if (!token_.single && size == 4) {
        bits = std::bit_cast<uint32_t>(static_cast<float>(std::bit_cast<double>(bits)));
      }
      if (minus) bits ^= uint64_t{1} << (size * 8 - 1);
    } else {
      return Bad("expected an initial value");
    }
    Advance();
  }
  if (*at + size > variable->bytes) return Bad("more initial values than the variable holds");
  variable->image.resize(*at);
  for (uint64_t i = 0; i < size; ++i) {
    variable->image.push_back(i < 8 ? static_cast<char>(bits >> (8 * i)) : '\0');
  }
  *at += size;
  return {};
}

// .loc file line column [, function_name symbol, inlined_at file line column]
// A line of a header that was inlined counts as the line that called it.
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
    operand.kind = operand.name[0] == '%' ? Operand::Kind::kSpecial : Operand::Kind::kSymbol;
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

}  // namespace

Type TypeNamed(std::string_view name) {
  static const std::unordered_map<std::string_view, Type> kTypes = {
      {"pred", Type::kPred}, {"b8", Type::kB8},       {"u8", Type::kU8},
      {"s8", Type::kS8},     {"b16", Type::kB16},     {"u16", Type::kU16},
      {"s16", Type::kS16},   {"f16", Type::kF16},     {"bf16", Type::kBf16},
      {"b32", Type::kB32},   {"u32", Type::kU32},     {"s32", Type::kS32},
      {"f32", Type::kF32},   {"f16x2", Type::kF16x2}, {"bf16x2", Type::kBf16x2},
      {"tf32", Type::kTf32}, {"b64", Type::kB64},     {"u64", Type::kU64},
      {"s64", Type::kS64},   {"f64", Type::kF64},     {"b128", Type::kB128}};
  const auto found = kTypes.find(name);
  return found == kTypes.end() ? Type::kNone : found->second;
}

int Bytes(Type type) {
  if (type >= Type::kB128) return 16;
  if (type >= Type::kB64) return 8;
  if (type >= Type::kB32) return 4;
  if (type >= Type::kB16) return 2;
  return type >= Type::kB8 ? 1 : 0;
}

bool IsSigned(Type type) {
  return type == Type::kS8 || type == Type::kS16 || type == Type::kS32 || type == Type::kS64;
}

bool IsFloat(Type type) {
  return type == Type::kF16 || type == Type::kBf16 || type == Type::kF32 || type == Type::kF64;
}

Result<std::unique_ptr<Module>> Parse(std::string_view text) {
  if (text.size() > kMaxText) return Fail(ErrorCode::kLimit, "PTX of more than 16 MiB");
  auto module = std::make_unique<Module>();
  module->text = std::string(text);
  Parser parser(module.get());
  KW_TRY(parser.Run());
  if (module->target_sm == 0) {
    return Fail(ErrorCode::kParse, "this is no PTX: a .target directive is missing");
  }
  return module;
}

}  // namespace kw::eval::ptx
