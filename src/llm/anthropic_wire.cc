// Anthropic's Messages API, version 2023-06-01: requests out, whole and streamed answers in.
#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>

#include "kw/base.h"
#include "sse.h"
#include "utf8_joiner.h"
#include "wire.h"
#include "wire_json.h"

namespace kw::llm {
namespace {

// "end_turn" and "stop_sequence" are what others call "stop".
std::string FinishReasonOf(const std::string& stop_reason) {
  if (stop_reason == "end_turn" || stop_reason == "stop_sequence") return "stop";
  if (stop_reason == "max_tokens") return "length";
  if (stop_reason == "refusal") return "content_filter";
  return stop_reason;
}

// The HTTP status that the kind of an error stands for, where it comes in a stream.
int StatusOfKind(const std::string& kind) {
  struct Named {
    std::string_view kind;
    int status;
  };
  constexpr Named kKinds[] = {{"invalid_request_error", 400},
                              {"authentication_error", 401},
                              {"permission_error", 403},
                              {"not_found_error", 404},
                              {"request_too_large", 413},
                              {"rate_limit_error", 429},
                              {"api_error", 500},
                              {"overloaded_error", 529}};
  for (const Named& known : kKinds) {
    if (known.kind == kind) return known.status;
  }
  return 500;
}

// What is read from the cache and what is written to it count as the prompt too.
void ReadAnthropicUsage(const Json& usage, TokenUsage& read) {
  const int64_t cached = CountMember(&usage, "cache_read_input_tokens");
  const int64_t prompt = CountMember(&usage, "input_tokens") +
                         CountMember(&usage, "cache_creation_input_tokens") + cached;
  // The counts at the end of a stream may leave out those of its beginning.
  if (prompt > 0) {
    read.prompt = prompt;
    read.cached = cached;
  }
  read.completion = std::max(read.completion, CountMember(&usage, "output_tokens"));
}

void ReadBlock(const Json& block, std::string& content, std::string& reasoning) {
  content += StringMember(block, "text");
  reasoning += StringMember(block, "thinking");
}

class AnthropicStream : public StreamReader {
 public:
  Result<Piece> Read(std::string_view, std::string_view data) override {
    Piece piece;
    if (ReadDelta(data, piece)) return piece;
    return ReadAny(data);
  }

 private:
  // Events that hold text, as nearly all do; false for others.
  bool ReadDelta(std::string_view data, Piece& piece);
  Result<Piece> ReadAny(std::string_view data);

  std::string content_, reasoning_;  // of ReadAny
};

bool AnthropicStream::ReadDelta(std::string_view data, Piece& piece) {
  namespace dom = simdjson::dom;
  dom::object event, delta;
  std::string_view type;
  if (ParsePlainEvent(data).get(event) || event["type"].get(type) ||
      type != "content_block_delta" || event["delta"].get(delta)) {
    return false;
  }
  for (const auto& [key, value] : delta) {
    if (key == "text" && value.get(piece.content)) return false;
    if (key == "thinking" && value.get(piece.reasoning)) return false;
  }
  return true;
}

Result<StreamReader::Piece> AnthropicStream::ReadAny(std::string_view data) {
  bool marked = false;
  KW_ASSIGN(const Json event, ParseEvent(data, &marked));
  const std::string type = StringMember(event, "type");
  content_.clear();
  reasoning_.clear();
  if (const Json* error = Member(event, "error"); error != nullptr) {
    facts_.error_status = StatusOfKind(StringMember(*error, "type"));
    facts_.error = ErrorWords(data);
  } else if (type == "message_start") {
    if (const Json* message = Member(event, "message")) {
      facts_.model = StringMember(*message, "model");
      // What it counts of the answer is of its first token; the rest comes at the end.
      if (const Json* usage = Member(*message, "usage")) ReadAnthropicUsage(*usage, facts_.usage);
    }
  } else if (type == "content_block_start") {
    if (const Json* block = Member(event, "content_block")) ReadBlock(*block, content_, reasoning_);
  } else if (type == "content_block_delta") {
    if (const Json* delta = Member(event, "delta")) ReadBlock(*delta, content_, reasoning_);
  } else if (type == "message_delta") {
    if (const Json* delta = Member(event, "delta")) {
      const std::string reason = StringMember(*delta, "stop_reason");
      if (!reason.empty()) facts_.finish_reason = FinishReasonOf(reason);
    }
    if (const Json* usage = Member(event, "usage")) {
      ReadAnthropicUsage(*usage, facts_.usage);
      facts_.has_usage = true;
    }
  } else if (type == "message_stop") {
    facts_.ended = true;
  } else if (type.empty()) {
    return Fail(ErrorCode::kParse, "an event of the stream has no type; it begins: " +
                                       Shorten(DumpJson(event), kShownBytes));
  }
  if (marked) {
    content_ = RestoreBrokenBytes(content_);
    reasoning_ = RestoreBrokenBytes(reasoning_);
  }
  return Piece{content_, reasoning_};
}

// Text with a mark where what other requests begin with ends; "" of either part is left out.
Json ContentOf(const ChatMessage& message) {
  const size_t stable = std::min(message.stable_bytes, message.content.size());
  if (stable == 0) return message.content;
  Json parts = Json::array();
  parts.push_back({{"type", "text"},
                   {"text", message.content.substr(0, stable)},
                   {"cache_control", {{"type", "ephemeral"}}}});
  if (stable < message.content.size()) {
    parts.push_back({{"type", "text"}, {"text", message.content.substr(stable)}});
  }
  return parts;
}

class Anthropic : public Wire {
 public:
  std::string Path() const override { return "/messages"; }

  std::vector<std::string> Headers(const std::string& key) const override {
    std::vector<std::string> headers = {"anthropic-version: 2023-06-01"};
    if (!key.empty()) headers.push_back("x-api-key: " + key);
    return headers;
  }

  std::string Encode(const ChatRequest& request, bool stream,
                     const WireTraits& traits) const override {
    Json body = {{"model", request.model}, {"max_tokens", request.max_tokens}};
    Json messages = Json::array(), system = Json::array();
    for (const ChatMessage& message : request.messages) {
      if (message.role != "system") {
        messages.push_back({{"role", message.role}, {"content", ContentOf(message)}});
        continue;
      }
      const Json content = ContentOf(message);
      if (content.is_array()) {
        system.insert(system.end(), content.begin(), content.end());
      } else {
        system.push_back({{"type", "text"}, {"text", content}});
      }
    }
    if (!system.empty()) body["system"] = std::move(system);
    body["messages"] = std::move(messages);
    // Beyond 1 there is no temperature here.
    if (!traits.fixed_temperature) body["temperature"] = std::min(request.temperature, 1.0);
    if (request.top_p != 1.0) body["top_p"] = request.top_p;
    if (!request.stop.empty()) body["stop_sequences"] = request.stop;
    if (stream) body["stream"] = true;
    return DumpJson(body);
  }

  Result<WireAnswer> Parse(std::string_view body) const override {
    KW_ASSIGN(const Json json, ParseBody(body));
    WireAnswer wire;
    if (const Json* error = Member(json, "error"); error != nullptr) {
      wire.error_status = StatusOfKind(StringMember(*error, "type"));
      wire.error = ErrorWords(body);
      return wire;
    }
    const Json* content = Member(json, "content");
    if (content == nullptr || !content->is_array()) {
      return Fail(ErrorCode::kParse, "the answer is no message: no 'content'; it begins: " +
                                         Shorten(DumpJson(json), kShownBytes));
    }
    for (const Json& block : *content) {
      ReadBlock(block, wire.answer.content, wire.answer.reasoning);
    }
    wire.answer.finish_reason = FinishReasonOf(StringMember(json, "stop_reason"));
    wire.answer.model = StringMember(json, "model");
    if (const Json* usage = Member(json, "usage")) {
      ReadAnthropicUsage(*usage, wire.answer.usage);
      wire.has_usage = wire.answer.usage.prompt > 0 || wire.answer.usage.completion > 0;
    }
    return wire;
  }

  std::unique_ptr<StreamReader> NewStream() const override {
    return std::make_unique<AnthropicStream>();
  }
};

}  // namespace

const Wire& AnthropicWire() {
  static const Anthropic wire;
  return wire;
}

}  // namespace kw::llm
