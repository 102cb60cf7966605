// Knows whether a text stands inside an initialiser list of C++ that is still open, and how many
// elements the array may have: a list of 256 zeros is no loop.
//
// Read as it comes, with no more than brackets, quotes and comments. A list is what stands in
// braces behind `=`, `return`, `(`, `,`, or the bounds of a declarator, and after a std::array or
// std::vector; code blocks and class bodies are none, and a `;` shows that it was none. The bound
// is the product of the declarator's ([16][16], or std::array's), whose factors are numbers or
// constants that #define or `N = 16;` gave before, times the members of the element's type (float4
// has 4). Where a factor or the type is not known there is no bound. Three backticks begin anew.
//
// O(1) a character, amortised: only an opening brace and a #define look back, at most 256
// characters. Bounded memory.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "recent_text.h"

namespace kw::llm {

// The characters that change what is known.
inline constexpr std::array<bool, 128> kListMarks = [] {
  std::array<bool, 128> marks{};
  for (const char c : std::string_view("{};,\"'/*\n`")) marks[static_cast<size_t>(c)] = true;
  return marks;
}();

class OpenList {
 public:
  // The character that was just pushed to `recent`.
  void Read(Character c, const RecentText& recent) {
    if (c < kListMarks.size() && kListMarks[c]) ReadMark(static_cast<char>(c), recent);
  }
  bool open() const { return depth_ > 0; }
  // The place of its opening brace: characters up to and with it.
  int64_t begin() const { return begin_; }
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

  void ReadMark(char c, const RecentText& recent);
  void ReadCode(char c, const RecentText& recent);
  void EndLine(const RecentText& recent);
  void OpenBrace(const RecentText& recent);
  Opening ReadOpening(std::string_view before) const;
  Opening ReadDeclarator(std::string_view declarator) const;
  std::optional<int64_t> ReadStandardArray(std::string_view statement) const;
  std::optional<int64_t> Evaluate(std::string_view expression) const;
  void Define(std::string_view name, std::string_view value);
  void DefineByAssignment(const RecentText& recent);

  State state_ = State::kCode;
  int64_t line_begin_ = 0;
  int64_t depth_ = 0;
  int64_t begin_ = 0;
  std::optional<int64_t> bound_;
  std::array<Constant, 32> constants_{};
  size_t next_constant_ = 0;
};

}  // namespace kw::llm
