// A stored failure that is read can be written, and read again to the same bytes.
#include <cstdint>
#include <string_view>

#include "kw/base/error.h"
#include "src/eval/oracle/replay.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto replay = kw::eval::ParseReplay(
      std::string_view(reinterpret_cast<const char*>(data), size), "a replay");
  if (!replay) return 0;
  const std::string text = kw::eval::FormatReplay(*replay);
  const auto again = kw::eval::ParseReplay(text, "the same replay");
  KW_CHECK(again.has_value(), "what was written is read");
  KW_CHECK(kw::eval::FormatReplay(*again) == text, "and says the same");
  return 0;
}
