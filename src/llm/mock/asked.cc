#include "asked.h"

#include <fmt/format.h>

#include <algorithm>
#include <climits>

#include "kw/base/hash.h"
#include "kw/base/json.h"
#include "mock_text.h"

namespace kw::mock {
namespace {

// A member that is there and not null.
const Json* Given(ObjectReader& reader, const std::string& key) {
  const Json* member = reader.Find(key);
  return member == nullptr || member->is_null() ? nullptr : member;
}

template <class T>
Result<T> Otherwise(ObjectReader& reader, const std::string& key, T otherwise) {
  if (Given(reader, key) == nullptr) return otherwise;
  return reader.Required<T>(key);
}

// A text, or an array of parts of type text.
Result<std::string> TextOf(const Json& content, const std::string& where) {
  if (content.is_null()) return std::string();
  if (content.is_string()) return content.get<std::string>();
  const Error no_text{ErrorCode::kInvalid, where + ": must be a text or an array of text parts"};
  if (!content.is_array()) return Fail(no_text);
  std::string text;
  for (const Json& part : content) {
    if (!part.is_object()) return Fail(no_text);
    ObjectReader reader(part, where);
    KW_ASSIGN(const std::string piece, reader.Required<std::string>("text"));
    text += piece;
  }
  return text;
}

Result<void> ReadMessages(ObjectReader& body, std::vector<ChatMessage>& messages) {
  const Json* list = Given(body, "messages");
  if (list == nullptr || !list->is_array() || list->empty()) {
    return Fail(ErrorCode::kInvalid, "'messages' must be an array with at least one message");
  }
  for (size_t i = 0; i < list->size(); ++i) {
    const std::string where = fmt::format("messages[{}]", i);
    ObjectReader reader((*list)[i], where);
    ChatMessage message;
    KW_ASSIGN(message.role, reader.Required<std::string>("role"));
    if (const Json* content = reader.Find("content"); content != nullptr) {
      KW_ASSIGN(message.content, TextOf(*content, where + ".content"));
    }
    messages.push_back(std::move(message));
  }
  return {};
}

Result<void> ReadStops(ObjectReader& body, const std::string& key, std::vector<std::string>& to) {
  const Json* stop = Given(body, key);
  if (stop == nullptr) return {};
  if (stop->is_string()) {
    to = {stop->get<std::string>()};
    return {};
  }
  KW_ASSIGN(to, body.Required<std::vector<std::string>>(key));
  return {};
}

Result<void> ReadSampling(ObjectReader& body, ChatRequest& request) {
  KW_ASSIGN(request.temperature, Otherwise(body, "temperature", 1.0));
  KW_ASSIGN(request.top_p, Otherwise(body, "top_p", 1.0));
  if (!(request.temperature >= 0 && request.temperature <= 2)) {
    return Fail(ErrorCode::kInvalid,
                fmt::format("temperature must be in [0, 2], not {}", request.temperature));
  }
  if (!(request.top_p > 0 && request.top_p <= 1)) {
    return Fail(ErrorCode::kInvalid, fmt::format("top_p must be in (0, 1], not {}", request.top_p));
  }
  // Greedy answers do not depend on the seed.
  if (request.temperature > 0 && Given(body, "seed") != nullptr) {
    KW_ASSIGN(const int64_t seed, body.Required<int64_t>("seed"));
    request.seed = static_cast<uint64_t>(seed);
  }
  return {};
}

Result<void> ReadMaxTokens(ObjectReader& body, bool required, ChatRequest& request) {
  request.max_tokens = 0;
  const char* newer = "max_completion_tokens";
  const std::string key = Given(body, newer) != nullptr ? newer : "max_tokens";
  if (Given(body, key) == nullptr) {
    if (required) return Fail(ErrorCode::kInvalid, "max_tokens: Field required");
    return {};
  }
  KW_ASSIGN(const int64_t tokens, body.Required<int64_t>(key));
  if (tokens < 1) {
    return Fail(ErrorCode::kInvalid, fmt::format("{} must be at least 1, not {}", key, tokens));
  }
  request.max_tokens = static_cast<int>(std::min<int64_t>(tokens, INT_MAX));
  return {};
}

Result<void> ReadChat(ObjectReader& body, Asked& asked) {
  KW_TRY(ReadMessages(body, asked.request.messages));
  KW_TRY(ReadSampling(body, asked.request));
  KW_TRY(ReadMaxTokens(body, false, asked.request));
  KW_TRY(ReadStops(body, "stop", asked.request.stop));
  KW_ASSIGN(asked.stream, Otherwise(body, "stream", false));
  KW_ASSIGN(const int64_t choices, Otherwise<int64_t>(body, "n", 1));
  if (choices != 1) return Fail(ErrorCode::kInvalid, "n: only 1 is served");
  if (const Json* options = Given(body, "stream_options"); options != nullptr) {
    ObjectReader reader(*options, "stream_options");
    KW_ASSIGN(asked.include_usage, reader.Optional<bool>("include_usage", false));
  }
  return {};
}

Result<void> ReadAnthropic(ObjectReader& body, Asked& asked) {
  if (const Json* system = Given(body, "system"); system != nullptr) {
    KW_ASSIGN(std::string text, TextOf(*system, "system"));
    asked.request.messages.push_back({"system", std::move(text)});
  }
  KW_TRY(ReadMessages(body, asked.request.messages));
  for (const ChatMessage& message : asked.request.messages) {
    const bool first = &message == &asked.request.messages.front();
    if (message.role == "user" || message.role == "assistant") continue;
    if (first && message.role == "system" && body.Has("system")) continue;
    return Fail(ErrorCode::kInvalid, "messages: Unexpected role \"" + message.role +
                                         "\". The allowed roles are \"user\" or \"assistant\"");
  }
  KW_TRY(ReadSampling(body, asked.request));
  KW_TRY(ReadMaxTokens(body, true, asked.request));
  KW_TRY(ReadStops(body, "stop_sequences", asked.request.stop));
  KW_ASSIGN(asked.stream, Otherwise(body, "stream", false));
  return {};
}

Result<void> ReadEmbeddings(ObjectReader& body, Asked& asked) {
  const Json* input = Given(body, "input");
  if (input != nullptr && input->is_string()) {
    asked.texts = {input->get<std::string>()};
  } else {
    KW_ASSIGN(asked.texts, body.Required<std::vector<std::string>>("input"));
  }
  if (asked.texts.empty()) return Fail(ErrorCode::kInvalid, "'input' must not be empty");
  KW_ASSIGN(asked.dimension, Otherwise<int64_t>(body, "dimensions", 0));
  const bool chosen = Given(body, "dimensions") != nullptr;
  if (asked.dimension < (chosen ? 1 : 0) || asked.dimension > kMaxDimension) {
    return Fail(ErrorCode::kInvalid, fmt::format("dimensions must be in [1, {}]", kMaxDimension));
  }
  KW_ASSIGN(const std::string format, Otherwise<std::string>(body, "encoding_format", "float"));
  if (format != "float" && format != "base64") {
    return Fail(ErrorCode::kInvalid, "encoding_format must be 'float' or 'base64'");
  }
  asked.base64 = format == "base64";
  return {};
}

std::string KeyOf(const Asked& asked) {
  const ChatRequest& request = asked.request;
  Hasher hasher;
  hasher.Add(static_cast<int64_t>(asked.protocol)).Add(request.model);
  for (const ChatMessage& message : request.messages) {
    hasher.Add(message.role).Add(message.content);
  }
  hasher.Add(fmt::format("{} {} {} {}", request.temperature, request.top_p, request.max_tokens,
                         request.seed ? fmt::format("seed {}", *request.seed) : "none"));
  for (const std::string& stop : request.stop) hasher.Add(stop);
  for (const std::string& text : asked.texts) hasher.Add(text);
  return hasher.Hex();
}

}  // namespace

Result<Asked> ReadAsked(Protocol protocol, std::string_view body) {
  KW_ASSIGN(const Json json, ParseJson(body, "the body"));
  if (!json.is_object()) return Fail(ErrorCode::kInvalid, "the body must be a JSON object");
  ObjectReader reader(json, "the body");
  Asked asked{.protocol = protocol};
  KW_ASSIGN(asked.request.model, reader.Required<std::string>("model"));
  if (protocol == Protocol::kChat) KW_TRY(ReadChat(reader, asked));
  if (protocol == Protocol::kMessages) KW_TRY(ReadAnthropic(reader, asked));
  if (protocol == Protocol::kEmbeddings) KW_TRY(ReadEmbeddings(reader, asked));
  size_t bytes = 0;
  for (const ChatMessage& message : asked.request.messages) bytes += message.content.size();
  for (const std::string& text : asked.texts) bytes += text.size();
  asked.prompt_tokens = TokensOf(bytes);
  asked.key = KeyOf(asked);
  return asked;
}

}  // namespace kw::mock
