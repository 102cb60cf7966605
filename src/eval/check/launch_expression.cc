#include "launch_expression.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

#include "kw/base/text.h"

namespace kw::eval {
namespace {

using Contents = LaunchArgument::Contents;

constexpr LaunchType kTypes[] = {
    {"f16", "__half", "cuda_fp16.h", 2, true, true},
    {"bf16", "__nv_bfloat16", "cuda_bf16.h", 2, true, true},
    {"f32", "float", "", 4, true, true},
    {"f64", "double", "", 8, true, true},
    {"i8", "int8_t", "", 1, false, true},
    {"i16", "int16_t", "", 2, false, true},
    {"i32", "int32_t", "", 4, false, true},
    {"i64", "int64_t", "", 8, false, true},
    {"u8", "uint8_t", "", 1, false, false},
    {"u16", "uint16_t", "", 2, false, false},
    {"u32", "uint32_t", "", 4, false, false},
    {"u64", "uint64_t", "", 8, false, false},
    {"bool", "bool", "", 1, false, false},
};

constexpr size_t kMaxText = 4096;
constexpr size_t kMaxArguments = 64;
constexpr uint64_t kMaxBytes = 1ULL << 32;  // of one buffer

bool IsName(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<LaunchExpression> Parse() {
    LaunchExpression launch;
    KW_ASSIGN(launch.kernel, Kernel());
    KW_TRY(Take("<<<", "the launch configuration, <<<grid, block>>>"));
    KW_ASSIGN(launch.grid, Dimensions("the grid"));
    KW_TRY(Take(",", "',' and the block behind the grid"));
    KW_ASSIGN(launch.block, Dimensions("the block"));
    if (Skip(",")) {
      KW_ASSIGN(const uint64_t shared, Number("the bytes of dynamic shared memory", UINT32_MAX));
      launch.dynamic_shared = static_cast<uint32_t>(shared);
    }
    KW_TRY(Take(">>>", "'>>>' behind the launch configuration"));
    KW_TRY(Take("(", "'(' and the arguments"));
    if (!Skip(")")) {
      do {
        if (launch.arguments.size() == kMaxArguments) {
          return Wrong(at_, fmt::format("more than {} arguments", kMaxArguments));
        }
        KW_ASSIGN(LaunchArgument argument, Argument());
        launch.arguments.push_back(argument);
      } while (Skip(","));
      KW_TRY(Take(")", "',' or ')' behind an argument"));
    }
    if (!AtEnd()) return Expected("nothing more behind the launch");
    return launch;
  }

 private:
  tl::unexpected<Error> Wrong(size_t at, const std::string& what) const {
    return Fail(ErrorCode::kParse, fmt::format("a launch, column {}: {}\n  {}\n  {}^", at + 1, what,
                                               text_, std::string(at, ' ')));
  }
  tl::unexpected<Error> Expected(const std::string& what) {
    SkipSpace();
    const std::string found =
        at_ == text_.size() ? "the end" : fmt::format("'{}'", text_.substr(at_, WordBytes()));
    return Wrong(at_, fmt::format("expected {}, found {}", what, found));
  }
  size_t WordBytes() const {
    size_t bytes = 0;
    while (at_ + bytes < text_.size() && IsName(text_[at_ + bytes])) ++bytes;
    return std::max<size_t>(1, bytes);
  }

  void SkipSpace() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }
  bool AtEnd() {
    SkipSpace();
    return at_ == text_.size();
  }
  bool Looking(std::string_view token) {
    SkipSpace();
    return text_.substr(at_).starts_with(token);
  }
  bool Skip(std::string_view token) {
    if (!Looking(token)) return false;
    at_ += token.size();
    return true;
  }
  Result<void> Take(std::string_view token, const std::string& what) {
    if (Skip(token)) return {};
    return Expected(what);
  }
  // A word of letters, digits and '_' that stands here, or "".
  std::string_view Word() {
    SkipSpace();
    const size_t start = at_;
    while (at_ < text_.size() && IsName(text_[at_])) ++at_;
    return text_.substr(start, at_ - start);
  }

  Result<std::string> Kernel() {
    std::string kernel;
    do {
      SkipSpace();
      if (at_ == text_.size() || !IsName(text_[at_]) || IsDigit(text_[at_])) {
        return Expected("the name of a kernel");
      }
      kernel += kernel.empty() ? "" : "::";
      kernel += Word();
    } while (Skip("::"));
    if (Looking("<") && !Looking("<<<")) {
      KW_ASSIGN(const std::string arguments, TemplateArguments());
      kernel += arguments;
    }
    return kernel;
  }

  // "<float, 4>" as it stands: the compiler reads it.
  Result<std::string> TemplateArguments() {
    const size_t start = at_;
    int depth = 0;
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == '<') ++depth;
      if (c == '>' && --depth == 0) return std::string(text_.substr(start, ++at_ - start));
      if (!IsName(c) && std::string_view("<>,:*& -").find(c) == std::string_view::npos) break;
    }
    return Expected("'>' behind the template arguments");
  }

  Result<uint64_t> Number(const std::string& what, uint64_t most) {
    SkipSpace();
    const size_t start = at_;
    uint64_t product = 1;
    do {
      SkipSpace();
      uint64_t factor = 0;
      const auto [end, error] =
          std::from_chars(text_.data() + at_, text_.data() + text_.size(), factor);
      if (error == std::errc::invalid_argument) return Expected(what + ", a whole number");
      at_ = static_cast<size_t>(end - text_.data());
      if (error != std::errc() || __builtin_mul_overflow(product, factor, &product) ||
          product > most) {
        return Wrong(start, fmt::format("{} is more than {}", what, most));
      }
      if (at_ < text_.size() && IsName(text_[at_])) return Expected(what + ", a whole number");
    } while (Skip("*"));
    return product;
  }

  Result<Dim3> Dimensions(const std::string& what) {
    Dim3 dims;
    const bool named = Skip("dim3");
    if (!Skip("(")) {
      if (named) return Expected("'(' behind dim3");
      KW_ASSIGN(const uint64_t x, Number(what, UINT32_MAX));
      dims.x = static_cast<uint32_t>(x);
      return dims;
    }
    uint32_t* const members[] = {&dims.x, &dims.y, &dims.z};
    for (size_t i = 0; i < 3; ++i) {
      KW_ASSIGN(const uint64_t size, Number(what, UINT32_MAX));
      *members[i] = static_cast<uint32_t>(size);
      if (!Skip(",")) break;
      if (i == 2) return Wrong(at_, what + " has at most three dimensions");
    }
    KW_TRY(Take(")", "')' behind the dimensions of " + what));
    return dims;
  }

  Result<const LaunchType*> Type() {
    SkipSpace();
    const size_t start = at_;
    const std::string_view word = Word();
    for (const LaunchType& type : kTypes) {
      if (type.name == word) return &type;
    }
    std::vector<std::string> names;
    for (const LaunchType& type : kTypes) names.emplace_back(type.name);
    at_ = start;
    if (word.empty()) return Expected("an argument: " + Join(names, ", "));
    return Wrong(start, UnknownName("type", word, names));
  }

  Result<LaunchArgument> Argument() {
    LaunchArgument argument;
    SkipSpace();
    const size_t start = at_;
    const bool out = Word() == "out";
    if (!out) at_ = start;
    KW_ASSIGN(argument.type, Type());
    if (!Skip("[")) {
      if (out) return Expected("'[': what is out is a buffer");
      KW_TRY(Value(&argument));
      return argument;
    }
    const size_t at = at_;
    const auto each = static_cast<uint64_t>(argument.type->bytes);
    KW_ASSIGN(argument.count, Number("the number of elements", kMaxBytes / each));
    if (argument.count == 0) return Wrong(at, "a buffer needs at least one element");
    KW_TRY(Take("]", "']' behind the number of elements"));
    argument.contents = out ? Contents::kUninitialised : Contents::kRandom;
    SkipSpace();
    const size_t equals = at_;
    if (Skip("=")) {
      if (out) return Wrong(equals, "what is out is not initialised: leave out one of the two");
      argument.contents = Contents::kFilled;
      KW_TRY(Value(&argument));
    }
    return argument;
  }

  Result<void> Value(LaunchArgument* argument) {
    SkipSpace();
    const size_t start = at_;
    while (at_ < text_.size() &&
           (IsName(text_[at_]) || std::string_view("+-.").find(text_[at_]) != text_.npos)) {
      ++at_;
    }
    std::string_view word = text_.substr(start, at_ - start);
    if (word.empty()) {
      return Expected(fmt::format("a value of {}, or [elements]", argument->type->name));
    }
    if (word == "true") word = "1";
    if (word == "false") word = "0";
    if (argument->type->real ? TakeReal(word, argument) : TakeInteger(word, argument)) return {};
    return Wrong(start, fmt::format("'{}' is no value of {}", word, argument->type->name));
  }

  static bool TakeReal(std::string_view word, LaunchArgument* argument) {
    if (word.starts_with("+")) word.remove_prefix(1);
    const char* const end = word.data() + word.size();
    const auto read = std::from_chars(word.data(), end, argument->real);
    return read.ec == std::errc() && read.ptr == end;
  }

  static bool TakeInteger(std::string_view word, LaunchArgument* argument) {
    const int bits = argument->type->name == "bool" ? 1 : 8 * argument->type->bytes;
    const char* const end = word.data() + word.size();
    if (!argument->type->is_signed) {
      const auto read = std::from_chars(word.data(), end, argument->integer);
      return read.ec == std::errc() && read.ptr == end &&
             (bits == 64 || argument->integer >> bits == 0);
    }
    int64_t value = 0;
    const auto read = std::from_chars(word.data(), end, value);
    const int64_t most = std::numeric_limits<int64_t>::max() >> (64 - bits);
    argument->integer = static_cast<uint64_t>(value);
    return read.ec == std::errc() && read.ptr == end && value <= most && value >= -most - 1;
  }

  std::string_view text_;
  size_t at_ = 0;
};

std::string FormatValue(const LaunchArgument& argument) {
  if (argument.type->real) return fmt::format("{}", argument.real);
  if (argument.type->is_signed) return fmt::format("{}", static_cast<int64_t>(argument.integer));
  return fmt::format("{}", argument.integer);
}

}  // namespace

Result<LaunchExpression> ParseLaunch(std::string_view text) {
  if (text.size() > kMaxText) {
    return Fail(ErrorCode::kParse, fmt::format("a launch has at most {} characters", kMaxText));
  }
  const auto unprintable =
      std::find_if(text.begin(), text.end(), [](char c) { return c < 0x20 || c > 0x7e; });
  if (unprintable != text.end()) {
    return Fail(ErrorCode::kParse, fmt::format("a launch, column {}: no printable character",
                                               unprintable - text.begin() + 1));
  }
  return Parser(text).Parse();
}

std::string FormatArgument(const LaunchArgument& argument) {
  const std::string_view type = argument.type->name;
  switch (argument.contents) {
    case Contents::kScalar:
      return fmt::format("{} {}", type, FormatValue(argument));
    case Contents::kRandom:
      return fmt::format("{}[{}]", type, argument.count);
    case Contents::kFilled:
      return fmt::format("{}[{}]={}", type, argument.count, FormatValue(argument));
    case Contents::kUninitialised:
      return fmt::format("out {}[{}]", type, argument.count);
  }
  return "";
}

std::string FormatLaunch(const LaunchExpression& launch) {
  const auto dims = [](const Dim3& d) { return fmt::format("({}, {}, {})", d.x, d.y, d.z); };
  std::vector<std::string> arguments;
  for (const LaunchArgument& argument : launch.arguments) {
    arguments.push_back(FormatArgument(argument));
  }
  return fmt::format("{}<<<{}, {}, {}>>>({})", launch.kernel, dims(launch.grid), dims(launch.block),
                     launch.dynamic_shared, Join(arguments, ", "));
}

}  // namespace kw::eval
