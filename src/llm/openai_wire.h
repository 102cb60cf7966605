// What chat completions and their streams have in common.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "wire.h"
#include "wire_json.h"

namespace kw::llm {

// False where it counts nothing.
bool ReadUsage(const Json& usage, TokenUsage& read);
// Adds the texts of a message or of a part of one. False where the content is neither text nor
// parts.
bool ReadTexts(const Json& message, std::string& content, std::string& reasoning);
// The HTTP status that an {"error": ...} means: 500 where it does not say.
int StatusOfError(const Json& error);

std::unique_ptr<StreamReader> NewOpenAiStream();

// The body of GET /models; Anthropic's list has the same form.
Result<std::vector<ListedModel>> ParseModelList(std::string_view body);

}  // namespace kw::llm
