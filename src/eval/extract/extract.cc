#include "kw/eval/extract.h"

#include <algorithm>
#include <array>

#include "answer.h"
#include "fmt/core.h"
#include "kw/base/text.h"
#include "parameters.h"
#include "structure.h"

namespace kw::eval {
namespace {

constexpr size_t kMaxAnswerBytes = 64 << 20;

Extraction Malformed(std::string_view reason, int line, std::string_view what,
                     std::string_view advice = {}) {
  Extraction extraction;
  extraction.reason = std::string(reason);
  extraction.line = line;
  extraction.feedback = line > 0 ? fmt::format("line {}: {}", line, what) : std::string(what);
  if (!advice.empty()) extraction.feedback += fmt::format("\n{}", advice);
  return extraction;
}

std::string DefineRun(const Task& task) {
  return "Define this function at the top level: " + Prototype(task);
}

Extraction NoEntryPoint(const Structure& structure, const Task& task) {
  int line = 0;
  std::string what = "there is no function `run` at the top level";
  const auto declared = std::find_if(structure.entries.begin(), structure.entries.end(),
                                     [](const EntryFunction& entry) { return !entry.defined; });
  if (structure.kernel_run > 0) {
    line = structure.kernel_run;
    what = "`run` is a device function; it must be a host function that launches the kernels";
  } else if (structure.template_run > 0) {
    line = structure.template_run;
    what = "`run` is a template; it must be a plain function with C linkage";
  } else if (structure.namespaced_run > 0) {
    line = structure.namespaced_run;
    what = "`run` is inside a namespace; it must be at the top level";
  } else if (declared != structure.entries.end()) {
    line = declared->line;
    what = "`run` is declared but never defined";
  } else if (structure.nested_run > 0) {
    line = structure.nested_run;
    what = "`run` is inside other braces; it must be at the top level";
  } else if (structure.other_c_function > 0) {
    line = structure.other_c_function;
    what = fmt::format("the entry point is named `{}`; it must be named `run`",
                       structure.other_c_function_name);
  }
  return Malformed("no_entry_point", line, what, DefineRun(task));
}

// `run` and its parameters; ok where they fit or are in doubt.
Extraction CheckEntry(const Structure& structure, const Task& task) {
  Extraction good;
  good.ok = true;
  if (structure.macro_makes_run || structure.unsure) return good;
  if (!structure.HoldsDefinition()) return NoEntryPoint(structure, task);
  const bool may_be_c = std::any_of(
      structure.entries.begin(), structure.entries.end(),
      [](const EntryFunction& entry) { return entry.linkage != EntryFunction::Linkage::kCxx; });
  const auto definition = std::find_if(structure.entries.begin(), structure.entries.end(),
                                       [](const EntryFunction& entry) { return entry.defined; });
  if (!may_be_c) {
    return Malformed("entry_not_extern_c", definition->line,
                     definition->is_static ? "`run` is static: it must have C linkage"
                                           : "`run` is not extern \"C\"",
                     "Declare it so: " + Prototype(task));
  }
  const std::vector<Parameter> expected = CandidateParameters(task);
  Extraction bad;
  for (const EntryFunction& entry : structure.entries) {
    if (!entry.defined) continue;
    const std::optional<std::string> mismatch = ParameterMismatch(entry, expected, structure);
    if (!mismatch) return good;
    if (bad.reason.empty() || entry.linkage == EntryFunction::Linkage::kC) {
      bad = Malformed("wrong_parameters", entry.line, *mismatch,
                      "The prototype is: " + Prototype(task));
    }
  }
  return bad;
}

Extraction CheckStructure(const Structure& structure, const Task& task) {
  if (structure.fault) {
    const bool unterminated = structure.fault->kind == StructureFault::Kind::kUnterminated;
    return Malformed(unterminated ? "unterminated" : "unbalanced", structure.fault->line,
                     structure.fault->message);
  }
  Extraction checked = CheckEntry(structure, task);
  if (!checked.ok) return checked;
  // A call into an allowed library needs no kernel of its own.
  if (!structure.has_kernel && !structure.unsure && task.allowed_libraries.empty()) {
    return Malformed("no_global_kernel", 0, "there is no __global__ function",
                     "Compute on the GPU: `run` must launch at least one kernel on `stream`.");
  }
  return checked;
}

// What no code can be; ok otherwise.
Extraction CheckText(std::string_view source) {
  if (Trim(source).empty()) return Malformed("empty", 0, "the source is empty");
  if (source.size() > kMaxSourceBytes) {
    return Malformed("too_large", 0,
                     fmt::format("the source has {} bytes; at most {} are taken", source.size(),
                                 kMaxSourceBytes));
  }
  if (const size_t at = source.find('\0'); at != std::string_view::npos) {
    const auto line =
        1 + std::count(source.begin(), source.begin() + static_cast<std::ptrdiff_t>(at), '\n');
    return Malformed("not_text", static_cast<int>(line), "there is a zero byte: this is no text");
  }
  Extraction good;
  good.ok = true;
  return good;
}

// The names that endpoints give to an answer cut at its token limit.
bool IsCutOff(std::string_view finish_reason) {
  constexpr auto kCut = std::to_array<std::string_view>(
      {"length", "max_tokens", "max_output_tokens", "model_length", "max_length"});
  return std::find(kCut.begin(), kCut.end(), ToLower(finish_reason)) != kCut.end();
}

}  // namespace

Extraction PrecheckSource(std::string_view source, const Task& task) {
  Extraction extraction = CheckText(source);
  if (extraction.ok) extraction = CheckStructure(ReadStructure(source), task);
  if (extraction.reason != "too_large") extraction.source = std::string(source);
  return extraction;
}

Extraction ExtractCandidate(std::string_view answer, std::string_view finish_reason,
                            const Task& task) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (answer.starts_with(kByteOrderMark)) answer.remove_prefix(kByteOrderMark.size());
  if (answer.size() > kMaxAnswerBytes) {
    return Malformed("too_large", 0,
                     fmt::format("the answer has {} bytes; at most {} are taken", answer.size(),
                                 kMaxAnswerBytes));
  }
  const bool cut_off = IsCutOff(finish_reason);
  if (!cut_off && finish_reason != "runaway" && Trim(answer).empty()) {
    return Malformed("empty", 0, "the answer is empty",
                     "Answer with the complete source in one ```cuda code block.");
  }
  Choice choice = ChooseSource(answer);
  Extraction extraction;
  if (cut_off) {
    extraction = Malformed("truncated", 0,
                           "the answer was cut off at its length limit before it was complete",
                           "Answer with less text: the complete source in one ```cuda code block.");
  } else if (!choice.structure) {
    extraction = Malformed(choice.reason, 0, choice.feedback,
                           "Answer with the complete source in one ```cuda code block.");
  } else {
    extraction = CheckText(choice.source);
    if (extraction.ok) extraction = CheckStructure(*choice.structure, task);
    if (choice.kernel_elsewhere && extraction.reason == "no_global_kernel") {
      extraction.feedback +=
          "\nAnother code block holds a kernel: put everything into one code block.";
    }
  }
  // One that was complete before its loop is as good as any.
  if (!extraction.ok && finish_reason == "runaway") {
    extraction = Malformed("runaway", 0,
                           "the answer ended in a loop, the same text again and again, before it "
                           "was complete",
                           "Answer with the complete source in one ```cuda code block, and end "
                           "there.");
  }
  if (choice.source.size() <= kMaxSourceBytes) extraction.source = std::move(choice.source);
  return extraction;
}

}  // namespace kw::eval
