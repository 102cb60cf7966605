// PTX as text says it: what the parser makes and the decoder reads. All views point into the
// module's own copy of the text.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "kw/base/error.h"
#include "ptx_type.h"

namespace kw::eval::ptx {

// "u32" -> kU32; kNone when it names no type.
Type TypeNamed(std::string_view name);
// Bytes of a value; a predicate counts as 0.
int Bytes(Type type);
bool IsSigned(Type type);
bool IsFloat(Type type);

struct Operand {
  enum class Kind : uint8_t {
    kRegister,  // index into Function::registers
    kSpecial,   // %tid.x and the like; the name is in `name`
    kInteger,   // value
    kFloat,     // 0f.., 0d.. or decimal: bits of a double in `value`
    kSymbol,    // variable, function or label, plus value
    kAddress,   // [base + value]: base is list[0] (register, symbol or nothing)
    kList,      // {a, b} or (a, b)
    kSink,      // _
    kOther,     // tensor coordinates and the like: only for the report
  };
  Kind kind = Kind::kOther;
  bool negated = false;
  bool single = false;  // a kFloat that was written as 0f
  int32_t reg = -1;
  int64_t value = 0;
  std::string_view name;
  std::vector<Operand> list;
  std::vector<Operand> pair;  // the q of p|q
};

struct SourceLine {
  int32_t file = 0;  // number of the .file directive
  int32_t line = 0;
};

struct Instruction {
  std::string_view text;  // whole, for reports
  int32_t ptx_line = 0;
  int32_t scope = 0;
  SourceLine source;
  int32_t guard = -1;
  bool guard_negated = false;
  std::vector<std::string_view> parts;  // the opcode, split at dots
  std::vector<Operand> operands;
};

struct Register {
  Type type = Type::kNone;
  std::string name;
};

enum class Space : uint8_t { kGlobal, kConst, kShared, kLocal, kParam };

struct Variable {
  std::string_view name;
  Space space = Space::kGlobal;
  Type type = Type::kNone;
  uint64_t align = 1;
  uint64_t bytes = 0;  // 0: an extern array
  bool is_extern = false;
  int32_t scope = 0;
  std::string image;  // initial bytes, at most `bytes`
  struct Reference {  // an address within the image
    uint64_t offset = 0;
    std::string_view symbol;
    int64_t addend = 0;
    bool generic = false;
  };
  std::vector<Reference> references;
};

struct Label {
  std::string_view name;
  int32_t scope = 0;
  int32_t instruction = 0;  // the one that follows
};

struct Function {
  std::string_view name;
  bool is_entry = false;
  bool has_body = false;
  int32_t ptx_line = 0;
  std::vector<Variable> results;
  std::vector<Variable> parameters;
  std::vector<Variable> variables;  // .local, .shared and .param of the body
  std::vector<Register> registers;
  std::vector<int32_t> scope_parent;  // scope 0 is the body
  std::vector<Instruction> instructions;
  std::vector<Label> labels;
  std::map<std::string_view, std::vector<std::string_view>> branch_tables;  // of brx.idx
  int max_threads = 0;  // .maxntid or .reqntid; 0 none
  int required_threads = 0;
};

struct Module {
  std::string text;
  int target_sm = 0;
  std::vector<Variable> variables;
  std::vector<Function> functions;
  std::unordered_map<std::string_view, int> function_index;  // a definition beats a declaration
  std::map<int32_t, std::string> files;
};

// Parses a whole module. kParse names the line; kLimit beyond 16 MiB of text or 500000
// instructions. Memory is bounded by a constant times the text.
[[nodiscard]] Result<std::unique_ptr<Module>> Parse(std::string_view text);

}  // namespace kw::eval::ptx
