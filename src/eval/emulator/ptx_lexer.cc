#include "ptx_lexer.h"

#include <bit>
#include <cctype>
#include <charconv>
#include <cstring>

namespace kw::eval::ptx {
namespace {

bool IsWordStart(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) || c == '_' || c == '$' || c == '%';
}
bool IsWordPart(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '$';
}

}  // namespace

void Lexer::SkipSpace() {
  while (at_ < text_.size()) {
    const char c = text_[at_];
    if (c == '\n') {
      ++line_;
      ++at_;
    } else if (std::isspace(static_cast<unsigned char>(c)) || c == '\0') {
      ++at_;
    } else if (text_.substr(at_, 2) == "//") {
      const size_t end = text_.find('\n', at_);
      at_ = end == std::string_view::npos ? text_.size() : end;
    } else if (text_.substr(at_, 2) == "/*") {
      size_t end = text_.find("*/", at_ + 2);
      end = end == std::string_view::npos ? text_.size() : end + 2;
      for (; at_ < end; ++at_) line_ += text_[at_] == '\n';
    } else {
      return;
    }
  }
}

Token Lexer::Make(Token::Kind kind, size_t begin) const {
  Token token;
  token.kind = kind;
  token.text = text_.substr(begin, at_ - begin);
  token.line = line_;
  return token;
}

// A word takes in the dots of "ld.global.f32" and "%tid.x" and the colons of "L1::no_allocate",
// but not the colon of a label.
Token Lexer::Word() {
  const size_t begin = at_++;
  while (at_ < text_.size()) {
    const char c = text_[at_];
    const char after = at_ + 1 < text_.size() ? text_[at_ + 1] : ' ';
    if (IsWordPart(c)) {
      ++at_;
    } else if (c == '.' && IsWordPart(after)) {
      at_ += 2;
    } else if (c == ':' && after == ':') {
      at_ += 2;
    } else {
      break;
    }
  }
  return Make(Token::Kind::kWord, begin);
}

Token Lexer::Number() {
  const size_t begin = at_;
  const auto digits_end = [&](size_t from, auto accept) {
    while (from < text_.size() && accept(text_[from])) ++from;
    return from;
  };
  const auto hex = [](char c) { return std::isxdigit(static_cast<unsigned char>(c)) != 0; };
  const auto dec = [](char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; };
  const char* base = text_.data();
  const char mark = at_ + 1 < text_.size() ? text_[at_ + 1] : ' ';
  uint64_t bits = 0;
  const auto parse = [&](size_t from, size_t to, int radix) {
    if (from == to) return false;
    const auto done = std::from_chars(base + from, base + to, bits, radix);
    return done.ec == std::errc() && done.ptr == base + to;
  };
  if (text_[at_] == '0' && (mark == 'f' || mark == 'F' || mark == 'd' || mark == 'D')) {
    const bool single = mark == 'f' || mark == 'F';
    const size_t end = digits_end(at_ + 2, hex);
    const bool ok = end - (at_ + 2) == (single ? 8u : 16u) && parse(at_ + 2, end, 16);
    at_ = end;
    Token token = Make(ok ? Token::Kind::kFloat : Token::Kind::kBad, begin);
    token.single = single;
    // A single stays as its own 32 bits: a NaN's payload must not pass through a double.
    token.integer = static_cast<int64_t>(bits);
    return token;
  }
  int radix = 10;
  size_t from = at_;
  size_t end;
  if (text_[at_] == '0' && (mark == 'x' || mark == 'X')) {
    radix = 16, from = at_ + 2, end = digits_end(from, hex);
  } else if (text_[at_] == '0' && (mark == 'b' || mark == 'B')) {
    radix = 2, from = at_ + 2, end = digits_end(from, dec);
  } else {
    end = digits_end(from, dec);
    const bool real =
        end < text_.size() && (text_[end] == '.' || text_[end] == 'e' || text_[end] == 'E');
    if (real) {
      double value = 0;
      const auto done = std::from_chars(base + at_, base + text_.size(), value);
      const bool ok = done.ec == std::errc() && done.ptr > base + at_;
      at_ = ok ? static_cast<size_t>(done.ptr - base) : end + 1;
      Token token = Make(ok ? Token::Kind::kFloat : Token::Kind::kBad, begin);
      token.integer = std::bit_cast<int64_t>(value);
      return token;
    }
    if (text_[at_] == '0' && end > at_ + 1) radix = 8;
  }
  const bool ok = parse(from, end, radix);
  at_ = end;
  if (at_ < text_.size() && (text_[at_] == 'U' || text_[at_] == 'u')) ++at_;
  Token token = Make(ok ? Token::Kind::kInteger : Token::Kind::kBad, begin);
  token.integer = static_cast<int64_t>(bits);
  return token;
}

Token Lexer::Next() {
  SkipSpace();
  if (at_ >= text_.size()) return Make(Token::Kind::kEnd, at_);
  const char c = text_[at_];
  const char after = at_ + 1 < text_.size() ? text_[at_ + 1] : ' ';
  if (std::isdigit(static_cast<unsigned char>(c))) return Number();
  if (IsWordStart(c)) return Word();
  if (c == '.' && IsWordStart(after)) {
    // ".reg.b16" is two directives.
    const size_t begin = at_++;
    while (at_ < text_.size() && IsWordPart(text_[at_])) ++at_;
    return Make(Token::Kind::kDirective, begin);
  }
  const size_t begin = at_++;
  if (c == '"') {
    while (at_ < text_.size() && text_[at_] != '"' && text_[at_] != '\n') {
      at_ += text_[at_] == '\\' && at_ + 1 < text_.size() ? 2 : 1;
    }
    if (at_ >= text_.size() || text_[at_] != '"') return Make(Token::Kind::kBad, begin);
    ++at_;
    return Make(Token::Kind::kString, begin);
  }
  return Make(Token::Kind::kPunct, begin);
}

std::string_view Lexer::RestOfLine() {
  const size_t end = std::min(text_.find('\n', at_), text_.size());
  const std::string_view rest = text_.substr(at_, end - at_);
  at_ = end;
  return rest;
}

}  // namespace kw::eval::ptx
