// An experiment's text against any bytes: a configuration or an error, and what was read says the
// same after its way through the journal.
#include <cstdint>
#include <string_view>

#include "kw/base/error.h"
#include "src/agent/config.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto config = kw::ParseRunConfig(text, "experiment.toml", {});
  if (!config) return 0;
  KW_CHECK(config->samples == config->parallel * config->iterations, "the samples add up");
  const std::string json = kw::RunConfigToJson(*config);
  const auto again = kw::RunConfigFromJson(json);
  KW_CHECK(again.has_value(), "what was written is read");
  KW_CHECK(kw::RunConfigToJson(*again) == json, "and says the same");
  return 0;
}
