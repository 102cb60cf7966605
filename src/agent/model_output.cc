#include "model_output.h"

#include <fmt/format.h>

#include <functional>

#include "kw/base/json.h"
#include "kw/base/text.h"

namespace kw {
namespace {

constexpr size_t kMaxAnswerBytes = 1 << 20;
constexpr size_t kMaxScannedBytes = 16 << 20;  // over all brackets of an answer
constexpr size_t kMaxTitleBytes = 300, kMaxDescriptionBytes = 1000, kMaxContentBytes = 4000;
constexpr size_t kMaxRuleBytes = 600;

// The end of the bracket that opens at `start` (one past it), or npos. Strings hide brackets.
size_t EndOfArray(std::string_view text, size_t start) {
  int depth = 0;
  bool in_string = false;
  for (size_t i = start; i < text.size(); ++i) {
    char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      ++depth;
    } else if ((c == ']' || c == '}') && --depth == 0) {
      return i + 1;
    }
  }
  return std::string_view::npos;
}

// Reads the last array in the text for which `read` succeeds; one that holds something is
// preferred to an empty one. Else the complaint about the last array that was JSON at all.
template <class T>
Result<std::vector<T>> LastArray(std::string_view answer, std::string_view form,
                                 const std::function<Result<T>(const Json&)>& read) {
  if (answer.size() > kMaxAnswerBytes) {
    return Fail(ErrorCode::kParse, fmt::format("it is longer than {} bytes", kMaxAnswerBytes));
  }
  std::optional<std::vector<T>> best;
  std::string complaint = fmt::format("it holds no JSON array of {}", form);
  size_t scanned = 0;
  for (size_t at = answer.find('['); at != std::string_view::npos && scanned < kMaxScannedBytes;) {
    size_t end = EndOfArray(answer, at);
    scanned += (end == std::string_view::npos ? answer.size() : end) - at;
    size_t next = at + 1;
    if (end != std::string_view::npos) {
      auto json = ParseJson(answer.substr(at, end - at), "the answer");
      if (json && json->is_array()) {
        std::vector<T> values;
        std::string problem;
        for (const Json& entry : *json) {
          auto value = read(entry);
          if (!value) {
            problem = value.error().message;
            break;
          }
          values.push_back(std::move(*value));
        }
        if (!problem.empty()) {
          complaint = std::move(problem);
        } else if (!best || !values.empty()) {
          best = std::move(values);
        }
        next = end;  // what lies inside belongs to it
      }
    }
    at = answer.find('[', next);
  }
  if (!best) return Fail(ErrorCode::kParse, std::move(complaint));
  return std::move(*best);
}

Result<std::string> ReadText(const Json& value, std::string_view name, size_t most) {
  if (!value.is_string()) {
    return Fail(ErrorCode::kParse, fmt::format("\"{}\" must be a string", name));
  }
  std::string text(Trim(value.get<std::string>()));
  if (text.empty()) return Fail(ErrorCode::kParse, fmt::format("\"{}\" is empty", name));
  if (text.size() > most) {
    return Fail(ErrorCode::kParse,
                fmt::format("\"{}\" has {} bytes, more than {}", name, text.size(), most));
  }
  return text;
}

Result<ItemText> ReadItem(const Json& entry) {
  if (!entry.is_object()) {
    return Fail(ErrorCode::kParse, "an entry of the array is no object");
  }
  for (const auto& [key, value] : entry.items()) {
    if (key != "title" && key != "description" && key != "content") {
      return Fail(ErrorCode::kParse,
                  fmt::format("an item has the unknown key \"{}\"", Shorten(key, 40)));
    }
  }
  for (const char* key : {"title", "description", "content"}) {
    if (!entry.contains(key)) {
      return Fail(ErrorCode::kParse, fmt::format("an item lacks \"{}\"", key));
    }
  }
  ItemText item;
  KW_ASSIGN(item.title, ReadText(entry["title"], "title", kMaxTitleBytes));
  KW_ASSIGN(item.description, ReadText(entry["description"], "description", kMaxDescriptionBytes));
  KW_ASSIGN(item.content, ReadText(entry["content"], "content", kMaxContentBytes));
  return item;
}

Result<MergedRule> ReadMerged(const Json& entry, int listed) {
  MergedRule rule;
  if (entry.is_string()) {
    KW_ASSIGN(rule.text, ReadText(entry, "rule", kMaxRuleBytes));
    return rule;
  }
  if (!entry.is_object() || !entry.contains("rule")) {
    return Fail(ErrorCode::kParse, "an entry of the array is no object with \"rule\" and \"from\"");
  }
  for (const auto& [key, value] : entry.items()) {
    if (key != "rule" && key != "from") {
      return Fail(ErrorCode::kParse,
                  fmt::format("a rule has the unknown key \"{}\"", Shorten(key, 40)));
    }
  }
  KW_ASSIGN(rule.text, ReadText(entry["rule"], "rule", kMaxRuleBytes));
  if (!entry.contains("from")) return rule;
  const Json& from = entry["from"];
  if (!from.is_array()) return Fail(ErrorCode::kParse, "\"from\" must be an array of numbers");
  for (const Json& number : from) {
    if (!number.is_number_integer() || number < 1 || number > listed) {
      return Fail(ErrorCode::kParse,
                  fmt::format("\"from\" holds something that is no number from 1 to {}", listed));
    }
    rule.from.push_back(number.get<int>());
  }
  return rule;
}

template <class T>
std::vector<T> FirstOf(std::vector<T> all, int most) {
  if (all.size() > static_cast<size_t>(most)) all.resize(static_cast<size_t>(most));
  return all;
}

// Reads an answer by `read`, but no array with an entry that has a text in common with the form.
template <class T>
Result<std::vector<T>> ReadAnswer(std::string_view answer, std::string_view prompt,
                                  std::string_view form,
                                  const std::function<Result<T>(const Json&)>& read,
                                  const std::function<bool(const T&, const T&)>& share) {
  std::vector<T> shown;
  if (auto array = LastArray<T>(prompt, form, read)) shown = std::move(*array);
  return LastArray<T>(answer, form, [&](const Json& entry) -> Result<T> {
    KW_ASSIGN(T value, read(entry));
    for (const T& placeholder : shown) {
      if (!share(value, placeholder)) continue;
      return Fail(ErrorCode::kParse, "it repeats the placeholders of the form that was shown");
    }
    return value;
  });
}

}  // namespace

Result<std::vector<ItemText>> ParseItems(std::string_view answer, int most,
                                         std::string_view prompt) {
  KW_ASSIGN(std::vector<ItemText> items,
            ReadAnswer<ItemText>(answer, prompt, "items", ReadItem,
                                 [](const ItemText& a, const ItemText& b) {
                                   return a.title == b.title || a.description == b.description ||
                                          a.content == b.content;
                                 }));
  return FirstOf(std::move(items), most);
}

Result<std::vector<std::string>> ParseRules(std::string_view answer, int most,
                                            std::string_view prompt) {
  KW_ASSIGN(std::vector<std::string> rules,
            ReadAnswer<std::string>(
                answer, prompt, "strings",
                [](const Json& entry) { return ReadText(entry, "rule", kMaxRuleBytes); },
                std::equal_to<>()));
  return FirstOf(std::move(rules), most);
}

Result<std::vector<MergedRule>> ParseMergedRules(std::string_view answer, int most, int listed,
                                                 std::string_view prompt) {
  KW_ASSIGN(std::vector<MergedRule> rules,
            ReadAnswer<MergedRule>(
                answer, prompt, "rules",
                [listed](const Json& entry) { return ReadMerged(entry, listed); },
                [](const MergedRule& a, const MergedRule& b) { return a.text == b.text; }));
  return FirstOf(std::move(rules), most);
}

std::optional<bool> ParseJudgement(std::string_view answer) {
  bool yes = answer.find("[[Yes]]") != std::string_view::npos;
  bool no = answer.find("[[No]]") != std::string_view::npos;
  if (yes == no) return std::nullopt;
  return yes;
}

}  // namespace kw
