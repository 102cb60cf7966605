// Reading a configuration from text; LoadRunConfig (kw/agent.h) reads a file and its overrides.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kw/agent.h"

namespace kw {

using Overrides = std::vector<std::pair<std::string, std::string>>;

// `where` names the text in errors. run.name stays empty when the text gives none.
[[nodiscard]] Result<RunConfig> ParseRunConfig(std::string_view text, const std::string& where,
                                               const Overrides& overrides);

// Every key with its value as one JSON object, for the journal, and back.
std::string RunConfigToJson(const RunConfig& config);
[[nodiscard]] Result<RunConfig> RunConfigFromJson(std::string_view json);

// What decides a run's course, a key a line: the keys without names, paths and those that may
// change on resume.
std::string CanonicalConfig(const RunConfig& config);

// Sets the keys that may change between a run's start and its resumption: those that have no part
// in what the run does. kInvalid for any other.
[[nodiscard]] Result<void> OverrideOnResume(RunConfig& config, const Overrides& overrides);

}  // namespace kw
