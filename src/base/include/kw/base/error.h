// Errors as values.
//
// A kernel that fails to build, is wrong, hangs or is slow is data: a verdict. Trouble with the
// surroundings (network, disk, no nvcc, a malformed task folder) is a Result with an Error. A bug
// is a KW_CHECK, which prints and aborts. No exception leaves a room.
//
//   kw::Result<Task> LoadTask(const std::string& dir) {
//     KW_ASSIGN(std::string text, kw::ReadFile(dir + "/definition.json"));
//     if (text.empty()) return kw::Fail(kw::ErrorCode::kParse, "definition.json is empty");
//     KW_TRY(CheckText(text));
//     ...
//   }
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace kw {

enum class ErrorCode {
  kInvalid,      // what the caller or user gave is wrong: flag, key, value, name
  kParse,        // text that does not follow its format
  kNotFound,     // a file, task, run, item that is not there
  kIo,           // the disk or a pipe failed
  kUnavailable,  // a tool or endpoint is missing or does not answer
  kTimeout,      // it took longer than its limit
  kLimit,        // a size, count or budget was exceeded
  kConflict,     // it exists already, or another process holds it
  kCancelled,    // asked to stop
  kCorrupt,      // stored data fails its own checks
  kInternal,     // the other side broke its contract
};

// "invalid", "parse", ...: stable, for --json.
std::string_view CodeName(ErrorCode code);

struct [[nodiscard]] Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;  // what is wrong, where, and what to do
  std::string doing;    // what was being done, outermost first: "loading task x: reading y"

  // Adds what was being done: Fail(std::move(e).While("reading the task")).
  Error While(std::string_view activity) &&;
  // "loading task x: definition.json: unknown dtype 'float31' (did you mean float32?)"
  std::string ToString() const;
};

template <class T>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> Fail(ErrorCode code, std::string message) {
  return tl::unexpected<Error>(Error{code, std::move(message), {}});
}
inline tl::unexpected<Error> Fail(Error error) { return tl::unexpected<Error>(std::move(error)); }

[[noreturn]] void CheckFailed(const char* file, int line, const char* expression,
                              std::string_view message);

}  // namespace kw

// A condition that only a bug in this program can break.
#define KW_CHECK(condition, message)                                                \
  do {                                                                              \
    if (!(condition)) ::kw::CheckFailed(__FILE__, __LINE__, #condition, (message)); \
  } while (false)

#define KW_CONCAT_INNER(a, b) a##b
#define KW_CONCAT(a, b) KW_CONCAT_INNER(a, b)

// Returns the error of a Result<void> (or of any Result whose value is not needed).
#define KW_TRY(expression)                                   \
  do {                                                       \
    if (auto kw_try_result = (expression); !kw_try_result) { \
      return ::kw::Fail(std::move(kw_try_result).error());   \
    }                                                        \
  } while (false)

// KW_ASSIGN(auto x, F()): declares x as F()'s value, or returns F()'s error.
#define KW_ASSIGN(declaration, expression) \
  KW_ASSIGN_INNER(KW_CONCAT(kw_assign_, __LINE__), declaration, expression)
#define KW_ASSIGN_INNER(result, declaration, expression)     \
  auto result = (expression);                                \
  if (!result) return ::kw::Fail(std::move(result).error()); \
  declaration = std::move(*result)
