#include "request_key.h"

#include <fmt/format.h>

#include <climits>
#include <cmath>

#include "kw/base/json.h"

namespace kw::recording {
namespace {

constexpr std::string_view kRecordedRequest = "the recorded request";
// A value takes up to a hundred bytes of memory for two of text.
constexpr int64_t kMaxJsonValues = 1'000'000;

Result<ChatMessage> ReadMessage(const Json& json) {
  ObjectReader reader(json, std::string(kRecordedRequest) + ": messages");
  ChatMessage message;
  KW_ASSIGN(message.role, reader.Required<std::string>("role"));
  KW_ASSIGN(message.content, reader.Required<std::string>("content"));
  KW_TRY(reader.RejectUnknown());
  return message;
}

Result<std::optional<uint64_t>> ReadSeed(const Json* seed) {
  if (seed == nullptr) return std::nullopt;
  if (!seed->is_number_unsigned()) {
    return Fail(ErrorCode::kInvalid,
                fmt::format("{}: 'seed' must be an integer from 0 on", kRecordedRequest));
  }
  return seed->get<uint64_t>();
}

}  // namespace

Result<void> CheckJsonSize(std::string_view text, std::string_view where) {
  if (text.size() > kMaxRecordedBytes) {
    return Fail(ErrorCode::kLimit,
                fmt::format("{} has more than {} MiB", where, kMaxRecordedBytes >> 20));
  }
  int64_t values = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string && c == '\\') {
      ++i;
    } else if (c == '"') {
      in_string = !in_string;
    } else if (!in_string && (c == ',' || c == '[' || c == '{')) {
      ++values;
    }
  }
  if (values <= kMaxJsonValues) return {};
  return Fail(ErrorCode::kLimit, fmt::format("{} has more than {} values", where, kMaxJsonValues));
}

Result<std::string> CanonicalRequest(const ChatRequest& request, std::string_view variant,
                                     int64_t occurrence) {
  if (!std::isfinite(request.temperature) || !std::isfinite(request.top_p)) {
    return Fail(ErrorCode::kInvalid, "a chat request's temperature and top_p must be finite");
  }
  Json messages = Json::array();
  for (const ChatMessage& message : request.messages) {
    messages.push_back({{"role", message.role}, {"content", message.content}});
  }
  Json json;
  json["variant"] = std::string(variant);
  json["model"] = request.model;
  // Adding zero makes one zero of the two.
  json["temperature"] = request.temperature + 0.0;
  json["top_p"] = request.top_p + 0.0;
  json["max_tokens"] = request.max_tokens;
  json["stop"] = request.stop;
  if (request.temperature > 0 && request.seed) json["seed"] = *request.seed;
  if (occurrence > 0) json["occurrence"] = occurrence;
  json["messages"] = std::move(messages);
  std::string text = DumpJson(json);
  KW_TRY(CheckJsonSize(text, "the request"));
  return text;
}

Result<CountedRequest> ParseCanonicalRequest(std::string_view text) {
  KW_TRY(CheckJsonSize(text, kRecordedRequest));
  KW_ASSIGN(const Json json, ParseJson(text, kRecordedRequest));
  ObjectReader reader(json, std::string(kRecordedRequest));
  CountedRequest counted;
  ChatRequest& request = counted.request;
  KW_ASSIGN(counted.variant, reader.Required<std::string>("variant"));
  KW_ASSIGN(request.model, reader.Required<std::string>("model"));
  KW_ASSIGN(request.temperature, reader.Required<double>("temperature"));
  KW_ASSIGN(request.top_p, reader.Required<double>("top_p"));
  KW_ASSIGN(const int64_t max_tokens, reader.Required<int64_t>("max_tokens"));
  if (max_tokens < INT_MIN || max_tokens > INT_MAX) {
    return Fail(ErrorCode::kInvalid,
                fmt::format("{}: 'max_tokens' is {}", kRecordedRequest, max_tokens));
  }
  request.max_tokens = static_cast<int>(max_tokens);
  KW_ASSIGN(request.stop, reader.Required<std::vector<std::string>>("stop"));
  KW_ASSIGN(request.seed, ReadSeed(reader.Find("seed")));
  KW_ASSIGN(counted.occurrence, reader.Optional<int64_t>("occurrence", 0));
  const Json* messages = reader.Find("messages");
  if (messages == nullptr || !messages->is_array()) {
    return Fail(ErrorCode::kInvalid,
                fmt::format("{}: 'messages' must be an array", kRecordedRequest));
  }
  for (const Json& message : *messages) {
    KW_ASSIGN(request.messages.emplace_back(), ReadMessage(message));
  }
  KW_TRY(reader.RejectUnknown());
  return counted;
}

}  // namespace kw::recording
