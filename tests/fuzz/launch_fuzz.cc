// A launch that is read can be written, and read again to the same; a refusal says where.
#include <cstdint>
#include <string_view>

#include "kw/base/error.h"
#include "src/eval/check/launch_expression.h"
#include "src/eval/check/launch_program.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto launch =
      kw::eval::ParseLaunch(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!launch) {
    KW_CHECK(launch.error().message.starts_with("a launch"), "a refusal says where");
    return 0;
  }
  const std::string text = kw::eval::FormatLaunch(*launch);
  const auto again = kw::eval::ParseLaunch(text);
  // Spelt out it may be longer than a launch may be.
  if (again) KW_CHECK(kw::eval::FormatLaunch(*again) == text, "and says the same");
  KW_CHECK(kw::eval::LaunchProgram({*launch}).size() < (64 << 10) + 8 * text.size(), "of its size");
  return 0;
}
