// How an answer looks in each protocol: a plain body, or the events of a stream. Built once a
// request; what changes from event to event is its text alone.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "asked.h"
#include "mock_text.h"

namespace kw::mock {

struct Answer {
  std::string id;  // hexadecimal
  std::string model;
  MockText reasoning, content;
  bool cut = false;  // at max_tokens or at the context's end
  TokenUsage usage;
};

// One kind of event: prefix, a chunk of the text as it stands in a JSON string, suffix. A segment
// without text is one event, prefix + suffix.
struct Segment {
  enum class Part { kFrame, kText, kUsage, kLast };
  Part part = Part::kFrame;
  std::string prefix, suffix;
  MockText text;
};

std::string PlainBody(const Asked& asked, const Answer& answer, bool with_usage);
// `newline` is "\n" or "\r\n".
std::vector<Segment> StreamSegments(const Asked& asked, const Answer& answer,
                                    std::string_view newline);
// The event that says that the server failed in the middle.
std::string ErrorEvent(Protocol protocol, std::string_view newline);
// The event of a segment, cut off in its JSON.
std::string BrokenEvent(const Segment& segment, std::string_view newline);

// `type` as OpenAI names it; `code` may be "".
struct WireError {
  int status = 500;
  std::string type, code, message;
};
std::string ErrorBody(Protocol protocol, const WireError& error);

std::string ModelsBody(const std::vector<std::string>& models, int64_t context_tokens);
std::string EmbeddingsBody(const Asked& asked, int64_t dimension, bool with_usage);

// A vector of length 1 from the words of a text: texts that share words are near to each other.
std::vector<float> MockEmbedding(std::string_view text, int64_t dimension);

}  // namespace kw::mock
