#include "lexer.h"

#include <array>
#include <cstdint>
#include <cstring>

#include "kw/base/text.h"

namespace kw::eval {
namespace {

enum CharClass : uint8_t { kOther, kSpace, kDigit, kLetter };

constexpr std::array<uint8_t, 256> kClasses = [] {
  std::array<uint8_t, 256> classes{};
  for (const char c : {' ', '\t', '\r', '\v', '\f'}) classes[static_cast<uint8_t>(c)] = kSpace;
  for (int c = '0'; c <= '9'; ++c) classes[c] = kDigit;
  for (int c = 'a'; c <= 'z'; ++c) classes[c] = kLetter;
  for (int c = 'A'; c <= 'Z'; ++c) classes[c] = kLetter;
  classes['_'] = classes['$'] = kLetter;
  for (int c = 128; c < 256; ++c) classes[c] = kLetter;  // UTF-8 in names
  return classes;
}();

uint8_t ClassOf(char c) { return kClasses[static_cast<uint8_t>(c)]; }
bool IsWordPart(char c) { return ClassOf(c) >= kDigit; }

// The prefixes that make a string raw.
bool IsRawPrefix(std::string_view word) {
  return word == "R" || word == "LR" || word == "uR" || word == "UR" || word == "u8R";
}
bool IsLiteralPrefix(std::string_view word) {
  return word == "L" || word == "u" || word == "U" || word == "u8";
}

}  // namespace

const Token& Lexer::Make(Token::Kind kind, size_t begin, int line) {
  token_.kind = kind;
  token_.text = std::string_view(source_.data() + begin, at_ - begin);
  token_.line = line;
  return token_;
}

const Token& Lexer::Unterminated(size_t begin, int line) {
  at_ = source_.size();
  return Make(Token::Kind::kUnterminated, begin, line);
}

bool Lexer::SkipSplice() {
  size_t end = at_ + 1;
  if (end < source_.size() && source_[end] == '\r') ++end;
  if (end >= source_.size() || source_[end] != '\n') return false;
  at_ = end + 1;
  ++line_;
  return true;
}

bool Lexer::SkipBlockComment() {
  at_ += 2;
  while (at_ < source_.size()) {
    const char c = source_[at_++];
    if (c == '\n') ++line_;
    if (c == '*' && Peek() == '/') {
      ++at_;
      return true;
    }
  }
  return false;
}

void Lexer::SkipLineComment() {
  while (at_ < source_.size() && source_[at_] != '\n') {
    if (source_[at_] == '\\' && SkipSplice()) continue;
    ++at_;
  }
}

bool Lexer::SkipSpaceAndComments() {
  while (at_ < source_.size()) {
    const char c = source_[at_];
    if (c == '\n') {
      ++at_;
      ++line_;
      line_start_ = true;
    } else if (ClassOf(c) == kSpace) {
      ++at_;
    } else if (c == '\\' && SkipSplice()) {
      continue;
    } else if (c == '/' && Peek(1) == '/') {
      SkipLineComment();
    } else if (c == '/' && Peek(1) == '*') {
      if (!SkipBlockComment()) return false;
    } else {
      break;
    }
  }
  return true;
}

const Token& Lexer::Next() {
  const size_t before = at_;
  const int line_before = line_;
  if (!SkipSpaceAndComments()) {
    // The comment that never ends is the last "/*" that was entered: find where it began.
    Lexer again(source_.substr(before), line_before);
    while (true) {
      const size_t begin = again.at_;
      const int line = again.line_;
      const bool block = again.Peek() == '/' && again.Peek(1) == '*';
      if (block && !again.SkipBlockComment()) return Unterminated(before + begin, line);
      if (block) continue;
      if (again.Peek() == '/' && again.Peek(1) == '/') {
        again.SkipLineComment();
      } else if (again.Peek() != '\\' || !again.SkipSplice()) {
        if (again.Peek() == '\n') ++again.line_;
        ++again.at_;
      }
    }
  }
  if (at_ >= source_.size()) return Make(Token::Kind::kEnd, at_, line_);
  const char c = source_[at_];
  if (c == '#' && line_start_) return Directive();
  line_start_ = false;
  switch (ClassOf(c)) {
    case kLetter:
      return Word();
    case kDigit:
      return Number();
    default:
      break;
  }
  if (c == '"' || c == '\'') return Quoted(c, at_);
  if (c == '.' && ClassOf(Peek(1)) == kDigit) return Number();
  return Punctuator();
}

const Token& Lexer::Word() {
  const size_t begin = at_;
  while (at_ < source_.size() && IsWordPart(source_[at_])) ++at_;
  const std::string_view word = source_.substr(begin, at_ - begin);
  if (Peek() == '"' && IsRawPrefix(word)) return RawString(begin);
  if ((Peek() == '"' || Peek() == '\'') && IsLiteralPrefix(word)) return Quoted(Peek(), begin);
  return Make(Token::Kind::kIdentifier, begin, line_);
}

// A preprocessing number: digit separators and exponents are part of it.
const Token& Lexer::Number() {
  const size_t begin = at_;
  ++at_;
  while (at_ < source_.size()) {
    const char c = source_[at_];
    if ((c == '+' || c == '-') && std::strchr("eEpP", source_[at_ - 1]) != nullptr) {
      ++at_;
    } else if (c == '\'' && IsWordPart(Peek(1))) {
      at_ += 2;
    } else if (IsWordPart(c) || c == '.') {
      ++at_;
    } else {
      break;
    }
  }
  return Make(Token::Kind::kNumber, begin, line_);
}

const Token& Lexer::Quoted(char quote, size_t begin) {
  const int line = line_;
  ++at_;
  while (at_ < source_.size()) {
    const char c = source_[at_];
    if (c == '\n') break;
    if (c == '\\') {
      if (!SkipSplice()) at_ += 2;
      continue;
    }
    ++at_;
    if (c == quote) {
      return Make(quote == '"' ? Token::Kind::kString : Token::Kind::kCharacter, begin, line);
    }
  }
  return Unterminated(begin, line);
}

const Token& Lexer::RawString(size_t begin) {
  constexpr size_t kMaxDelimiter = 16;
  const int line = line_;
  const size_t open = at_ + 1;
  size_t paren = open;
  while (paren < source_.size() && paren - open <= kMaxDelimiter && source_[paren] != '(' &&
         std::strchr(") \\\t\v\f\n\"", source_[paren]) == nullptr) {
    ++paren;
  }
  if (paren >= source_.size() || source_[paren] != '(') return Quoted('"', begin);
  const std::string_view delimiter = source_.substr(open, paren - open);
  for (size_t i = paren + 1; i < source_.size(); ++i) {
    if (source_[i] == '\n') ++line_;
    if (source_[i] != ')') continue;
    const size_t quote = i + 1 + delimiter.size();
    if (quote < source_.size() && source_[quote] == '"' &&
        source_.substr(i + 1, delimiter.size()) == delimiter) {
      at_ = quote + 1;
      return Make(Token::Kind::kString, begin, line);
    }
  }
  return Unterminated(begin, line);
}

const Token& Lexer::Punctuator() {
  const size_t begin = at_;
  const char c = source_[at_];
  const char next = Peek(1);
  if ((c == '<' && (next == '%' || (next == ':' && Peek(2) != ':'))) || (c == '%' && next == '>') ||
      (c == ':' && next == '>') || (c == '?' && next == '?')) {
    saw_digraph_ = true;
  }
  at_ += c == ':' && next == ':' ? 2 : 1;
  return Make(Token::Kind::kPunctuator, begin, line_);
}

// To the end of the logical line. A comment in it may span lines; a quote that does not end on its
// line is just text (#error Don't).
void Lexer::SkipDirectiveText() {
  bool quotes = true;  // off after one that does not end: looking again would be quadratic
  while (at_ < source_.size() && source_[at_] != '\n') {
    const char c = source_[at_];
    if (c == '\\' && SkipSplice()) continue;
    if (c == '/' && Peek(1) == '/') {
      SkipLineComment();
    } else if (c == '/' && Peek(1) == '*') {
      if (!SkipBlockComment()) return;
    } else if (quotes && (c == '"' || c == '\'')) {
      size_t end = at_ + 1;
      while (end < source_.size() && source_[end] != '\n' && source_[end] != c) {
        end += source_[end] == '\\' && end + 1 < source_.size() && source_[end + 1] != '\n' ? 2 : 1;
      }
      quotes = end < source_.size() && source_[end] == c;
      at_ = quotes ? end + 1 : at_ + 1;
    } else {
      ++at_;
    }
  }
}

const Token& Lexer::Directive() {
  const size_t begin = at_;
  const int line = line_;
  SkipDirectiveText();
  return Make(Token::Kind::kDirective, begin, line);
}

const Token& Lexer::SkipGroup() {
  int depth = 0;
  while (at_ < source_.size()) {
    if (!SkipSpaceAndComments()) break;
    if (at_ >= source_.size()) break;
    const size_t begin = at_;
    const int line = line_;
    const bool directive = line_start_ && source_[at_] == '#';
    line_start_ = false;
    SkipDirectiveText();
    if (!directive) continue;
    const Token& token = Make(Token::Kind::kDirective, begin, line);
    const std::string_view name = DirectiveName(token.text);
    if (name.starts_with("if")) ++depth;
    if (depth == 0 && (name.starts_with("el") || name == "endif")) return token;
    if (name == "endif") --depth;
  }
  return Make(Token::Kind::kEnd, at_, line_);
}

std::string_view DirectiveName(std::string_view directive) {
  directive = Trim(directive.substr(1));
  size_t end = 0;
  while (end < directive.size() && IsWordPart(directive[end])) ++end;
  return directive.substr(0, end);
}

std::string_view DirectiveBody(std::string_view directive) {
  const std::string_view name = DirectiveName(directive);
  if (name.empty()) return Trim(directive.substr(1));
  return Trim(directive.substr(static_cast<size_t>(name.data() + name.size() - directive.data())));
}

}  // namespace kw::eval
