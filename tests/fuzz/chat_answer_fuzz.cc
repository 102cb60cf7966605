// What an endpoint may send, read as an answer, as an error and as a list of models. Whatever the
// bytes are: no crash, and what comes out is valid UTF-8 of a bounded size.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "kw/base.h"
#include "src/llm/openai_wire.h"

namespace {

void Require(bool condition) {
  if (!condition) std::abort();
}

bool IsValidUtf8(const std::string& text) { return kw::ToValidUtf8(text) == text; }

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  const auto wire = kw::llm::OpenAiWire().Parse(body);
  if (wire) {
    Require(IsValidUtf8(wire->answer.content));
    Require(IsValidUtf8(wire->answer.finish_reason));
    Require(IsValidUtf8(wire->error));
    Require(wire->answer.usage.prompt >= 0 && wire->answer.usage.completion >= 0);
    Require(wire->error_status == 0 || (wire->error_status >= 400 && wire->error_status < 600));
    // Each broken byte becomes at most the three of U+FFFD.
    Require(wire->answer.content.size() <= 3 * size);
  } else {
    Require(wire.error().code == kw::ErrorCode::kParse);
    Require(IsValidUtf8(wire.error().message) && wire.error().message.size() < 600);
  }
  const std::string words = kw::llm::ErrorWords(body);
  Require(IsValidUtf8(words) && words.find('\n') == std::string::npos);
  if (const auto names = kw::llm::ParseModelList(body)) Require(names->size() <= size);
  return 0;
}
