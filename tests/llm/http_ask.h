// A request, and a client of a mock server that does not wait between its tries.
#pragma once

#include <memory>
#include <string>

#include "kw/llm.h"
#include "llm/mock_server.h"

namespace kw {

inline ChatRequest Ask(const std::string& text, const std::string& model = "m") {
  ChatRequest request;
  request.model = model;
  request.messages = {{"user", text}};
  return request;
}

inline std::unique_ptr<ChatModel> Open(const MockServer& server, HttpModelConfig config = {}) {
  config.base_url = server.base_url();
  config.retry_base_ms = 1;
  return MakeHttpModel(config).value();
}

}  // namespace kw
