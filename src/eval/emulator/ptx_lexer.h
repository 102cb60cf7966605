// Splits PTX into tokens.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace kw::eval::ptx {

struct Token {
  enum class Kind : uint8_t {
    kEnd, kWord, kDirective, kInteger, kFloat, kString, kPunct, kBad,
  };
  Kind kind = Kind::kEnd;
  std::string_view text;
  int32_t line = 0;
  int64_t integer = 0;   // of kInteger; of kFloat the bits of the double
  bool single = false;   // 0f...
  bool Is(char c) const { return kind == Kind::kPunct && text[0] == c; }
  bool Is(std::string_view s) const { return text == s; }
};

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}
  Token Next();
  // What is left of the current line, for .loc and .file, which end with it.
  std::string_view RestOfLine();
  size_t position() const { return at_; }
  int32_t line() const { return line_; }

 private:
  void SkipSpace();
  Token Word();
  Token Number();
  Token Make(Token::Kind kind, size_t begin) const;

  std::string_view text_;
  size_t at_ = 0;
  int32_t line_ = 1;
};

}  // namespace kw::eval::ptx
