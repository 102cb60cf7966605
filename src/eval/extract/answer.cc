#include "answer.h"

#include <algorithm>
#include <array>
#include <vector>

#include "fence.h"
#include "fmt/core.h"
#include "kw/base/text.h"

namespace kw::eval {
namespace {

bool Contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

bool IsBlank(std::string_view text) { return Trim(text).empty(); }

// Marks that no prose and no other language has.
bool LooksLikeCuda(std::string_view text) {
  return Contains(text, "__global__") || Contains(text, "extern \"C\"") ||
         Contains(text, "#include");
}

// "run" and an opening parenthesis, wherever.
bool MentionsRun(std::string_view text) {
  for (size_t at = text.find("run"); at != std::string_view::npos; at = text.find("run", at + 3)) {
    const size_t next = text.find_first_not_of(" \t", at + 3);
    if (next != std::string_view::npos && text[next] == '(') return true;
  }
  return false;
}

// Where the brackets are wrong, what is at the top level cannot be told: any `run` counts then.
bool HoldsEntry(const Structure& structure, std::string_view text) {
  if (structure.HoldsDefinition() || structure.macro_makes_run) return true;
  const bool confused = structure.fault || structure.unsure;
  return confused && LooksLikeCuda(text) && (structure.nested_run > 0 || MentionsRun(text));
}

Choice Nothing(std::string reason, std::string feedback, std::string_view source = {}) {
  Choice choice;
  choice.reason = std::move(reason);
  choice.feedback = std::move(feedback);
  choice.source = std::string(source);
  return choice;
}

Choice Chosen(std::string source) {
  if (source.size() > kMaxSourceBytes) return Nothing("too_large", TooLarge(source.size()));
  Choice choice;
  choice.structure = ReadStructure(source);
  choice.source = std::move(source);
  return choice;
}

// Reasoning models put their thoughts first; code in there is a draft.
std::string_view AfterThoughts(std::string_view answer) {
  constexpr std::string_view kEnd = "</think>";
  size_t at = std::string_view::npos;
  for (size_t next = answer.find(kEnd); next != std::string_view::npos;
       next = answer.find(kEnd, next + kEnd.size())) {
    at = next;
  }
  if (at == std::string_view::npos) return answer;
  const std::string_view rest = answer.substr(at + kEnd.size());
  return IsBlank(rest) ? answer : rest;
}

// ---- Files ------------------------------------------------------------------------------------

bool HasSuffix(std::string_view name, std::initializer_list<std::string_view> suffixes) {
  return std::any_of(suffixes.begin(), suffixes.end(),
                     [&](std::string_view suffix) { return name.ends_with(suffix); });
}
bool IsHeader(const FileElement& file) { return HasSuffix(file.name, {".h", ".hpp", ".cuh"}); }
bool IsCuda(const FileElement& file) { return file.name.empty() || file.name.ends_with(".cu"); }
bool IsSource(const FileElement& file) {
  return IsHeader(file) || IsCuda(file) || HasSuffix(file.name, {".cpp", ".cc", ".cxx", ".c"});
}
int FileOrder(const FileElement& file) { return IsHeader(file) ? 0 : IsCuda(file) ? 1 : 2; }

// `#include "kernel.h"` of a file that stands above is blanked; its line stays.
std::string WithoutIncludesOf(const std::vector<FileElement>& files, std::string_view text) {
  std::string kept;
  for (const std::string_view line : Lines(text)) {
    const std::string_view code = Trim(line);
    bool included = code == "#pragma once";
    if (code.starts_with("#include \"")) {
      const std::string_view path = code.substr(10, code.find('"', 10) - 10);
      included = std::any_of(files.begin(), files.end(), [&](const FileElement& file) {
        return !file.name.empty() && (path == file.name || path.ends_with("/" + file.name));
      });
    }
    if (!included) kept += line;
    kept += '\n';
  }
  return kept;
}

// One translation unit: the file with the entry point alone where it stands alone, else headers,
// then kernels, then host code.
std::string MergeFiles(std::vector<FileElement> files) {
  std::erase_if(files, [](const FileElement& file) { return !IsSource(file); });
  if (files.empty()) return {};
  if (files.size() == 1) return std::move(files[0].text);
  for (auto file = files.rbegin(); file != files.rend(); ++file) {
    const bool alone = file->text.size() <= kMaxSourceBytes &&
                       !Contains(file->text, "#include \"") && Contains(file->text, "__global__") &&
                       ReadStructure(file->text).HoldsDefinition();
    if (alone) return std::move(file->text);
  }
  std::stable_sort(files.begin(), files.end(), [](const FileElement& a, const FileElement& b) {
    return FileOrder(a) < FileOrder(b);
  });
  std::string merged;
  for (const FileElement& file : files) merged += WithoutIncludesOf(files, file.text);
  return merged;
}

std::optional<Choice> ChooseFiles(std::string_view answer) {
  std::vector<FileElement> files = FindFileElements(answer);
  if (files.empty()) return std::nullopt;
  if (!files.back().closed) {
    if (!LooksLikeCuda(files.back().text)) return std::nullopt;
    return Nothing("fence_unclosed",
                   fmt::format("The file element that begins in line {} of the answer is never "
                               "closed: the answer is not complete. Close it with </file>.",
                               files.back().line),
                   files.back().text);
  }
  std::string merged = MergeFiles(std::move(files));
  if (IsBlank(merged)) return std::nullopt;
  return Chosen(std::move(merged));
}

// ---- Fences -----------------------------------------------------------------------------------

Choice Unclosed(const Fence& fence) {
  return Nothing("fence_unclosed",
                 fmt::format("The code fence that begins in line {} of the answer is never closed: "
                             "the code is not complete. End it with a line of {}.",
                             fence.line, "```"),
                 fence.text);
}

bool LooksLikeCode(const Fence& fence) {
  return !IsBlank(fence.text) &&
         (LooksLikeCuda(fence.text) || (MayBeCuda(fence) && Contains(fence.text, "{")));
}

std::optional<Choice> ChooseFence(const std::vector<Fence>& fences) {
  if (fences.empty()) return std::nullopt;
  const Fence& last = fences.back();
  const bool last_is_cut = !last.closed && !IsBlank(last.text);
  if (last_is_cut && (LooksLikeCuda(last.text) || (MayBeCuda(last) && !last.info.empty()))) {
    return Unclosed(last);
  }
  const auto kernel_besides = [&](const Fence& chosen) {
    return std::any_of(fences.begin(), fences.end(), [&](const Fence& fence) {
      return &fence != &chosen && Contains(fence.text, "__global__");
    });
  };
  const Fence* likely = nullptr;
  for (auto fence = fences.rbegin(); fence != fences.rend(); ++fence) {
    if (IsBlank(fence->text)) continue;
    if (LooksLikeCode(*fence) && likely == nullptr) likely = &*fence;
    if (!MayBeCuda(*fence) && !LooksLikeCuda(fence->text)) continue;
    if (fence->text.size() > kMaxSourceBytes) {
      return Nothing("too_large", TooLarge(fence->text.size()));
    }
    Structure structure = ReadStructure(fence->text);
    if (!HoldsEntry(structure, fence->text)) continue;
    if (!fence->closed) return Unclosed(*fence);
    Choice choice;
    choice.source = std::string(fence->text);
    choice.kernel_elsewhere = !structure.has_kernel && kernel_besides(*fence);
    choice.structure = std::move(structure);
    return choice;
  }
  if (likely == nullptr) return std::nullopt;
  return likely->closed ? Chosen(std::string(likely->text)) : Unclosed(*likely);
}

// ---- Bare code --------------------------------------------------------------------------------

bool BeginsLikeCode(std::string_view line) {
  constexpr auto kBeginnings = std::to_array<std::string_view>(
      {"#include",   "#define",  "#pragma",    "#if",        "#ifndef", "//",         "/*",
       "extern \"",  "template", "__global__", "__device__", "using ",  "namespace ", "typedef ",
       "constexpr ", "static ",  "struct ",    "const ",     "inline ", "enum ",      "void "});
  line = Trim(line);
  return std::any_of(kBeginnings.begin(), kBeginnings.end(),
                     [&](std::string_view beginning) { return line.starts_with(beginning); });
}

bool EndsLikeCode(std::string_view line) {
  line = Trim(line);
  return line.ends_with("}") || line.ends_with(";") || line.ends_with("*/") ||
         line.starts_with("#") || line.starts_with("//") || line.ends_with("\\") ||
         line.ends_with("{") || line.ends_with(",") || line.ends_with(")");
}

// Code without fences, without the prose before and after it.
std::string_view BareCode(std::string_view answer) {
  size_t begin = 0;
  while (begin < answer.size()) {
    const size_t newline = std::min(answer.find('\n', begin), answer.size());
    if (BeginsLikeCode(answer.substr(begin, newline - begin))) break;
    begin = newline + 1;
  }
  if (begin >= answer.size()) return answer;
  std::string_view code = answer.substr(begin);
  size_t end = code.size();
  while (end > 0) {
    const size_t newline = code.rfind('\n', end - 1);
    const size_t line = newline == std::string_view::npos ? 0 : newline + 1;
    if (EndsLikeCode(code.substr(line, end - line))) return code.substr(0, end + 1);
    if (newline == std::string_view::npos) break;
    end = newline;
  }
  return code;
}

}  // namespace

std::string TooLarge(size_t bytes) {
  return fmt::format("the source has {} bytes; at most {} are taken", bytes, kMaxSourceBytes);
}

Choice ChooseSource(std::string_view answer) {
  answer = AfterThoughts(answer);
  std::optional<Choice> files = ChooseFiles(answer);
  if (files && (!files->structure || HoldsEntry(*files->structure, files->source))) {
    return *std::move(files);
  }
  const std::vector<Fence> fences = FindFences(answer);
  if (std::optional<Choice> fence = ChooseFence(fences)) return *std::move(fence);
  if (files) return *std::move(files);
  // A lone fence at the end closes what the prompt opened.
  const bool only_a_tail = fences.size() == 1 && !fences[0].closed && IsBlank(fences[0].text);
  const std::string_view bare = only_a_tail ? answer.substr(0, fences[0].begin) : answer;
  if ((fences.empty() || only_a_tail) && LooksLikeCuda(bare)) {
    return Chosen(std::string(BareCode(bare)));
  }
  const bool other_language = std::any_of(fences.begin(), fences.end(), [](const Fence& fence) {
    return !IsBlank(fence.text) && !MayBeCuda(fence);
  });
  return Nothing("no_code", other_language ? "The answer holds code, but no CUDA C++."
                                           : "The answer holds no code.");
}

}  // namespace kw::eval
