// What a request asks, read from its body: the same for both protocols.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kw/base/error.h"
#include "kw/llm.h"

namespace kw::mock {

enum class Protocol { kChat, kMessages, kEmbeddings };

inline constexpr int64_t kMaxDimension = 8192;

struct Asked {
  Protocol protocol = Protocol::kChat;
  ChatRequest request;
  bool stream = false;
  bool include_usage = false;      // of a stream of chat completions
  std::vector<std::string> texts;  // kEmbeddings
  int64_t dimension = 0;           // kEmbeddings: 0 is the server's
  bool base64 = false;             // kEmbeddings
  int64_t prompt_tokens = 0;
  // Of everything on which the answer depends: names it.
  std::string key;
};

// kParse (no JSON) or kInvalid, with words for the client. max_tokens is 0 where none is given.
[[nodiscard]] Result<Asked> ReadAsked(Protocol protocol, std::string_view body);

}  // namespace kw::mock
