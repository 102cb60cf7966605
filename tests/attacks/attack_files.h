// The attack suite's kernels. What each must come to stands in its first comment lines:
//
//   // attack: KIND: one sentence, what it tries          // legal: one sentence, the style
//   // task: NAME                                         // task: NAME
//   // expect: STATUS[, STATUS...] REASON[|REASON...]
//   // effort: quick, standard            (of the judge; without this line: standard)
//
// A REASON is a verdict's reason code or a part of its feedback.
#pragma once

#include <string>
#include <vector>

#include "e2e/evaluation.h"

namespace kw::eval {

struct AttackFile {
  std::string path;  // below tests/attacks
  std::string source, kind, task;
  std::vector<std::string> statuses, reasons;
  std::vector<Effort> efforts = {Effort::kStandard};  // the verdict is as expected at each
};

// What follows "// KEY: " in the comment lines that open a source; "" when there is none.
inline std::string OpeningLine(const std::string& source, const std::string& key) {
  const std::string start = "// " + key + ": ";
  for (const std::string_view line : Lines(source)) {
    if (!line.starts_with("// ")) break;
    if (line.starts_with(start)) return std::string(line.substr(start.size()));
  }
  return "";
}

inline std::vector<std::string> SplitTexts(const std::string& text, char at) {
  std::vector<std::string> parts;
  for (const std::string_view part : Split(text, at)) parts.emplace_back(Trim(part));
  return parts;
}

inline AttackFile ReadAttackFile(const std::string& path) {
  AttackFile file;
  file.path = path;
  file.source = *ReadFile(std::string(KW_SOURCE_DIR) + "/tests/attacks/" + path);
  file.task = OpeningLine(file.source, "task");
  const std::string attack = OpeningLine(file.source, "attack");
  file.kind = attack.substr(0, attack.find(':'));
  // The statuses are the words in capitals.
  const std::string expect = OpeningLine(file.source, "expect");
  const size_t end = expect.find_first_of("abcdefghijklmnopqrstuvwxyz");
  const size_t reasons = end == expect.npos ? expect.size() : expect.rfind(' ', end) + 1;
  file.statuses = SplitTexts(std::string(Trim(expect.substr(0, reasons))), ',');
  file.reasons = SplitTexts(expect.substr(reasons), '|');
  if (const std::string efforts = OpeningLine(file.source, "effort"); !efforts.empty()) {
    file.efforts.clear();
    for (const std::string& name : SplitTexts(efforts, ',')) {
      const std::optional<Effort> effort = EffortFromName(name);
      KW_CHECK(effort.has_value(), "an effort in an attack's header");
      file.efforts.push_back(*effort);
    }
  }
  return file;
}

// All .cu files below a folder of tests/attacks, as paths relative to tests/attacks.
inline std::vector<std::string> AttackPaths(const std::string& folder) {
  const std::string root = std::string(KW_SOURCE_DIR) + "/tests/attacks";
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root + "/" + folder)) {
    if (entry.path().extension() == ".cu") {
      found.push_back(entry.path().lexically_relative(root).string());
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

inline bool HasExpectedStatus(const AttackFile& file, const Verdict& verdict) {
  return std::find(file.statuses.begin(), file.statuses.end(), StatusName(verdict.status)) !=
         file.statuses.end();
}

inline bool HasExpectedReason(const AttackFile& file, const Verdict& verdict) {
  return std::any_of(file.reasons.begin(), file.reasons.end(), [&](const std::string& reason) {
    return verdict.reason == reason || verdict.feedback.find(reason) != std::string::npos;
  });
}

}  // namespace kw::eval
