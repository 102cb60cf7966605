#include "kw/base/log.h"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>

namespace kw::log {
namespace {

spdlog::logger& Logger() {
  static const std::shared_ptr<spdlog::logger> logger = [] {
    auto made = std::make_shared<spdlog::logger>(
        "kwright", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
    made->set_pattern("%^%l%$: %v");
    made->set_level(spdlog::level::warn);
    return made;
  }();
  return *logger;
}

spdlog::string_view_t View(std::string_view message) { return {message.data(), message.size()}; }

}  // namespace

void SetLevel(Level level) {
  switch (level) {
    case Level::kDebug:
      return Logger().set_level(spdlog::level::debug);
    case Level::kInfo:
      return Logger().set_level(spdlog::level::info);
    case Level::kWarn:
      return Logger().set_level(spdlog::level::warn);
    case Level::kError:
      return Logger().set_level(spdlog::level::err);
    case Level::kOff:
      return Logger().set_level(spdlog::level::off);
  }
}

void Debug(std::string_view message) { Logger().log(spdlog::level::debug, View(message)); }
void Info(std::string_view message) { Logger().log(spdlog::level::info, View(message)); }
void Warn(std::string_view message) { Logger().log(spdlog::level::warn, View(message)); }
void Error(std::string_view message) { Logger().log(spdlog::level::err, View(message)); }

}  // namespace kw::log
