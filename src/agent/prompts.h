// The prompts: Mustache templates in files (docs/formats/prompts.md), rendered without HTML
// escaping. Values are text and never templates: braces in them mean nothing. A name that the
// values lack, or a partial that is not there, is an error: no prompt goes out with a hole in it.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "kw/base/error.h"
#include "kw/llm.h"

namespace kw {

// What a template is rendered with.
class PromptValues {
 public:
  // Also sets the flag "has_NAME": whether the text is not empty.
  PromptValues& Text(const std::string& name, std::string text);
  PromptValues& Flag(const std::string& name, bool value);
  // Also sets the flag "has_NAME".
  PromptValues& List(const std::string& name, std::vector<PromptValues> items);

 private:
  friend class PromptSet;
  using Value = std::variant<std::string, bool, std::vector<PromptValues>>;
  std::map<std::string, Value> values_;
};

// All templates of a folder (*.mustache). Immutable; any thread.
class PromptSet {
 public:
  // kParse names the file of a template that is none.
  static Result<PromptSet> Load(const std::string& folder);

  [[nodiscard]] Result<std::string> Render(const std::string& name,
                                           const PromptValues& values) const;
  // As a message of the user's. A partial that the template begins with is its stable part: other
  // prompts begin with the same.
  [[nodiscard]] Result<ChatMessage> Message(const std::string& name,
                                            const PromptValues& values) const;
  // Of all templates: the journal keeps it.
  const std::string& hash() const { return hash_; }

 private:
  std::map<std::string, std::string> templates_;
  std::string hash_;
};

}  // namespace kw
