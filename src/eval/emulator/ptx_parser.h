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
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "fmt/format.h"
#include "kw/base/text.h"
#include "ptx.h"
#include "ptx_lexer.h"

namespace kw::eval::ptx {

inline constexpr size_t kMaxRegisters = 1'000'000;

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
  // Lines of headers, by (file, line), and the line that they were last called from.
  std::map<std::pair<int32_t, int32_t>, SourceLine> callers_;
  SourceLine source_;
  size_t instructions_ = 0;
  std::unordered_map<std::string_view, std::vector<RegisterRange>> ranges_;
  std::unordered_map<std::string, int32_t> registers_;  // "scope:name"
};

}  // namespace kw::eval::ptx
