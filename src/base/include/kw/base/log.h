// Messages for people, on stderr (spdlog underneath). Results go to stdout, never here.
// Thread-safe.
#pragma once

#include <string_view>

namespace kw::log {

enum class Level { kDebug, kInfo, kWarn, kError, kOff };
void SetLevel(Level level);  // default: kWarn

void Debug(std::string_view message);
void Info(std::string_view message);
void Warn(std::string_view message);
void Error(std::string_view message);

}  // namespace kw::log
