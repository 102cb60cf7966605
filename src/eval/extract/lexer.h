// C++ source to tokens, one pass, no copies. Comments and white space vanish; a preprocessor
// directive is one token. Nothing is judged here but what cannot be lexed: a literal or comment
// that never ends.
#pragma once

#include <cstddef>
#include <string_view>

namespace kw::eval {

struct Token {
  enum class Kind : unsigned char {
    kIdentifier,
    kNumber,
    kString,  // "..." and R"(...)"
    kCharacter,
    kPunctuator,  // one character, but for "::"
    kDirective,   // from '#' to the end of its logical line, comments and all
    kEnd,
    kUnterminated,  // a literal or comment that does not end; lexing stops
  };
  Kind kind = Kind::kEnd;
  std::string_view text;
  int line = 0;  // 1-based, of the first character

  bool Is(std::string_view spelling) const { return text == spelling; }
  bool IsPunctuator(char c) const {
    return kind == Kind::kPunctuator && text.size() == 1 && text[0] == c;
  }
};

class Lexer {
 public:
  explicit Lexer(std::string_view source, int first_line = 1)
      : source_(source), line_(first_line) {}

  // The reference holds until the next call.
  const Token& Next();

  // After an #if that is not taken: skips its body, and returns the #else, #elif, #elifdef or
  // #endif at the same depth (kEnd where there is none). Only comments count in there.
  const Token& SkipGroup();

  // A brace that is spelled <% or %>, or ??<: brackets cannot be trusted.
  bool saw_digraph() const { return saw_digraph_; }

 private:
  char Peek(size_t ahead = 0) const {
    return at_ + ahead < source_.size() ? source_[at_ + ahead] : '\0';
  }
  bool SkipSpaceAndComments();  // false: a comment that never ends
  bool SkipBlockComment();
  void SkipLineComment();
  bool SkipSplice();  // backslash and newline
  const Token& Make(Token::Kind kind, size_t begin, int line);
  const Token& Unterminated(size_t begin, int line);
  const Token& Directive();
  void SkipDirectiveText();
  const Token& Quoted(char quote, size_t begin);
  const Token& RawString(size_t begin);
  const Token& Number();
  const Token& Word();
  const Token& Punctuator();

  std::string_view source_;
  size_t at_ = 0;
  int line_ = 1;
  bool line_start_ = true;  // only white space since the last newline
  bool saw_digraph_ = false;
  Token token_;  // written in place: copies of it were half of the time
};

// "if", "ifdef", "define", ...: the name of a directive; "" for a lone '#'.
std::string_view DirectiveName(std::string_view directive);
// What follows the name, trimmed.
std::string_view DirectiveBody(std::string_view directive);

}  // namespace kw::eval
