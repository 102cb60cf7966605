// A verdict that is read can be written, and read again to the same bytes.
#include <cstdint>
#include <string_view>

#include "kw/base/error.h"
#include "kw/eval/worker.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto verdict =
      kw::eval::VerdictFromJson(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!verdict) return 0;
  const std::string text = kw::eval::VerdictToJson(*verdict);
  const auto again = kw::eval::VerdictFromJson(text);
  KW_CHECK(again.has_value(), "what was written is read");
  KW_CHECK(kw::eval::VerdictToJson(*again) == text, "and says the same");
  return 0;
}
