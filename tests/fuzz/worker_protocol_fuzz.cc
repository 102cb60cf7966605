// A message that is read can be written, and read again to the same bytes.
#include <cstdint>
#include <string_view>

#include "kw/base/error.h"
#include "src/eval/worker/protocol.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto message =
      kw::eval::ParseMessage(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!message) return 0;
  std::string line = kw::eval::FormatMessage(*message);
  KW_CHECK(line.find('\n') == line.size() - 1, "a message is one line");
  const auto again = kw::eval::ParseMessage(std::string_view(line).substr(0, line.size() - 1));
  KW_CHECK(again.has_value(), "what was written is read");
  KW_CHECK(kw::eval::FormatMessage(*again) == line, "and says the same");
  return 0;
}
