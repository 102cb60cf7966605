// What of a request decides its answer, as one text: docs/formats/response-cache.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "kw/llm.h"

namespace kw::recording {

// A text that a recording may hold, request or answer, unpacked.
inline constexpr size_t kMaxRecordedBytes = 64 << 20;

struct CountedRequest {
  ChatRequest request;  // without what does not count
  std::string variant;
  int64_t occurrence = 0;
};

// Each call of such a request is one of its own: random, and not to be had again by a seed.
inline bool IsUnrepeatable(const ChatRequest& request) {
  return request.temperature > 0 && !request.seed;
}

// One line of JSON with its keys in a fixed order, valid UTF-8 (bytes that are none are replaced as
// they are when the request is sent). kInvalid for numbers that are not finite, kLimit beyond
// kMaxRecordedBytes.
[[nodiscard]] Result<std::string> CanonicalRequest(const ChatRequest& request,
                                                   std::string_view variant, int64_t occurrence);

// Of bytes that anybody may have made. kParse, kInvalid or kLimit.
[[nodiscard]] Result<CountedRequest> ParseCanonicalRequest(std::string_view text);

// JSON of at most kMaxRecordedBytes whose values are so few that they fit into memory.
[[nodiscard]] Result<void> CheckJsonSize(std::string_view text, std::string_view where);

}  // namespace kw::recording
