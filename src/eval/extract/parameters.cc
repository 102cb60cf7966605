// A parameter, as far as it is understood:
//
//   parameter = { qualifier } type { "*" | "&" | qualifier } [ name ] { "[" ... "]" } [ "=" ... ]
//   type      = { "unsigned" | "signed" | "long" | "short" | "int" | "char" | ... } | name
//   qualifier = "const" | "volatile" | "__restrict__" | "[[...]]" | ...
#include "parameters.h"

#include <algorithm>
#include <array>

#include "fmt/core.h"

namespace kw::eval {
namespace {

using Kind = Token::Kind;

struct ValueType {
  enum class Class { kUnknown, kFloat, kInteger, kBool, kStream };
  Class kind = Class::kUnknown;
  DType dtype = DType::kFloat32;  // floats
  int bytes = 0;                  // integers
  bool raw_bits = false;          // unsigned and char: also taken to read bits of other types
};

struct ParsedParameter {
  ValueType type;
  int stars = 0;  // an array counts as a pointer
  bool reference = false;
  bool const_pointee = false;
  bool unclear = false;      // function pointers, templates, macros
  bool may_be_many = false;  // a lone unknown word: a macro could hold several parameters
  std::string text;
};

using Class = ValueType::Class;

struct NamedType {
  std::string_view name;
  ValueType type;
};

constexpr auto kNamedTypes = std::to_array<NamedType>({
    {"double", {Class::kFloat, DType::kFloat64}},
    {"float", {Class::kFloat, DType::kFloat32}},
    {"__half", {Class::kFloat, DType::kFloat16}},
    {"half", {Class::kFloat, DType::kFloat16}},
    {"__nv_bfloat16", {Class::kFloat, DType::kBFloat16}},
    {"nv_bfloat16", {Class::kFloat, DType::kBFloat16}},
    {"__nv_fp8_e4m3", {Class::kFloat, DType::kFloat8E4M3}},
    {"__nv_fp8_e5m2", {Class::kFloat, DType::kFloat8E5M2}},
    {"int8_t", {Class::kInteger, DType::kInt8, 1, true}},
    {"uint8_t", {Class::kInteger, DType::kUInt8, 1, true}},
    {"int16_t", {Class::kInteger, DType::kInt16, 2, true}},
    {"uint16_t", {Class::kInteger, DType::kInt16, 2, true}},
    {"int32_t", {Class::kInteger, DType::kInt32, 4, false}},
    {"uint32_t", {Class::kInteger, DType::kInt32, 4, true}},
    {"int64_t", {Class::kInteger, DType::kInt64, 8, false}},
    {"uint64_t", {Class::kInteger, DType::kInt64, 8, true}},
    {"size_t", {Class::kInteger, DType::kInt64, 8, false}},
    {"ptrdiff_t", {Class::kInteger, DType::kInt64, 8, false}},
    {"ssize_t", {Class::kInteger, DType::kInt64, 8, false}},
    {"bool", {Class::kBool, DType::kBool, 1, false}},
    {"cudaStream_t", {Class::kStream}},
    {"CUstream", {Class::kStream}},
});

constexpr auto kQualifiers = std::to_array<std::string_view>(
    {"const", "volatile", "restrict", "__restrict__", "__restrict", "register", "struct", "class",
     "enum", "__grid_constant__", "typename"});

bool IsQualifier(std::string_view word) {
  return std::find(kQualifiers.begin(), kQualifiers.end(), word) != kQualifiers.end();
}
bool IsIntegerWord(std::string_view word) {
  return word == "unsigned" || word == "signed" || word == "long" || word == "short" ||
         word == "int" || word == "char";
}

// The words of a type built in, in any order: "long unsigned int", "long long", "long double".
class IntegerWords {
 public:
  bool Take(std::string_view word) {
    if (!IsIntegerWord(word) && !(word == "double" && longs_ > 0)) return false;
    any_ = true;
    longs_ += word == "long";
    short_ |= word == "short";
    char_ |= word == "char";
    unsigned_ |= word == "unsigned";
    double_ |= word == "double";
    return true;
  }
  bool any() const { return any_; }
  ValueType Type() const {
    if (double_) return {};
    const int bytes = char_ ? 1 : short_ ? 2 : longs_ > 0 ? 8 : 4;
    return {Class::kInteger, DType::kInt64, bytes, unsigned_ || char_ || short_};
  }

 private:
  int longs_ = 0;
  bool any_ = false, short_ = false, char_ = false, unsigned_ = false, double_ = false;
};

ValueType NamedValueType(std::string_view word) {
  for (const NamedType& named : kNamedTypes) {
    if (named.name == word) return named.type;
  }
  return {};
}

std::string Spell(const std::vector<Token>& tokens) {
  std::string text;
  for (const Token& token : tokens) {
    const bool word = token.kind == Kind::kIdentifier || token.kind == Kind::kNumber;
    const char last = text.empty() ? ' ' : text.back();
    if (word && last != ' ' && last != ':' && last != '<' && last != '(') text += ' ';
    text += token.text;
    if (text.size() > 80) return text.substr(0, 80) + "...";
  }
  return text;
}

// Attributes and the parentheses of __attribute__ and alignas are no part of the type.
std::vector<Token> WithoutAttributes(const std::vector<Token>& tokens) {
  std::vector<Token> kept;
  for (size_t i = 0; i < tokens.size(); ++i) {
    const bool attribute = tokens[i].Is("__attribute__") || tokens[i].Is("alignas");
    const bool brackets =
        tokens[i].IsPunctuator('[') && i + 1 < tokens.size() && tokens[i + 1].IsPunctuator('[');
    if (!attribute && !brackets) {
      kept.push_back(tokens[i]);
      continue;
    }
    int depth = 0;
    for (i += attribute ? 1 : 0; i < tokens.size(); ++i) {
      if (tokens[i].IsPunctuator('(') || tokens[i].IsPunctuator('[')) ++depth;
      if (tokens[i].IsPunctuator(')') || tokens[i].IsPunctuator(']')) --depth;
      if (depth <= 0) break;
    }
  }
  return kept;
}

ParsedParameter ParseParameter(const std::vector<Token>& all, const Structure& structure) {
  ParsedParameter parsed;
  parsed.text = Spell(all);
  const std::vector<Token> tokens = WithoutAttributes(all);
  IntegerWords integer;
  int words = 0;
  bool has_type = false, saw_const = false;
  for (const Token& token : tokens) {
    if (token.IsPunctuator('=')) break;
    if (token.kind == Kind::kPunctuator) {
      const char c = token.text[0];
      if (c == '*' && parsed.stars++ == 0) parsed.const_pointee = saw_const;
      if (c == '[' && parsed.stars++ == 0) parsed.const_pointee = saw_const;
      if (c == '&') parsed.reference = true;
      if (c == '(' || c == '<' || c == '.') parsed.unclear = true;
      continue;
    }
    if (token.kind != Kind::kIdentifier) continue;
    if (IsQualifier(token.text)) {
      saw_const |= token.Is("const");
      continue;
    }
    if (token.Is("std")) continue;
    ++words;
    if (structure.macros.contains(token.text)) parsed.unclear = true;
    if (integer.Take(token.text)) {
      has_type = true;
    } else if (!has_type) {
      parsed.type = NamedValueType(token.text);
      has_type = true;
      if (parsed.type.kind == Class::kUnknown && token.text != "void") parsed.unclear = true;
    }
  }
  if (integer.any()) parsed.type = integer.Type();
  // A macro, a macro call or "..." may stand for several.
  const bool call = tokens.size() > 1 && tokens[0].kind == Kind::kIdentifier &&
                    tokens[1].IsPunctuator('(') && parsed.unclear;
  const bool lone_word = parsed.unclear && words == 1 && parsed.stars == 0;
  const bool dots = std::any_of(tokens.begin(), tokens.end(),
                                [](const Token& token) { return token.IsPunctuator('.'); });
  parsed.may_be_many = call || lone_word || dots;
  return parsed;
}

std::vector<ParsedParameter> ParseParameters(const EntryFunction& entry,
                                             const Structure& structure) {
  std::vector<ParsedParameter> parsed;
  std::vector<Token> current;
  int depth = 0, angles = 0;
  for (const Token& token : entry.parameters) {
    if (token.kind == Kind::kPunctuator) {
      const char c = token.text[0];
      if (c == '(' || c == '[' || c == '{') ++depth;
      if (c == ')' || c == ']' || c == '}') --depth;
      if (c == '<') ++angles;
      if (c == '>' && angles > 0) --angles;
      if (c == ',' && depth == 0 && angles == 0) {
        parsed.push_back(ParseParameter(current, structure));
        current.clear();
        continue;
      }
    }
    current.push_back(token);
  }
  const bool none = current.size() == 1 && current[0].Is("void");
  if (!none && (!current.empty() || !parsed.empty())) {
    parsed.push_back(ParseParameter(current, structure));
  }
  // A '<' that was no template's: commas behind it were not seen.
  if (angles != 0 && !parsed.empty()) parsed[0].may_be_many = true;
  return parsed;
}

bool FitsPointee(const ValueType& type, DType dtype) {
  if (type.kind == Class::kUnknown) return true;
  if (type.kind == Class::kStream) return false;
  if (type.raw_bits) return true;
  if (type.kind == Class::kBool) return dtype == DType::kBool || DTypeBytes(dtype) == 1;
  if (type.kind == Class::kFloat) return IsFloat(dtype) && type.dtype == dtype;
  return !IsFloat(dtype) && type.bytes == DTypeBytes(dtype);
}

bool FitsScalar(const ValueType& type, DType dtype) {
  switch (type.kind) {
    case Class::kUnknown:
      return true;
    case Class::kStream:
      return false;
    case Class::kFloat:
      return IsFloat(dtype) &&
             type.dtype == (dtype == DType::kFloat64 ? DType::kFloat64 : DType::kFloat32);
    default:
      return !IsFloat(dtype);
  }
}

bool Fits(const ParsedParameter& given, const Parameter& wanted) {
  using Role = Parameter::Role;
  if (given.unclear) return true;
  switch (wanted.role) {
    case Role::kInput:
      return given.stars == 1 && !given.reference && FitsPointee(given.type, wanted.dtype);
    case Role::kOutput:
      return given.stars == 1 && !given.reference && !given.const_pointee &&
             FitsPointee(given.type, wanted.dtype);
    case Role::kScalar:
    case Role::kAxis:
      return given.stars == 0 && !given.reference && FitsScalar(given.type, wanted.dtype);
    case Role::kStream:
      if (given.reference) return false;
      return given.type.kind == Class::kStream ? given.stars == 0
                                               : given.type.kind == Class::kUnknown;
  }
  return true;
}

std::string_view RoleName(Parameter::Role role) {
  switch (role) {
    case Parameter::Role::kInput:
      return "an input: a pointer to const";
    case Parameter::Role::kScalar:
      return "a scalar, by value";
    case Parameter::Role::kOutput:
      return "an output: a pointer";
    case Parameter::Role::kAxis:
      return "a size, by value";
    case Parameter::Role::kStream:
      return "the stream, by value";
  }
  return "";
}

}  // namespace

std::optional<std::string> ParameterMismatch(const EntryFunction& entry,
                                             const std::vector<Parameter>& expected,
                                             const Structure& structure) {
  if (entry.parameters_unsure) return std::nullopt;
  const std::vector<ParsedParameter> given = ParseParameters(entry, structure);
  const bool many = std::any_of(given.begin(), given.end(),
                                [](const ParsedParameter& one) { return one.may_be_many; });
  if (many) return std::nullopt;
  if (given.size() != expected.size()) {
    return fmt::format("`run` has {} parameter{}, the task gives {}", given.size(),
                       given.size() == 1 ? "" : "s", expected.size());
  }
  for (size_t i = 0; i < given.size(); ++i) {
    if (Fits(given[i], expected[i])) continue;
    return fmt::format("parameter {} of `run` is `{}`, where the task gives `{} {}` ({})", i + 1,
                       given[i].text, expected[i].type, expected[i].name,
                       RoleName(expected[i].role));
  }
  return std::nullopt;
}

}  // namespace kw::eval
