// Knows whether a text stands inside an initialiser list of C++ that is still open, and how many
// elements the array may have: a list of 256 zeros is no loop.
//
// Read with no more than brackets, quotes and comments. A list is what stands in
// braces behind `=`, `return`, `(`, `,`, or the bounds of a declarator, and after a std::array or
// std::vector; code blocks and class bodies are none, and a `;` shows that it was none. The bound
// is the product of the declarator's ([16][16], or std::array's), whose factors are numbers or
// constants that #define or `N = 16;` gave before, times the members of the element's type (float4
// has 4). Where a factor or the type is not known there is no bound. Three backticks begin anew.
//
// O(1) a byte, amortised: only an opening brace and a #define look back, at most 256 bytes. Bounded
// memory.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace kw::llm {

class OpenList {
 public:
  // The text as far as it has come: what was read before, and more.
  void ReadTo(std::string_view text);
  bool open() const { return depth_ > 0; }
  // The place behind its opening brace.
  size_t begin() const { return begin_; }
  std::optional<int64_t> bound() const { return bound_; }

 private:
  enum class State { kCode, kLineComment, kBlockComment, kString, kCharacter };
  struct Constant {
    uint64_t name = 0;  // hash; 0: none
    std::optional<int64_t> value;
  };
  struct Opening {
    bool is_list = false;
    std::optional<int64_t> bound;
  };

  // A character that may change what is known, and the text before it.
  void ReadMark(char c, std::string_view before);
  void ReadCode(char c, std::string_view before);
  void EndLine(std::string_view before);
  void OpenBrace(std::string_view before);
  Opening ReadOpening(std::string_view before) const;
  Opening ReadDeclarator(std::string_view declarator) const;
  std::optional<int64_t> ReadStandardArray(std::string_view statement) const;
  std::optional<int64_t> Evaluate(std::string_view expression) const;
  void Define(std::string_view name, std::string_view value);
  void DefineByAssignment(std::string_view before);

  size_t at_ = 0;
  State state_ = State::kCode;
  size_t line_begin_ = 0;
  int64_t depth_ = 0;
  size_t begin_ = 0;
  std::optional<int64_t> bound_;
  std::array<Constant, 32> constants_{};
  size_t next_constant_ = 0;
};

}  // namespace kw::llm
