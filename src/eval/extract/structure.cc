#include "structure.h"

#include <array>

#include "fmt/core.h"
#include "kw/base/text.h"

namespace kw::eval {
namespace {

using Kind = Token::Kind;

constexpr int kNone = -1;
constexpr size_t kMaxDeclarationTokens = 1 << 16;
constexpr size_t kMaxBrackets = 1 << 22;

// An open bracket. Never changed, nor freed while a conditional is open, so that a state of the
// stack is one index and a conditional can go back to it at no cost.
struct Bracket {
  char open = 0;
  bool opaque = false;  // inside a body, a class or an initialiser
  bool in_namespace = false;
  bool in_c_block = false;
  bool is_scope = false;  // a brace that declarations stand in
  int line = 0;
  int parent = kNone;
};

struct Conditional {
  enum class State { kSkipped, kTaken, kUnknown };  // so far: "#if 0", "#if 1", anything else
  State state = State::kUnknown;
  int top_before = kNone;
  int first_end = kNone;  // the brackets where its first branch ended
  bool has_first_end = false;
  bool has_else = false;
};

enum class Truth { kFalse, kTrue, kUnknown };

std::string_view WithoutComment(std::string_view body) {
  return Trim(body.substr(0, std::min(body.find("//"), body.find("/*"))));
}

Truth ConditionOf(std::string_view directive) {
  const std::string_view name = DirectiveName(directive);
  if (name != "if" && name != "elif") return Truth::kUnknown;
  const std::string_view body = WithoutComment(DirectiveBody(directive));
  if (body == "0" || body == "(0)" || body == "false") return Truth::kFalse;
  if (body == "1" || body == "(1)" || body == "true") return Truth::kTrue;
  return Truth::kUnknown;
}

char OpenOf(char close) { return close == ')' ? '(' : close == ']' ? '[' : '{'; }
char CloseOf(char open) { return open == '(' ? ')' : open == '[' ? ']' : '}'; }

class Reader {
 public:
  explicit Reader(std::string_view source) : lexer_(source) {}

  Structure Read() {
    const Token* token = &lexer_.Next();
    while (token->kind != Kind::kEnd && !stopped_) {
      // A skipped group ends at a directive that is itself to be handled.
      token = &(token->kind == Kind::kDirective ? HandleDirective(*token) : Handle(*token));
    }
    if (!stopped_) Finish();
    if (lexer_.saw_digraph()) structure_.unsure = true;
    if (structure_.unsure) structure_.fault.reset();
    return std::move(structure_);
  }

 private:
  const Bracket& Top() const { return top_ == kNone ? outside_ : brackets_[top_]; }
  bool InDoubt() const {
    return macro_brackets_ || conditional_brackets_ || unknown_conditionals_ > 0;
  }

  void Fail(StructureFault::Kind kind, int line, std::string message) {
    structure_.fault = StructureFault{kind, line, std::move(message)};
    stopped_ = true;
  }

  const Token& Handle(const Token& token) {
    if (token.kind == Kind::kUnterminated) {
      Unterminated(token);
      return token;
    }
    if (token.kind == Kind::kIdentifier) NoteIdentifier(token);
    const char c = token.kind == Kind::kPunctuator ? token.text[0] : '\0';
    if (c == '(' || c == '[' || c == '{') {
      Open(c, token);
    } else if (c == ')' || c == ']' || c == '}') {
      Close(c, token);
    } else if (c == ';' && Top().is_scope) {
      EndDeclaration(/*defined=*/false);
    } else {
      Keep(token);
    }
    previous_is_type_ = token.kind == Kind::kIdentifier && token.text != "return" &&
                        token.text != "else" && token.text != "new";
    return lexer_.Next();
  }

  void Unterminated(const Token& token) {
    const char c = token.text[0];
    const bool comment = c == '/';
    // Text that a condition leaves out may hold a lone quote; it may not hold an open comment.
    if (!comment && unknown_conditionals_ > 0) {
      structure_.unsure = true;
      stopped_ = true;
      return;
    }
    const bool character = token.text.find('\'') < token.text.find('"');
    const bool raw = !comment && token.text.find("R\"") < 3;
    Fail(StructureFault::Kind::kUnterminated, token.line,
         comment     ? "the comment /* is never closed by */"
         : character ? "the character literal ' is never closed"
         : raw       ? "the raw string R\"( is never closed"
                     : "the string literal \" is not closed on its line");
  }

  void NoteIdentifier(const Token& token) {
    if (token.text == "__global__") structure_.has_kernel = true;
    if (token.text == "__global__" || token.text == "extern") NoteFunctionInside(token);
    if (token.text != "run" || !Top().opaque) return;
    if (previous_is_type_ && structure_.nested_run == 0) structure_.nested_run = token.line;
  }

  // A function that begins inside a brace: that brace's partner is most likely missing before it.
  void NoteFunctionInside(const Token& token) {
    if (Top().opaque && function_inside_ == 0) function_inside_ = token.line;
  }

  void Keep(const Token& token) {
    if (Top().opaque) return;
    if (declaration_.size() < kMaxDeclarationTokens) {
      declaration_.push_back(token);
    } else {
      declaration_conditional_ = true;  // more than anyone declares: its rest is not known
    }
  }

  void Open(char c, const Token& token) {
    Bracket bracket = Top();
    const bool at_scope = Top().is_scope;
    bracket.open = c;
    bracket.line = token.line;
    bracket.parent = top_;
    bracket.is_scope = false;
    if (c == '{' && at_scope) {
      OpenScope(bracket);
    } else if (c == '{') {
      bracket.opaque = true;
    } else {
      Keep(token);
    }
    if (brackets_.size() == kMaxBrackets) {
      structure_.unsure = true;
      stopped_ = true;
      return;
    }
    brackets_.push_back(bracket);
    top_ = static_cast<int>(brackets_.size()) - 1;
  }

  // A brace where declarations stand: a namespace, extern "C" { }, or the body of something.
  void OpenScope(Bracket& bracket) {
    bool names_namespace = false;
    for (const Token& token : declaration_) {
      if (token.kind == Kind::kIdentifier && token.text == "namespace") names_namespace = true;
      if (token.IsPunctuator('(')) break;
    }
    const size_t count = declaration_.size();
    const bool linkage = count >= 2 && declaration_[count - 2].Is("extern") &&
                         declaration_[count - 1].kind == Kind::kString;
    if (linkage || names_namespace) {
      bracket.is_scope = true;
      if (linkage) bracket.in_c_block = declaration_[count - 1].text == "\"C\"";
      if (names_namespace) bracket.in_namespace = true;
      ClearDeclaration();
    } else {
      EndDeclaration(/*defined=*/true);
      bracket.opaque = true;
    }
  }

  void Close(char c, const Token& token) {
    if (top_ == kNone) {
      if (InDoubt()) {
        structure_.unsure = true;
        return;
      }
      Fail(StructureFault::Kind::kUnbalanced, token.line,
           fmt::format("'{}' closes nothing: there is one too many, or its '{}' is missing", c,
                       OpenOf(c)));
      return;
    }
    const Bracket& open = brackets_[top_];
    if (open.open != OpenOf(c)) {
      if (InDoubt()) {
        structure_.unsure = true;
        return;
      }
      Fail(StructureFault::Kind::kUnbalanced, token.line,
           fmt::format("'{}' meets the '{}' of line {}, which is not closed yet", c, open.open,
                       open.line));
      return;
    }
    const bool is_last = top_ == static_cast<int>(brackets_.size()) - 1;
    top_ = open.parent;
    // While a conditional is open, its branches may come back to this bracket.
    if (is_last && conditionals_.empty()) brackets_.pop_back();
    if (c != '}') {
      Keep(token);
    } else if (Top().is_scope) {
      ClearDeclaration();
    }
  }

  void EndDeclaration(bool defined) {
    if (!declaration_.empty()) {
      ReadDeclaration(declaration_,
                      {.defined = defined,
                       .in_namespace = Top().in_namespace,
                       .in_c_block = Top().in_c_block,
                       .conditional = declaration_conditional_},
                      structure_);
    }
    ClearDeclaration();
  }
  void ClearDeclaration() {
    declaration_.clear();
    declaration_conditional_ = false;
  }

  const Token& HandleDirective(const Token& token) {
    const std::string_view name = DirectiveName(token.text);
    if (name == "if" || name == "ifdef" || name == "ifndef") return BeginConditional(token);
    if (name.starts_with("el")) return NextBranch(token);
    if (name == "endif") {
      EndConditional();
    } else if (name == "define") {
      Define(DirectiveBody(token.text));
    }
    return lexer_.Next();
  }

  const Token& BeginConditional(const Token& token) {
    using State = Conditional::State;
    const Truth truth = ConditionOf(token.text);
    conditionals_.push_back({.state = truth == Truth::kFalse  ? State::kSkipped
                                      : truth == Truth::kTrue ? State::kTaken
                                                              : State::kUnknown,
                             .top_before = top_});
    if (truth == Truth::kFalse) return lexer_.SkipGroup();
    if (truth == Truth::kUnknown) ++unknown_conditionals_;
    NoteConditionalDeclaration();
    return lexer_.Next();
  }

  void NoteConditionalDeclaration() {
    if (declaration_.empty()) return;
    if (conditionals_.back().state == Conditional::State::kUnknown) declaration_conditional_ = true;
  }

  const Token& NextBranch(const Token& token) {
    if (conditionals_.empty()) return lexer_.Next();
    Conditional& conditional = conditionals_.back();
    const bool is_else = DirectiveName(token.text) == "else";
    if (conditional.state == Conditional::State::kTaken) return lexer_.SkipGroup();
    if (conditional.state == Conditional::State::kSkipped) {
      const Truth truth = is_else ? Truth::kTrue : ConditionOf(token.text);
      if (truth == Truth::kFalse) return lexer_.SkipGroup();
      conditional.state =
          truth == Truth::kTrue ? Conditional::State::kTaken : Conditional::State::kUnknown;
      if (truth == Truth::kUnknown) ++unknown_conditionals_;
      return lexer_.Next();
    }
    NoteConditionalDeclaration();
    EndBranch(conditional);
    conditional.has_else = is_else;
    top_ = conditional.top_before;
    return lexer_.Next();
  }

  void EndBranch(Conditional& conditional) {
    if (!conditional.has_first_end) {
      conditional.first_end = top_;
      conditional.has_first_end = true;
    } else if (!SameShape(top_, conditional.first_end)) {
      structure_.unsure = true;
    }
  }

  void EndConditional() {
    if (conditionals_.empty()) return;
    Conditional& conditional = conditionals_.back();
    NoteConditionalDeclaration();
    if (conditional.state == Conditional::State::kUnknown) {
      --unknown_conditionals_;
      EndBranch(conditional);
      if (!conditional.has_else && !SameShape(conditional.first_end, conditional.top_before)) {
        conditional_brackets_ = true;
      }
      top_ = conditional.first_end;
    }
    conditionals_.pop_back();
  }

  bool SameShape(int a, int b) const {
    while (a != b) {
      if (a == kNone || b == kNone || brackets_[a].open != brackets_[b].open) return false;
      a = brackets_[a].parent;
      b = brackets_[b].parent;
    }
    return true;
  }

  void Define(std::string_view body) {
    Lexer lexer(body);
    const Token name = lexer.Next();
    if (name.kind != Kind::kIdentifier) return;
    structure_.macros.emplace(name.text);
    std::array<int, 3> open{};
    for (Token token = lexer.Next(); token.kind != Kind::kEnd && token.kind != Kind::kUnterminated;
         token = lexer.Next()) {
      if (token.kind == Kind::kIdentifier) {
        if (token.text == "run") structure_.macro_makes_run = true;
        if (token.text == "__global__") structure_.has_kernel = true;
      }
      if (token.kind != Kind::kPunctuator) continue;
      constexpr std::string_view kOpening = "([{", kClosing = ")]}";
      if (const size_t i = kOpening.find(token.text[0]); i != std::string_view::npos) ++open[i];
      if (const size_t i = kClosing.find(token.text[0]); i != std::string_view::npos) --open[i];
    }
    if (open != std::array<int, 3>{}) macro_brackets_ = true;
  }

  void Finish() {
    if (top_ == kNone) return;
    if (InDoubt()) {
      structure_.unsure = true;
      return;
    }
    const Bracket& open = Top();
    std::string message =
        fmt::format("'{}' is never closed: a '{}' is missing", open.open, CloseOf(open.open));
    if (function_inside_ > open.line) {
      message +=
          fmt::format(", most likely before line {}, where a function begins", function_inside_);
    }
    Fail(StructureFault::Kind::kUnbalanced, open.line, std::move(message));
  }

  Lexer lexer_;
  Structure structure_;
  std::vector<Bracket> brackets_;
  int top_ = kNone;
  const Bracket outside_{.is_scope = true};
  std::vector<Token> declaration_;
  bool declaration_conditional_ = false;
  std::vector<Conditional> conditionals_;
  int unknown_conditionals_ = 0;
  bool macro_brackets_ = false, conditional_brackets_ = false;
  int function_inside_ = 0;
  bool previous_is_type_ = false;  // the last token may be the type of what follows
  bool stopped_ = false;
};

}  // namespace

Structure ReadStructure(std::string_view source) { return Reader(source).Read(); }

}  // namespace kw::eval
