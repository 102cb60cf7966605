// What a source holds at namespace scope, and whether its brackets balance: one pass over its
// tokens, linear in time and memory. Preprocessor conditionals are followed as far as they can be:
// the body of "#if 0" is skipped, every branch of an unknown condition starts from the same
// brackets, and where branches disagree the outcome is unsure rather than wrong.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "lexer.h"

namespace kw::eval {

// A function named `run` at namespace scope, outside of every namespace.
struct EntryFunction {
  enum class Linkage { kCxx, kC, kUnsure };
  int line = 0;
  bool defined = false;
  bool is_static = false;
  Linkage linkage = Linkage::kCxx;
  bool parameters_unsure = false;  // a macro or a conditional may add some
  std::vector<Token> parameters;   // between the parentheses
};

struct StructureFault {
  enum class Kind { kUnterminated, kUnbalanced };
  Kind kind = Kind::kUnbalanced;
  int line = 0;
  std::string message;  // without the line
};

struct Structure {
  std::optional<StructureFault> fault;  // definite
  bool unsure = false;                  // brackets or literals that cannot be followed

  std::vector<EntryFunction> entries;  // definitions and declarations
  bool has_kernel = false;             // __global__ in code that may be compiled
  bool macro_makes_run = false;        // a #define names `run`, or a macro is given it

  // For feedback: lines, 0 where there is none.
  int namespaced_run = 0;  // run in a namespace
  int nested_run = 0;      // what looks like a definition of run inside other braces
  int kernel_run = 0;      // run is a __global__ or __device__ function
  int template_run = 0;
  int other_c_function = 0;  // another function with C linkage
  std::string other_c_function_name;
  std::set<std::string, std::less<>> macros;  // names that the source defines

  bool HoldsDefinition() const;
};

Structure ReadStructure(std::string_view source);

// Takes the tokens of one declaration at namespace scope into the structure. `defined`: a brace
// follows; `in_c_block`: inside extern "C" { }.
struct DeclarationPlace {
  bool defined = false, in_namespace = false, in_c_block = false, conditional = false;
};
void ReadDeclaration(const std::vector<Token>& tokens, const DeclarationPlace& place,
                     Structure& structure);

}  // namespace kw::eval
