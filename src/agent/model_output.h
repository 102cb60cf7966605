// What learners read out of a model's answers. Strict about the form and bounded in size; prose
// and code fences around the form are allowed, since models add them. kParse says what is wrong
// in words that can go back to the model.
//
// Weak models answer with the form that they were shown, placeholders and all. `prompt` is what was
// asked: the last array in it that reads is the form, and an array that repeats a text of it is no
// answer.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kw/base/error.h"

namespace kw {

// One memory item: a JSON object with exactly these keys, none of them empty.
struct ItemText {
  std::string title, description, content;
};
// The last JSON array of items in the answer; of more than `most` the first are taken. An empty
// array is an answer.
[[nodiscard]] Result<std::vector<ItemText>> ParseItems(std::string_view answer, int most,
                                                       std::string_view prompt = {});

// The last JSON array of strings.
[[nodiscard]] Result<std::vector<std::string>> ParseRules(std::string_view answer, int most,
                                                          std::string_view prompt = {});

// One rule of a merged list. `from`: the numbers (1-based) of the listed rules that it stands for.
struct MergedRule {
  std::string text;
  std::vector<int> from;
};
// The last JSON array of {"rule", "from"}, or of plain strings; `listed` rules were numbered.
[[nodiscard]] Result<std::vector<MergedRule>> ParseMergedRules(std::string_view answer, int most,
                                                               int listed,
                                                               std::string_view prompt = {});

// [[Yes]] or [[No]]; nothing when the answer holds neither, or both.
std::optional<bool> ParseJudgement(std::string_view answer);

}  // namespace kw
