#include "diagnostics.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>

#include "kw/base/text.h"

namespace kw::eval {
namespace {

constexpr size_t kMaxLines = 20;
constexpr size_t kMaxMessageBytes = 400;
constexpr size_t kMaxSourceLineBytes = 160;

std::string BaseName(std::string_view path) {
  size_t slash = path.rfind('/');
  return std::string(slash == std::string_view::npos ? path : path.substr(slash + 1));
}

std::optional<int> ParseInt(std::string_view text) {
  int value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end == text.data()) return std::nullopt;
  return value;
}

// Drops `prefix` from the front of `text`.
bool Eat(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

// The place in front of a message and what follows it: "FILE(LINE): rest", "FILE:LINE:COL: rest".
struct Placed {
  std::string_view file, rest;
  int line = 0;
};
std::optional<Placed> ParseEdgPlace(std::string_view text) {
  size_t close = text.find("): ");
  if (close == std::string_view::npos) return std::nullopt;
  size_t open = text.rfind('(', close);
  if (open == std::string_view::npos || open == 0) return std::nullopt;
  std::string_view number = text.substr(open + 1, close - open - 1);
  std::optional<int> line = ParseInt(number);
  if (!line || number.find_first_not_of("0123456789") != std::string_view::npos) {
    return std::nullopt;
  }
  return Placed{text.substr(0, open), text.substr(close + 3), *line};
}
std::optional<Placed> ParseGccPlace(std::string_view text) {
  size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0) return std::nullopt;
  std::string_view after = text.substr(colon + 1);
  std::optional<int> line = ParseInt(after);
  if (!line) return std::nullopt;
  size_t space = after.find(": ");
  if (space == std::string_view::npos) return std::nullopt;
  if (after.substr(0, space).find_first_not_of("0123456789:") != std::string_view::npos) {
    return std::nullopt;
  }
  return Placed{text.substr(0, colon), after.substr(space + 2), *line};
}

// Eats "error: ", "fatal error: ", "catastrophic error: ", "error #20-D: ".
bool EatErrorWord(std::string_view& text) {
  std::string_view rest = text;
  if (!Eat(rest, "fatal ")) Eat(rest, "catastrophic ");
  if (!Eat(rest, "error")) return false;
  if (rest.starts_with(" #")) {
    size_t colon = rest.find(':');
    if (colon == std::string_view::npos) return false;
    rest.remove_prefix(colon);
  }
  if (!Eat(rest, ": ")) return false;
  text = rest;
  return true;
}

// "            argument types are: (int)" continues EDG's message; echoes of source are indented
// less.
bool ContinuesMessage(std::string_view line) {
  return line.starts_with("            ") &&
         line.find_first_not_of(' ') != std::string_view::npos &&
         line[line.find_first_not_of(' ')] != '^' && line.find("detected during") == line.npos;
}

// `... instantiation of "..." at line 12 of kernel.cu`: the author's line behind an error in a
// header.
int InstantiatedFrom(std::string_view line, std::string_view source_name, bool same_file) {
  size_t at = line.find(" at line ");
  if (at == std::string_view::npos) return 0;
  std::string_view rest = line.substr(at + 9);
  std::optional<int> number = ParseInt(rest);
  if (!number) return 0;
  size_t of = rest.find(" of ");
  if (of == std::string_view::npos) return same_file ? *number : 0;
  std::string_view file = rest.substr(of + 4);
  return file.find(source_name) != std::string_view::npos ? *number : 0;
}

std::string_view SourceLine(const std::vector<std::string_view>& lines, int line) {
  if (line < 1 || static_cast<size_t>(line) > lines.size()) return {};
  return Trim(lines[line - 1]);
}

}  // namespace

std::string WithoutPaths(std::string_view text) {
  std::string out;
  size_t i = 0;
  while (i < text.size()) {
    bool starts = text[i] == '/' && (i == 0 || std::string_view(" \"'`(<,=:").find(text[i - 1]) !=
                                                   std::string_view::npos);
    if (!starts) {
      out += text[i++];
      continue;
    }
    size_t end = std::min(text.find_first_of(" \"'`()<>,:;", i), text.size());
    std::string_view path = text.substr(i, end - i);
    // A lone '/' is a division, "//" a comment.
    bool is_path = path.size() > 1 && path.find('/', 1) != std::string_view::npos &&
                   path.substr(0, 2) != "//" && path.substr(0, 2) != "/*";
    out += is_path ? BaseName(path) : std::string(path);
    i = end;
  }
  return out;
}

std::vector<Diagnostic> ParseCompilerErrors(std::string_view output, std::string_view source_name) {
  std::vector<Diagnostic> found;
  bool in_error = false;
  for (std::string_view line : Lines(output)) {
    std::optional<Placed> placed = ParseEdgPlace(line);
    if (!placed) placed = ParseGccPlace(line);
    std::string_view rest = placed ? placed->rest : line;
    if (!placed) {
      // "cc1plus: error: ...", "nvcc error   : ..." have no place.
      size_t colon = line.find(": ");
      if (colon != std::string_view::npos && colon < 40 &&
          line.substr(0, colon).find(' ') == line.npos) {
        rest = line.substr(colon + 2);
      }
    }
    if (EatErrorWord(rest)) {
      Diagnostic diagnostic;
      if (placed) {
        diagnostic.file = BaseName(placed->file);
        diagnostic.line = placed->line;
      }
      diagnostic.message = WithoutPaths(Trim(rest));
      found.push_back(std::move(diagnostic));
      in_error = true;
    } else if (placed || Trim(line).empty()) {
      in_error = false;
    } else if (in_error && !found.empty()) {
      Diagnostic& last = found.back();
      if (ContinuesMessage(line)) {
        last.message += "; " + WithoutPaths(Trim(line));
      } else if (last.from_line == 0) {
        last.from_line = InstantiatedFrom(line, source_name, last.file == source_name);
        if (last.file == source_name && last.from_line == last.line) last.from_line = 0;
      }
    }
  }
  return found;
}

namespace {

// The source line of a line of PTX: the last .loc at or above it.
int SourceLineOfPtx(std::string_view ptx, int ptx_line, std::string_view source_name) {
  int number = 0, source_line = 0;
  std::set<std::string> files;  // .file indices of the author's file, from the whole text
  std::vector<std::string_view> lines = Lines(ptx);
  for (std::string_view line : lines) {
    std::string_view text = Trim(line);
    if (!Eat(text, ".file")) continue;
    std::string_view rest = Trim(text);
    size_t end = rest.find_first_of(" \t");
    if (end != rest.npos && rest.find(source_name) != rest.npos) {
      files.insert(std::string(rest.substr(0, end)));
    }
  }
  for (std::string_view line : lines) {
    if (++number > ptx_line) break;
    std::string_view text = Trim(line);
    if (text.starts_with(".entry") || text.starts_with(".visible .entry") ||
        text.starts_with(".func")) {
      source_line = 0;
    }
    if (!Eat(text, ".loc")) continue;
    std::vector<std::string_view> words = Split(Trim(text), ' ');
    if (words.size() >= 2 && files.contains(std::string(words[0]))) {
      source_line = ParseInt(words[1]).value_or(0);
    }
  }
  return source_line;
}

// Names between quotes are mangled kernels.
std::string DemangleQuoted(std::string_view text) {
  std::string out;
  size_t i = 0;
  while (i < text.size()) {
    size_t open = text.find("'_Z", i);
    size_t close = open == text.npos ? text.npos : text.find('\'', open + 1);
    if (close == text.npos) break;
    out += text.substr(i, open + 1 - i);
    out += Demangled(std::string(text.substr(open + 1, close - open - 1)));
    out += '\'';
    i = close + 1;
  }
  return out + std::string(text.substr(i));
}

}  // namespace

std::vector<Diagnostic> ParsePtxasErrors(std::string_view output, std::string_view ptx,
                                         std::string_view source_name) {
  std::vector<Diagnostic> found;
  for (std::string_view line : Lines(output)) {
    std::string_view text = line;
    if (!Eat(text, "ptxas ")) continue;
    Diagnostic diagnostic;
    if (size_t at = text.find(", line "); at != text.npos) {
      std::string_view after = text.substr(at + 7);
      int ptx_line = ParseInt(after).value_or(0);
      size_t semicolon = after.find("; ");
      if (semicolon == after.npos) continue;
      text = after.substr(semicolon + 2);
      diagnostic.line = SourceLineOfPtx(ptx, ptx_line, source_name);
      if (diagnostic.line != 0) diagnostic.file = source_name;
    }
    if (!Eat(text, "error") && !Eat(text, "fatal")) continue;
    size_t colon = text.find(": ");
    if (colon == text.npos) continue;
    std::string_view message = Trim(text.substr(colon + 2));
    if (message.starts_with("Ptx assembly aborted")) continue;
    diagnostic.message = "ptxas: " + WithoutPaths(DemangleQuoted(message));
    found.push_back(std::move(diagnostic));
  }
  return found;
}

std::vector<Diagnostic> ParseLinkErrors(std::string_view output) {
  std::vector<Diagnostic> found;
  std::set<std::string> seen;
  for (std::string_view line : Lines(output)) {
    std::string message;
    if (size_t at = line.find("undefined reference to `"); at != line.npos) {
      std::string_view symbol = line.substr(at + 24);
      message = fmt::format("undefined symbol: {} is declared or used, but nothing defines it",
                            symbol.substr(0, symbol.rfind('\'')));
    } else if (size_t twice = line.find("multiple definition of `"); twice != line.npos) {
      std::string_view symbol = line.substr(twice + 24);
      message = fmt::format("{} is defined twice", symbol.substr(0, symbol.find('\'')));
    } else if (size_t library = line.find("cannot find -l"); library != line.npos) {
      message = WithoutPaths(line.substr(library));
    }
    if (!message.empty() && seen.insert(message).second) found.push_back({"", 0, message, 0});
  }
  return found;
}

std::string FormatDiagnostics(const std::vector<Diagnostic>& diagnostics, std::string_view source,
                              std::string_view source_name) {
  std::vector<std::string_view> lines = Lines(source);
  std::vector<std::string> out;
  std::vector<Diagnostic> shown;
  size_t left_out = 0;
  for (const Diagnostic& diagnostic : diagnostics) {
    if (std::find(shown.begin(), shown.end(), diagnostic) != shown.end()) continue;
    shown.push_back(diagnostic);
    std::string place = diagnostic.file.empty()
                            ? std::string()
                            : fmt::format("{}:{}: ", diagnostic.file, diagnostic.line);
    bool own = diagnostic.file == source_name;
    int line = own ? diagnostic.line : diagnostic.from_line;
    std::vector<std::string> entry = {
        place + "error: " + Shorten(ToValidUtf8(diagnostic.message), kMaxMessageBytes)};
    if (diagnostic.from_line != 0) {
      entry[0] += fmt::format(" (instantiated from {}:{})", source_name, diagnostic.from_line);
    }
    std::string_view text = SourceLine(lines, line);
    if (!text.empty()) entry.push_back("    " + Shorten(ToValidUtf8(text), kMaxSourceLineBytes));
    if (out.size() + entry.size() > kMaxLines - 1) {
      ++left_out;
      continue;
    }
    for (std::string& part : entry) out.push_back(std::move(part));
  }
  if (left_out > 0) out.push_back(fmt::format("... and {} more", left_out));
  return Join(out, "\n");
}

std::string TrimRawOutput(std::string_view output) {
  std::vector<std::string> out;
  for (std::string_view line : Lines(output)) {
    if (Trim(line).empty()) continue;
    if (out.size() == kMaxLines) break;
    out.push_back(Shorten(ToValidUtf8(WithoutPaths(line)), kMaxMessageBytes));
  }
  return Join(out, "\n");
}

}  // namespace kw::eval
