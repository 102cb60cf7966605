#include "kw/base/error.h"

#include <cstdio>
#include <cstdlib>

namespace kw {

std::string_view CodeName(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalid:
      return "invalid";
    case ErrorCode::kParse:
      return "parse";
    case ErrorCode::kNotFound:
      return "not_found";
    case ErrorCode::kIo:
      return "io";
    case ErrorCode::kUnavailable:
      return "unavailable";
    case ErrorCode::kTimeout:
      return "timeout";
    case ErrorCode::kLimit:
      return "limit";
    case ErrorCode::kConflict:
      return "conflict";
    case ErrorCode::kCancelled:
      return "cancelled";
    case ErrorCode::kCorrupt:
      return "corrupt";
    case ErrorCode::kInternal:
      return "internal";
  }
  return "internal";
}

Error Error::While(std::string_view activity) && {
  doing = doing.empty() ? std::string(activity) : std::string(activity) + ": " + doing;
  return std::move(*this);
}

std::string Error::ToString() const { return doing.empty() ? message : doing + ": " + message; }

void CheckFailed(const char* file, int line, const char* expression, std::string_view message) {
  std::fprintf(stderr, "%s:%d: a bug in kernelwright: %.*s (%s is false)\n", file, line,
               static_cast<int>(message.size()), message.data(), expression);
  std::abort();
}

}  // namespace kw
