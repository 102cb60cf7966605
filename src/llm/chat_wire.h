// Chat completions as OpenAI-compatible endpoints write them: requests out, answers and errors in.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "kw/llm.h"

namespace kw::llm {

// The body of POST /chat/completions.
std::string EncodeChatRequest(const ChatRequest& request);

struct WireAnswer {
  // HTTP status that an endpoint hid in a body sent with 200 ({"error": {"code": 429, ...}}); then
  // nothing else is set but `error`. 0: none.
  int error_status = 0;
  std::string error;
  ChatAnswer answer;  // content, finish_reason, model and tokens
};
// kParse when it is no chat completion: says why, and shows how the body begins.
Result<WireAnswer> ParseChatAnswer(std::string_view body);

// The endpoint's own words in the body of an error answer: the message (and kind) of the common
// JSON forms, the text of an HTML page, else the body as it is; shortened, one line. "" when the
// body says nothing.
std::string ErrorWords(std::string_view body);

// The names in the body of GET /models.
Result<std::vector<std::string>> ParseModelList(std::string_view body);

}  // namespace kw::llm
