#include "wire_form.h"

#include <fmt/format.h>

#include "kw/base/json.h"

namespace kw::mock {
namespace {

// A date that never changes: equal requests get equal bytes.
constexpr int64_t kCreated = 1'735'689'600;

std::string Quoted(std::string_view text) {
  std::string quoted = "\"";
  AppendJsonEscaped(text, quoted);
  return quoted + "\"";
}

std::string QuotedText(const MockText& text) { return Quoted(text.ToString()); }

std::string ChatUsage(const TokenUsage& usage) {
  return fmt::format(R"({{"prompt_tokens":{},"completion_tokens":{},"total_tokens":{},)"
                     R"("prompt_tokens_details":{{"cached_tokens":{}}},)"
                     R"("completion_tokens_details":{{"reasoning_tokens":{}}}}})",
                     usage.prompt, usage.completion, usage.prompt + usage.completion, usage.cached,
                     usage.reasoning);
}

std::string ChatBody(const Answer& answer, bool with_usage) {
  const std::string reasoning =
      answer.reasoning.size == 0 ? "" : ",\"reasoning_content\":" + QuotedText(answer.reasoning);
  return fmt::format(R"({{"id":"chatcmpl-{}","object":"chat.completion","created":{},"model":{},)"
                     R"("choices":[{{"index":0,"message":{{"role":"assistant","content":{}{}}},)"
                     R"("logprobs":null,"finish_reason":"{}"}}]{}}})",
                     answer.id, kCreated, Quoted(answer.model), QuotedText(answer.content),
                     reasoning, answer.cut ? "length" : "stop",
                     with_usage ? ",\"usage\":" + ChatUsage(answer.usage) : "");
}

std::string MessagesUsage(const TokenUsage& usage) {
  return fmt::format(
      R"({{"input_tokens":{},"cache_creation_input_tokens":0,"cache_read_input_tokens":{},)"
      R"("output_tokens":{}}})",
      usage.prompt, usage.cached, usage.completion);
}

std::string MessagesBody(const Answer& answer, bool with_usage) {
  std::string blocks;
  if (answer.reasoning.size > 0) {
    blocks = fmt::format(R"({{"type":"thinking","thinking":{},"signature":"mock"}},)",
                         QuotedText(answer.reasoning));
  }
  blocks += fmt::format(R"({{"type":"text","text":{}}})", QuotedText(answer.content));
  return fmt::format(
      R"({{"id":"msg_{}","type":"message","role":"assistant","model":{},"content":[{}],)"
      R"("stop_reason":"{}","stop_sequence":null{}}})",
      answer.id, Quoted(answer.model), blocks, answer.cut ? "max_tokens" : "end_turn",
      with_usage ? ",\"usage\":" + MessagesUsage(answer.usage) : "");
}

class ChatStream {
 public:
  ChatStream(const Asked& asked, const Answer& answer, std::string_view newline)
      : end_(std::string(newline) + std::string(newline)), usage_null_(asked.include_usage) {
    begin_ = fmt::format(
        R"(data: {{"id":"chatcmpl-{}","object":"chat.completion.chunk","created":{},"model":{},)"
        R"("system_fingerprint":"fp_mock","choices":)",
        answer.id, kCreated, Quoted(answer.model));
  }

  Segment Delta(const std::string& delta, const std::string& finish) const {
    return {.prefix = fmt::format(R"({}[{{"index":0,"delta":{})", begin_, delta),
            .suffix = Close(finish)};
  }
  Segment Text(const std::string& key, const MockText& text) const {
    return {.part = Segment::Part::kText,
            .prefix = fmt::format(R"({}[{{"index":0,"delta":{{"{}":")", begin_, key),
            .suffix = "\"}" + Close(""),
            .text = text};
  }
  Segment Usage(const TokenUsage& usage) const {
    return {.part = Segment::Part::kUsage,
            .prefix = begin_ + "[],\"usage\":" + ChatUsage(usage) + "}",
            .suffix = end_};
  }
  Segment Last() const {
    return {.part = Segment::Part::kLast, .prefix = "data: [DONE]", .suffix = end_};
  }

 private:
  std::string Close(const std::string& finish) const {
    return fmt::format(R"(,"logprobs":null,"finish_reason":{}}}]{}}}{})",
                       finish.empty() ? "null" : "\"" + finish + "\"",
                       usage_null_ ? ",\"usage\":null" : "", end_);
  }
  std::string begin_, end_;
  bool usage_null_;
};

std::vector<Segment> ChatSegments(const Asked& asked, const Answer& answer,
                                  std::string_view newline) {
  const ChatStream stream(asked, answer, newline);
  std::vector<Segment> segments = {stream.Delta(R"({"role":"assistant","content":""})", "")};
  if (answer.reasoning.size > 0) {
    segments.push_back(stream.Text("reasoning_content", answer.reasoning));
  }
  if (answer.content.size > 0) segments.push_back(stream.Text("content", answer.content));
  segments.push_back(stream.Delta("{}", answer.cut ? "length" : "stop"));
  if (asked.include_usage) segments.push_back(stream.Usage(answer.usage));
  segments.push_back(stream.Last());
  return segments;
}

Segment MessagesEvent(std::string_view name, std::string_view members, std::string_view newline,
                      Segment::Part part = Segment::Part::kFrame) {
  return {
      .part = part,
      .prefix = fmt::format(R"(event: {0}{1}data: {{"type":"{0}"{2}}})", name, newline, members),
      .suffix = fmt::format("{0}{0}", newline)};
}

void AddBlock(int index, bool thinking, const MockText& text, std::string_view newline,
              std::vector<Segment>& segments) {
  const char* type = thinking ? "thinking" : "text";
  segments.push_back(
      MessagesEvent("content_block_start",
                    fmt::format(R"(,"index":{},"content_block":{{"type":"{}","{}":""{}}})", index,
                                type, type, thinking ? R"(,"signature":"")" : ""),
                    newline));
  const std::string delta = fmt::format(
      R"(event: content_block_delta{}data: {{"type":"content_block_delta","index":{},"delta":)",
      newline, index);
  const std::string end = fmt::format("}}}}{0}{0}", newline);
  if (text.size > 0) {
    segments.push_back({.part = Segment::Part::kText,
                        .prefix = fmt::format(R"({}{{"type":"{}_delta","{}":")", delta, type, type),
                        .suffix = "\"" + end,
                        .text = text});
  }
  if (thinking) {
    segments.push_back(
        {.prefix = delta + R"({"type":"signature_delta","signature":"mock")", .suffix = end});
  }
  segments.push_back(
      MessagesEvent("content_block_stop", fmt::format(R"(,"index":{})", index), newline));
}

std::vector<Segment> MessagesSegments(const Answer& answer, std::string_view newline) {
  TokenUsage at_start = answer.usage;
  at_start.completion = 1;
  std::vector<Segment> segments = {
      MessagesEvent(
          "message_start",
          fmt::format(R"(,"message":{{"id":"msg_{}","type":"message","role":"assistant",)"
                      R"("model":{},"content":[],"stop_reason":null,"stop_sequence":null,)"
                      R"("usage":{}}})",
                      answer.id, Quoted(answer.model), MessagesUsage(at_start)),
          newline),
      MessagesEvent("ping", "", newline)};
  int index = 0;
  if (answer.reasoning.size > 0) AddBlock(index++, true, answer.reasoning, newline, segments);
  AddBlock(index, false, answer.content, newline, segments);
  segments.push_back(
      MessagesEvent("message_delta",
                    fmt::format(R"(,"delta":{{"stop_reason":"{}","stop_sequence":null}},)"
                                R"("usage":{{"output_tokens":{}}})",
                                answer.cut ? "max_tokens" : "end_turn", answer.usage.completion),
                    newline, Segment::Part::kUsage));
  segments.push_back(MessagesEvent("message_stop", "", newline, Segment::Part::kLast));
  return segments;
}

// Anthropic's word for a status.
std::string_view MessagesErrorType(int status) {
  switch (status) {
    case 401:
      return "authentication_error";
    case 404:
      return "not_found_error";
    case 413:
      return "request_too_large";
    case 429:
      return "rate_limit_error";
    case 529:
      return "overloaded_error";
    default:
      return status < 500 ? "invalid_request_error" : "api_error";
  }
}

}  // namespace

std::string PlainBody(const Asked& asked, const Answer& answer, bool with_usage) {
  return asked.protocol == Protocol::kMessages ? MessagesBody(answer, with_usage)
                                               : ChatBody(answer, with_usage);
}

std::vector<Segment> StreamSegments(const Asked& asked, const Answer& answer,
                                    std::string_view newline) {
  return asked.protocol == Protocol::kMessages ? MessagesSegments(answer, newline)
                                               : ChatSegments(asked, answer, newline);
}

std::string ErrorEvent(Protocol protocol, std::string_view newline) {
  const WireError error{.status = 529,
                        .type = "server_error",
                        .code = "500",
                        .message = "the simulated model failed"};
  return fmt::format("{0}data: {1}{2}{2}",
                     protocol == Protocol::kMessages ? fmt::format("event: error{}", newline) : "",
                     ErrorBody(protocol, error), newline);
}

std::string BrokenEvent(const Segment& segment, std::string_view newline) {
  const size_t half = segment.prefix.size() - segment.prefix.size() / 4;
  return fmt::format("{0}{1}{1}", segment.prefix.substr(0, half), newline);
}

std::string ErrorBody(Protocol protocol, const WireError& error) {
  Json body;
  if (protocol == Protocol::kMessages) {
    body = {{"type", "error"},
            {"error",
             {{"type", std::string(MessagesErrorType(error.status))}, {"message", error.message}}}};
  } else {
    body = {{"error",
             {{"message", error.message},
              {"type", error.type},
              {"param", nullptr},
              {"code", error.code.empty() ? Json(nullptr) : Json(error.code)}}}};
  }
  return DumpJson(body);
}

std::string ModelsBody(const std::vector<std::string>& models, int64_t context_tokens) {
  Json data = Json::array();
  for (const std::string& model : models) {
    data.push_back({{"id", model},
                    {"object", "model"},
                    {"created", kCreated},
                    {"owned_by", "kwright"},
                    {"max_model_len", context_tokens}});
  }
  return DumpJson({{"object", "list"}, {"data", std::move(data)}});
}

}  // namespace kw::mock
