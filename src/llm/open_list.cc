#include "open_list.h"

#include <algorithm>
#include <charconv>
#include <functional>
#include <limits>

#include "kw/base/text.h"

namespace kw::llm {
namespace {

constexpr size_t kLookBack = 256;
constexpr size_t kLongestValue = 48;
constexpr size_t kLongestName = 64;

// The characters that change what is known.
constexpr std::array<bool, 256> kMarks = [] {
  std::array<bool, 256> marks{};
  for (const char c : std::string_view("{};,\"'/*\n`")) marks[static_cast<size_t>(c)] = true;
  return marks;
}();

bool IsWordCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// The last character of a text but `skipped` ones; 0 before its begin.
char Last(std::string_view text, size_t skipped = 0) {
  return skipped < text.size() ? text[text.size() - 1 - skipped] : '\0';
}

std::string_view Tail(std::string_view text, size_t size) {
  return text.substr(text.size() - std::min(text.size(), size));
}

std::string_view LastWord(std::string_view text) {
  size_t begin = text.size();
  while (begin > 0 && IsWordCharacter(text[begin - 1])) --begin;
  return text.substr(begin);
}

uint64_t NameHash(std::string_view name) {
  const uint64_t hash = std::hash<std::string_view>{}(name);
  return hash == 0 ? 1 : hash;
}

// 256, 0x100, 1'024, 16u; nothing else.
std::optional<int64_t> ReadNumber(std::string_view text) {
  std::array<char, 24> digits;
  size_t size = 0;
  for (const char c : text) {
    if (c == '\'') continue;
    if (size == digits.size()) return std::nullopt;
    digits[size++] = c;
  }
  while (size > 1 && std::string_view("uUlL").find(digits[size - 1]) != std::string_view::npos) {
    --size;
  }
  const bool hex = size > 2 && digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X');
  int64_t value = 0;
  const char* end = digits.data() + size;
  const auto read = std::from_chars(digits.data() + (hex ? 2 : 0), end, value, hex ? 16 : 10);
  if (read.ec != std::errc() || read.ptr != end || value < 0) return std::nullopt;
  return value;
}

std::optional<int64_t> Times(std::optional<int64_t> a, std::optional<int64_t> b) {
  if (!a || !b) return std::nullopt;
  if (*a != 0 && *b > std::numeric_limits<int64_t>::max() / *a) return std::nullopt;
  return *a * *b;
}

// How many values of a flat list make one element.
std::optional<int64_t> MembersOf(std::string_view type) {
  constexpr auto kScalars = std::to_array<std::string_view>(
      {"float", "double", "half", "bool", "char", "int", "short", "long", "unsigned", "signed",
       "__half", "__nv_bfloat16", "nv_bfloat16", "__nv_fp8_e4m3", "__nv_fp8_e5m2"});
  if (std::find(kScalars.begin(), kScalars.end(), type) != kScalars.end()) return 1;
  if (type.ends_with("_t")) return 1;
  if (!type.empty() && type.back() >= '2' && type.back() <= '4') return type.back() - '0';
  return std::nullopt;
}

bool EndsWithComparison(std::string_view text) {
  return !text.empty() && std::string_view("=!<>+-*/%&|^").find(text.back()) != std::string::npos;
}

}  // namespace

void OpenList::ReadTo(std::string_view text) {
  for (; at_ < text.size(); ++at_) {
    if (kMarks[static_cast<unsigned char>(text[at_])]) ReadMark(text[at_], text.substr(0, at_));
  }
}

void OpenList::ReadMark(char c, std::string_view before) {
  if (c == '`') {
    if (before.ends_with("``")) {
      state_ = State::kCode;
      depth_ = 0;
    }
    return;
  }
  if (c == '\n') return EndLine(before);
  switch (state_) {
    case State::kCode:
      return ReadCode(c, before);
    case State::kLineComment:
      return;
    case State::kBlockComment:
      if (c == '/' && Last(before) == '*') state_ = State::kCode;
      return;
    case State::kString:
    case State::kCharacter: {
      if (c != (state_ == State::kString ? '"' : '\'')) return;
      size_t escapes = 0;
      while (escapes < 16 && Last(before, escapes) == '\\') ++escapes;
      if (escapes % 2 == 0) state_ = State::kCode;
      return;
    }
  }
}

void OpenList::ReadCode(char c, std::string_view before) {
  switch (c) {
    case '"':
      state_ = State::kString;
      break;
    case '\'':  // not that of 1'000, or of "don't"
      if (!IsWordCharacter(Last(before))) state_ = State::kCharacter;
      break;
    case '/':
      if (Last(before) == '/') state_ = State::kLineComment;
      break;
    case '*':
      if (Last(before) == '/') state_ = State::kBlockComment;
      break;
    case '{':
      OpenBrace(before);
      break;
    case '}':
      if (depth_ > 0) {
        --depth_;
      } else {
        DefineByAssignment(before);
      }
      break;
    case ';':
      depth_ = 0;
      DefineByAssignment(before);
      break;
    case ',':
      if (depth_ == 0) DefineByAssignment(before);
      break;
    default:
      break;
  }
}

void OpenList::EndLine(std::string_view before) {
  const std::string_view line = before.substr(line_begin_);
  line_begin_ = before.size() + 1;
  if (state_ == State::kBlockComment) return;
  state_ = State::kCode;
  if (line.size() >= kLookBack || !line.starts_with('#')) return;
  std::string_view text = line.substr(0, std::min(line.find("//"), line.find("/*")));
  text = Trim(text.substr(1));
  if (!text.starts_with("define ")) return;
  text = Trim(text.substr(7));
  const size_t name = std::min(text.find_first_of(" \t("), text.size());
  if (name < text.size() && text[name] != '(') Define(text.substr(0, name), text.substr(name));
}

// `N = 16`, before a `;`, `,` or `}`.
void OpenList::DefineByAssignment(std::string_view before) {
  size_t value = 0;  // characters that can be of a product
  const auto is_value = [](char c) {
    return IsWordCharacter(c) || c == ' ' || c == '*' || c == '(' || c == ')' || c == '\'';
  };
  while (value < kLongestValue && is_value(Last(before, value))) ++value;
  if (value == 0 || Last(before, value) != '=') return;
  const std::string_view number = Tail(before, value);
  before.remove_suffix(value + 1);
  const std::string_view target = Tail(before, kLongestName);
  if (EndsWithComparison(target)) return;
  Define(LastWord(Trim(target)), number);
}

void OpenList::Define(std::string_view name, std::string_view value) {
  if (name.empty() || IsDigit(name[0])) return;
  const uint64_t hash = NameHash(name);
  auto place = std::find_if(constants_.begin(), constants_.end(),
                            [&](const Constant& constant) { return constant.name == hash; });
  const std::optional<int64_t> number = Evaluate(value);
  if (place == constants_.end()) {
    if (!number) return;
    place = constants_.begin() + static_cast<ptrdiff_t>(next_constant_);
    next_constant_ = (next_constant_ + 1) % constants_.size();
  }
  *place = {hash, number};
}

// Numbers and constants, and their products.
std::optional<int64_t> OpenList::Evaluate(std::string_view expression) const {
  std::optional<int64_t> product = 1;
  expression = Trim(expression);
  if (expression.starts_with('(') && expression.ends_with(')')) {
    expression = expression.substr(1, expression.size() - 2);
  }
  while (product) {
    const size_t end = std::min(expression.find('*'), expression.size());
    const std::string_view factor = Trim(expression.substr(0, end));
    if (factor.empty()) return std::nullopt;
    if (IsDigit(factor[0])) {
      product = Times(product, ReadNumber(factor));
    } else {
      const uint64_t hash = NameHash(factor);
      const auto known =
          std::find_if(constants_.begin(), constants_.end(),
                       [&](const Constant& constant) { return constant.name == hash; });
      product = Times(product, known == constants_.end() ? std::nullopt : known->value);
    }
    if (end == expression.size()) break;
    expression.remove_prefix(end + 1);
  }
  return product;
}

void OpenList::OpenBrace(std::string_view before) {
  if (depth_ > 0) {
    ++depth_;
    return;
  }
  const Opening opening = ReadOpening(Trim(Tail(before, kLookBack)));
  if (!opening.is_list) return;
  depth_ = 1;
  begin_ = before.size() + 1;
  bound_ = opening.bound;
}

OpenList::Opening OpenList::ReadOpening(std::string_view before) const {
  if (before.empty()) return {};
  const char last = before.back();
  if (last == ',' || last == '(') return {.is_list = true};
  if (last == '=') {
    before.remove_suffix(1);
    if (EndsWithComparison(before)) return {};
    Opening opening = ReadDeclarator(Trim(before));
    opening.is_list = true;
    return opening;
  }
  if (last == ']') return ReadDeclarator(before);
  const std::string_view word = LastWord(before);
  if (word == "return") return {.is_list = true};
  if (word.empty() && last != '>') return {};
  const Opening opening = ReadDeclarator(before);
  const size_t statement = before.find_last_of(";{}");
  const bool is_vector =
      before.find("vector<", statement == std::string_view::npos ? 0 : statement) !=
      std::string_view::npos;
  return {.is_list = opening.bound.has_value() || is_vector, .bound = opening.bound};
}

// `float t[16][4]`, `std::array<float, 64> t`. A list only where brackets stand behind a name: not
// for those of a lambda.
OpenList::Opening OpenList::ReadDeclarator(std::string_view declarator) const {
  std::optional<int64_t> bound = 1;
  bool has_brackets = false;
  while (declarator.ends_with(']')) {
    const size_t begin = declarator.rfind('[');
    if (begin == std::string_view::npos) return {};
    bound = Times(bound, Evaluate(declarator.substr(begin + 1, declarator.size() - begin - 2)));
    declarator = Trim(declarator.substr(0, begin));
    has_brackets = true;
  }
  if (!has_brackets) {
    const size_t end = declarator.find_last_of(";{}");
    if (end != std::string_view::npos) declarator.remove_prefix(end + 1);
    return {.is_list = false, .bound = ReadStandardArray(declarator)};
  }
  const std::string_view name = LastWord(declarator);
  if (name.empty()) return {};
  std::string_view type = declarator.substr(0, declarator.size() - name.size());
  while (!type.empty() && std::string_view(" \t\n*&").find(type.back()) != std::string::npos) {
    type.remove_suffix(1);
  }
  return {.is_list = true, .bound = Times(bound, MembersOf(LastWord(type)))};
}

// The product of the bounds, those of arrays inside it too.
std::optional<int64_t> OpenList::ReadStandardArray(std::string_view statement) const {
  size_t at = statement.find("array<");
  if (at == std::string_view::npos) return std::nullopt;
  const size_t inner = statement.rfind("array<") + 6;
  const size_t comma = statement.find(',', inner);
  if (comma == std::string_view::npos) return std::nullopt;
  std::optional<int64_t> bound = MembersOf(LastWord(Trim(statement.substr(inner, comma - inner))));
  for (at = comma; bound;) {
    const size_t end = statement.find('>', at);
    if (end == std::string_view::npos) break;
    const size_t begin = statement.rfind(',', end);
    if (begin == std::string_view::npos || begin < at) break;
    bound = Times(bound, Evaluate(statement.substr(begin + 1, end - begin - 1)));
    at = end + 1;
  }
  return bound;
}

}  // namespace kw::llm
