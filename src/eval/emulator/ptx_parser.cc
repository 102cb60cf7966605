// Declarations: what a module holds, functions, variables and their values.
#include "ptx_parser.h"

#include <algorithm>
#include <bit>

namespace kw::eval::ptx {
namespace {

constexpr size_t kMaxText = size_t{16} << 20;
constexpr size_t kMaxScopes = 500'000;
constexpr int kMaxDepth = 64;
constexpr uint64_t kMaxVariable = uint64_t{1} << 32;

}  // namespace

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
