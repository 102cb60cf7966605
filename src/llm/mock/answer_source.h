// What an endpoint answers: the model's words, or text that was made when it started.
#pragma once

#include "asked.h"
#include "kw/mock.h"
#include "wire_form.h"

namespace kw::mock {

class AnswerSource {
 public:
  explicit AnswerSource(const MockOptions& options);
  bool asks_model() const { return content_ == MockOptions::Content::kModel; }
  // Whether answers are sure to hold characters of more than one byte.
  bool has_wide_characters() const;
  // Tokens that an answer may have: max_tokens, and what the prompt leaves of the context.
  int64_t Budget(const Asked& asked) const;
  Answer FromModel(const Asked& asked, ChatAnswer said) const;
  Answer Own(const Asked& asked) const;

 private:
  Answer Finish(const Asked& asked, MockText content, bool cut) const;

  MockOptions::Content content_;
  int64_t context_tokens_;
  std::string before_;          // each answer, in its content
  MockText reasoning_, fixed_;  // fixed_: content that is not the model's
};

// kInvalid names the option and what it may be.
[[nodiscard]] Result<void> CheckOptions(const MockOptions& options, const ChatModel* model);

}  // namespace kw::mock
