// Expressions over axes: a subset of Python's, evaluated while they are parsed.
//
//   expression = conjunction { "or" conjunction }
//   conjunction = negation { "and" negation }
//   negation   = "not" negation | comparison
//   comparison = sum { ("<" | "<=" | ">" | ">=" | "==" | "!=") sum }      chained, as in Python
//   sum        = term { ("+" | "-") term }
//   term       = factor { ("*" | "/" | "//" | "%") factor }
//   factor     = ("+" | "-") factor | power
//   power      = atom [ "**" factor ]
//   atom       = number | "True" | "False" | axis | "(" expression ")"
//              | ("min" | "max") "(" expression { "," expression } ")"
//
// What Python would not evaluate (the right side of "False and ...") is parsed only: it may
// divide by zero, but it may not name what does not exist.
#include <charconv>
#include <cmath>
#include <functional>
#include <optional>
#include <set>

#include "fmt/core.h"
#include "kw/base/text.h"
#include "parse.h"

namespace kw::eval {
namespace {

constexpr int kMaxDepth = 64;
constexpr size_t kMaxLength = 4096;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsNameStart(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool IsNamePart(char c) { return IsNameStart(c) || IsDigit(c); }

// The size of a name: nothing for an unknown one, 0 where only the syntax is asked for.
using Lookup = std::function<std::optional<double>(std::string_view)>;
// The known names, for a message.
using Names = std::function<std::vector<std::string>()>;

class Evaluator {
 public:
  Evaluator(std::string_view text, const Lookup& lookup, const Names& names, bool live)
      : text_(text), lookup_(lookup), names_(names), live_(live) {}

  Result<double> Run() {
    if (text_.size() > kMaxLength) {
      return Fail(ErrorCode::kLimit, fmt::format("an expression of {} characters; at most {}",
                                                 text_.size(), kMaxLength));
    }
    KW_ASSIGN(double value, Expression());
    SkipSpace();
    if (at_ < text_.size()) return Unexpected("an operator");
    if (live_ && !std::isfinite(value)) return Error("the result is not finite");
    return value;
  }

 private:
  struct Nesting {
    explicit Nesting(int& depth) : depth(depth) { ++depth; }
    ~Nesting() { --depth; }
    int& depth;
  };

  tl::unexpected<kw::Error> Error(std::string_view what,
                                  ErrorCode code = ErrorCode::kInvalid) const {
    return Fail(code, fmt::format("'{}': {}", Shorten(text_, 200), what));
  }
  tl::unexpected<kw::Error> Unexpected(std::string_view wanted) const {
    if (at_ >= text_.size()) {
      return Error(fmt::format("expected {} at the end", wanted), ErrorCode::kParse);
    }
    return Error(fmt::format("expected {} at column {}, found '{}'", wanted, at_ + 1,
                             ToValidUtf8(text_.substr(at_, 1))),
                 ErrorCode::kParse);
  }

  void SkipSpace() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t')) ++at_;
  }
  bool Take(std::string_view token) {
    SkipSpace();
    if (text_.substr(at_, token.size()) != token) return false;
    at_ += token.size();
    return true;
  }
  bool TakeWord(std::string_view word) {
    SkipSpace();
    if (text_.substr(at_, word.size()) != word) return false;
    if (at_ + word.size() < text_.size() && IsNamePart(text_[at_ + word.size()])) return false;
    at_ += word.size();
    return true;
  }

  Result<double> Expression() {
    const Nesting nesting(depth_);
    if (depth_ > kMaxDepth) return Error("nested too deeply", ErrorCode::kLimit);
    const bool was_live = live_;
    KW_ASSIGN(double value, Conjunction());
    while (TakeWord("or")) {
      live_ = live_ && value == 0;
      KW_ASSIGN(const double right, Conjunction());
      if (live_) value = right;
    }
    live_ = was_live;
    return value;
  }

  Result<double> Conjunction() {
    const bool was_live = live_;
    KW_ASSIGN(double value, Negation());
    while (TakeWord("and")) {
      live_ = live_ && value != 0;
      KW_ASSIGN(const double right, Negation());
      if (live_) value = right;
    }
    live_ = was_live;
    return value;
  }

  Result<double> Negation() {
    bool negated = false, any = false;
    while (TakeWord("not")) {
      negated = !negated;
      any = true;
    }
    KW_ASSIGN(const double value, Comparison());
    if (!any) return value;
    return static_cast<double>((value != 0) != negated);
  }

  Result<double> Comparison() {
    KW_ASSIGN(double left, Sum());
    bool any = false, holds = true;
    while (true) {
      SkipSpace();
      std::string_view op;
      for (std::string_view candidate : {"<=", ">=", "==", "!=", "<", ">"}) {
        if (Take(candidate)) {
          op = candidate;
          break;
        }
      }
      if (op.empty()) break;
      KW_ASSIGN(const double right, Sum());
      any = true;
      holds = holds && Compare(left, op, right);
      left = right;
    }
    return any ? static_cast<double>(holds) : left;
  }

  static bool Compare(double left, std::string_view op, double right) {
    if (op == "<=") return left <= right;
    if (op == ">=") return left >= right;
    if (op == "==") return left == right;
    if (op == "!=") return left != right;
    return op == "<" ? left < right : left > right;
  }

  Result<double> Sum() {
    KW_ASSIGN(double value, Term());
    while (true) {
      if (Take("+")) {
        KW_ASSIGN(const double right, Term());
        value += right;
      } else if (Take("-")) {
        KW_ASSIGN(const double right, Term());
        value -= right;
      } else {
        return value;
      }
    }
  }

  Result<double> Term() {
    KW_ASSIGN(double value, Factor());
    while (true) {
      if (Take("//")) {
        KW_ASSIGN(const double right, Divisor());
        value = std::floor(value / right);
      } else if (Take("/")) {
        KW_ASSIGN(const double right, Divisor());
        value /= right;
      } else if (Take("%")) {
        KW_ASSIGN(const double right, Divisor());
        const double remainder = std::fmod(value, right);
        value = remainder != 0 && (remainder < 0) != (right < 0) ? remainder + right : remainder;
      } else if (Take("*")) {
        KW_ASSIGN(const double right, Factor());
        value *= right;
      } else {
        return value;
      }
    }
  }

  Result<double> Divisor() {
    KW_ASSIGN(const double value, Factor());
    if (value != 0) return value;
    if (live_) return Error("division by zero");
    return 1.0;
  }

  Result<double> Factor() {
    bool negative = false;
    while (true) {
      if (Take("-")) {
        negative = !negative;
      } else if (!Take("+")) {
        break;
      }
    }
    KW_ASSIGN(const double value, Power());
    return negative ? -value : value;
  }

  Result<double> Power() {
    const Nesting nesting(depth_);
    if (depth_ > kMaxDepth) return Error("nested too deeply", ErrorCode::kLimit);
    KW_ASSIGN(const double base, Atom());
    if (!Take("**")) return base;
    KW_ASSIGN(const double exponent, Factor());
    const double value = std::pow(base, exponent);
    if (live_ && !std::isfinite(value)) return Error("a power that is not finite");
    return value;
  }

  Result<double> Atom() {
    SkipSpace();
    if (at_ >= text_.size()) return Unexpected("a number, an axis or '('");
    const char c = text_[at_];
    if (IsDigit(c) || c == '.') return Number();
    if (IsNameStart(c)) return Name();
    if (!Take("(")) return Unexpected("a number, an axis or '('");
    KW_ASSIGN(const double value, Expression());
    if (!Take(")")) return Unexpected("')'");
    return value;
  }

  Result<double> Number() {
    double value = 0;
    const char* const begin = text_.data() + at_;
    const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), value);
    if (error != std::errc() || !std::isfinite(value)) return Unexpected("a number");
    at_ += static_cast<size_t>(end - begin);
    if (at_ < text_.size() && (IsNamePart(text_[at_]) || text_[at_] == '.')) {
      return Unexpected("an operator after the number");
    }
    return value;
  }

  Result<double> Name() {
    const size_t begin = at_;
    while (at_ < text_.size() && IsNamePart(text_[at_])) ++at_;
    const std::string_view name = text_.substr(begin, at_ - begin);
    if (name == "True") return 1.0;
    if (name == "False") return 0.0;
    if (name == "min" || name == "max") {
      if (Take("(")) return Extreme(name == "min");
    }
    if (const std::optional<double> value = lookup_(name)) return *value;
    return Error(UnknownName("axis", name, names_()));
  }

  Result<double> Extreme(bool smallest) {
    KW_ASSIGN(double value, Expression());
    while (Take(",")) {
      KW_ASSIGN(const double next, Expression());
      value = smallest ? std::min(value, next) : std::max(value, next);
    }
    if (!Take(")")) return Unexpected("')'");
    return value;
  }

  std::string_view text_;
  const Lookup& lookup_;
  const Names& names_;
  bool live_;
  size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace

Result<double> EvaluateExpression(std::string_view expression,
                                  const std::map<std::string, int64_t>& axes) {
  const Names names = [&] {
    std::vector<std::string> all;
    for (const auto& [name, size] : axes) all.push_back(name);
    return all;
  };
  const Lookup lookup = [&](std::string_view name) -> std::optional<double> {
    const auto found = axes.find(std::string(name));
    if (found == axes.end()) return std::nullopt;
    return static_cast<double>(found->second);
  };
  return Evaluator(expression, lookup, names, /*live=*/true).Run();
}

Result<void> CheckExpression(std::string_view expression, const std::vector<std::string>& names) {
  const std::set<std::string, std::less<>> known(names.begin(), names.end());
  const Lookup lookup = [&](std::string_view name) -> std::optional<double> {
    if (!known.contains(name)) return std::nullopt;
    return 1.0;
  };
  KW_TRY(Evaluator(
             expression, lookup, [&] { return names; }, /*live=*/false)
             .Run());
  return {};
}

Result<bool> SatisfiesConstraints(const Task& task, const std::map<std::string, int64_t>& axes) {
  for (const std::string& constraint : task.constraints) {
    if (IsValueConstraint(task, constraint)) continue;
    KW_ASSIGN(const double value, EvaluateExpression(constraint, axes));
    if (value == 0) return false;
  }
  return true;
}

bool IsValueConstraint(const Task& task, std::string_view constraint) {
  for (size_t at = 0; at < constraint.size();) {
    if (!IsNameStart(constraint[at])) {
      ++at;
      continue;
    }
    const size_t begin = at;
    while (at < constraint.size() && IsNamePart(constraint[at])) ++at;
    const std::string_view name = constraint.substr(begin, at - begin);
    if (task.FindAxis(name) != nullptr) continue;
    for (const Tensor& input : task.inputs) {
      if (input.name == name) return true;
    }
  }
  return false;
}

}  // namespace kw::eval
