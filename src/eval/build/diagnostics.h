// What a compiler printed, reduced to what the author of the source needs.
//
//   gcc         kernel.cu:1:10: fatal error: missing.h: No such file or directory
//   nvcc (EDG)  kernel.cu(4): error: no instance of overloaded function "f" matches ...
//                           argument types are: (double *)
//   ptxas       ptxas kernel.ptx, line 32; error   : Not a name of any known instruction
//               ptxas error   : Entry function '_Z1kPf' uses too much shared data (...)
//   ld          kernel.o: in function `run': ... undefined reference to `host_only(int)'
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace kw::eval {

struct Diagnostic {
  std::string file;  // base name; "" when the message has no place
  int line = 0;      // 0 unknown
  std::string message;
  int from_line = 0;  // of the author's file, when `file` is a header it instantiated
  bool operator==(const Diagnostic&) const = default;
};

// Errors only: warnings and notes are left out. `source_name` is the author's file.
std::vector<Diagnostic> ParseCompilerErrors(std::string_view output, std::string_view source_name);
// ptxas's errors, placed on source lines by the .loc directives of `ptx`.
std::vector<Diagnostic> ParsePtxasErrors(std::string_view output, std::string_view ptx,
                                         std::string_view source_name);
// One "undefined symbol" a symbol, and duplicate definitions.
std::vector<Diagnostic> ParseLinkErrors(std::string_view output);

// "kernel.cu:12: error: message" and the source line below it; at most 20 lines, duplicates once.
std::string FormatDiagnostics(const std::vector<Diagnostic>& diagnostics, std::string_view source,
                              std::string_view source_name);
// When nothing could be parsed: the first lines of the output without this machine's paths.
std::string TrimRawOutput(std::string_view output);
// Replaces every absolute path in a text by its last component.
std::string WithoutPaths(std::string_view text);

}  // namespace kw::eval
