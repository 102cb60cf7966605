// One declaration at namespace scope: does it name `run`?
//
//   [template<...>] [extern "C"] [specifiers, macros, return type] run ( parameters ) [...]
#include <algorithm>
#include <array>

#include "structure.h"

namespace kw::eval {
namespace {

using Kind = Token::Kind;

// The depth of parentheses and brackets changes at each of these.
int DepthChange(const Token& token) {
  if (token.IsPunctuator('(') || token.IsPunctuator('[')) return 1;
  if (token.IsPunctuator(')') || token.IsPunctuator(']')) return -1;
  return 0;
}

bool IsIdentifier(const Token& token, std::string_view name) {
  return token.kind == Kind::kIdentifier && token.text == name;
}

struct Head {
  size_t name = 0;  // index of the function's name; 0: there is none
  bool has_c = false, is_static = false, is_template = false, on_device = false, on_host = false;
  bool uses_macro = false;
};

// Reads up to the first name that is followed by '(' at depth 0 and is no attribute or macro call:
// `wanted` if it is there, else whatever comes first.
Head ReadHead(const std::vector<Token>& tokens, std::string_view wanted,
              const std::set<std::string, std::less<>>& macros) {
  Head head;
  int depth = 0;
  for (size_t i = 0; i < tokens.size(); ++i) {
    const Token& token = tokens[i];
    depth += DepthChange(token);
    if (depth != 0) continue;
    if (token.IsPunctuator('=')) break;
    if (token.kind != Kind::kIdentifier) continue;
    const bool called = i + 1 < tokens.size() && tokens[i + 1].IsPunctuator('(');
    const bool qualified = i > 0 && (tokens[i - 1].Is("::") || tokens[i - 1].Is("."));
    if (called && !qualified && token.text == wanted) {
      head.name = i;
      return head;
    }
    if (token.Is("extern") && i + 1 < tokens.size() && tokens[i + 1].Is("\"C\"")) {
      head.has_c = true;
    } else if (token.Is("static")) {
      head.is_static = true;
    } else if (token.Is("template")) {
      head.is_template = true;
    } else if (token.Is("__global__") || token.Is("__device__")) {
      head.on_device = true;
    } else if (token.Is("__host__")) {
      head.on_host = true;
    } else if (macros.contains(token.text)) {
      head.uses_macro = true;
    }
  }
  return head;
}

size_t ClosingParenthesis(const std::vector<Token>& tokens, size_t open) {
  int depth = 0;
  for (size_t i = open; i < tokens.size(); ++i) {
    depth += DepthChange(tokens[i]);
    if (depth == 0) return i;
  }
  return tokens.size();
}

void NoteOtherFunction(const std::vector<Token>& tokens, const DeclarationPlace& place,
                       Structure& structure) {
  if (structure.other_c_function != 0 || !place.defined || place.in_namespace) return;
  for (size_t i = 1; i + 1 < tokens.size(); ++i) {
    if (tokens[i].IsPunctuator('(')) return;
    if (tokens[i].kind != Kind::kIdentifier || !tokens[i + 1].IsPunctuator('(')) continue;
    if (tokens[i].Is("__attribute__") || tokens[i].Is("__launch_bounds__")) return;
    const bool has_c = tokens.size() > 1 && tokens[0].Is("extern") && tokens[1].Is("\"C\"");
    if (!has_c && !place.in_c_block) return;
    const auto on_device = [](const Token& token) {
      return token.Is("__global__") || token.Is("__device__");
    };
    if (std::any_of(tokens.begin(), tokens.end(), on_device)) return;
    structure.other_c_function = tokens[i].line;
    structure.other_c_function_name = std::string(tokens[i].text);
    return;
  }
}

}  // namespace

bool Structure::HoldsDefinition() const {
  return std::any_of(entries.begin(), entries.end(),
                     [](const EntryFunction& entry) { return entry.defined; });
}

void ReadDeclaration(const std::vector<Token>& tokens, const DeclarationPlace& place,
                     Structure& structure) {
  const auto run = std::find_if(tokens.begin(), tokens.end(),
                                [](const Token& token) { return IsIdentifier(token, "run"); });
  if (run == tokens.end()) {
    NoteOtherFunction(tokens, place, structure);
    return;
  }
  if (IsIdentifier(tokens[0], "typedef") || IsIdentifier(tokens[0], "using")) return;
  const Head head = ReadHead(tokens, "run", structure.macros);
  if (head.name == 0) {
    // MACRO(run, ...) or void (run)(...): the preprocessor or the compiler knows.
    const bool first_is_macro =
        tokens[0].kind == Kind::kIdentifier && structure.macros.contains(tokens[0].text);
    const bool in_parentheses = run != tokens.begin() && (run - 1)->IsPunctuator('(') &&
                                run + 1 != tokens.end() && (run + 1)->IsPunctuator(')') &&
                                place.defined;
    if (head.uses_macro || first_is_macro || in_parentheses) structure.macro_makes_run = true;
    return;
  }
  const int line = tokens[head.name].line;
  if (place.in_namespace) {
    structure.namespaced_run = line;
  } else if (head.is_template) {
    structure.template_run = line;
  } else if (head.on_device && !head.on_host) {
    structure.kernel_run = line;
  } else {
    EntryFunction entry;
    entry.line = line;
    entry.defined = place.defined;
    entry.is_static = head.is_static;
    entry.parameters_unsure = place.conditional;
    if (head.has_c || place.in_c_block) {
      entry.linkage = EntryFunction::Linkage::kC;
    } else if (head.uses_macro || place.conditional) {
      entry.linkage = EntryFunction::Linkage::kUnsure;
    }
    const size_t open = head.name + 1;
    const size_t close = ClosingParenthesis(tokens, open);
    entry.parameters.assign(
        tokens.begin() + static_cast<std::ptrdiff_t>(open + 1),
        tokens.begin() + static_cast<std::ptrdiff_t>(std::max(close, open + 1)));
    const auto alias = [](const Token& token) { return token.Is("alias") || token.Is("asm"); };
    if (!place.defined && std::any_of(tokens.begin(), tokens.end(), alias)) {
      entry.defined = true;  // __attribute__((alias("other"))): the body is elsewhere
    }
    structure.entries.push_back(std::move(entry));
  }
}

}  // namespace kw::eval
