// What is said to an endpoint and what it says back, in the words of its API.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kw/llm.h"

namespace kw::llm {

struct WireAnswer {
  // HTTP status that an endpoint hid in a body sent with 200 ({"error": {"code": 429, ...}}); then
  // nothing else is set but `error`. 0: none.
  int error_status = 0;
  std::string error;
  ChatAnswer answer;  // content, reasoning, finish_reason, model and usage
  bool has_usage = false;
};

// Follows one streamed answer.
class StreamReader {
 public:
  // What an event adds; a text may begin or end inside a character. Both live until the next event.
  struct Piece {
    std::string_view content, reasoning;
  };
  // What is known so far.
  struct Facts {
    std::string model, finish_reason;
    TokenUsage usage;
    bool has_usage = false;
    bool ended = false;    // the endpoint said that nothing more comes
    int error_status = 0;  // it said instead that it cannot go on
    std::string error;
  };

  virtual ~StreamReader() = default;
  // One server-sent event; `data` is followed by SseParser::kPadding readable bytes. kParse where
  // it is none of a stream of answers: says why, and shows how it begins.
  virtual Result<Piece> Read(std::string_view event, std::string_view data) = 0;
  const Facts& facts() const { return facts_; }

 protected:
  Facts facts_;
};

// What some models want otherwise.
struct WireTraits {
  bool max_completion_tokens = false;  // the limit's name; they refuse max_tokens
  bool fixed_temperature = false;      // they refuse any temperature
};

// No state; any thread.
class Wire {
 public:
  virtual ~Wire() = default;
  virtual std::string Path() const = 0;  // of chat requests, behind the base URL
  // What its requests carry beside their content type; a key of "" is none.
  virtual std::vector<std::string> Headers(const std::string& key) const = 0;
  virtual std::string Encode(const ChatRequest& request, bool stream,
                             const WireTraits& traits) const = 0;
  // A whole answer in one body. kParse when it is none: says why, and shows how it begins.
  virtual Result<WireAnswer> Parse(std::string_view body) const = 0;
  virtual std::unique_ptr<StreamReader> NewStream() const = 0;
};
const Wire& OpenAiWire();     // chat completions
const Wire& AnthropicWire();  // messages
inline const Wire& WireOf(ApiKind api) {
  return api == ApiKind::kAnthropic ? AnthropicWire() : OpenAiWire();
}

}  // namespace kw::llm
