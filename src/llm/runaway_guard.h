// Sees a model that says the same again and again while its answer comes, so that the stream can
// be stopped. docs/runaway-guard.md says it to users.
//
//   RunawayGuard answer(config), reasoning(config);     // one for each text
//   if (std::optional<FoundLoop> loop = answer.Feed(piece)) {
//     content.resize(loop->kept_bytes);                 // of all that was fed, this piece too
//     CloseStream();
//   }
//
// A loop is a unit that the text ends with `repeats` times: a unit of at most `unit_characters`
// characters, wherever the pieces begin and end, or of at most `unit_tokens` pieces. It is found
// when its last repeat is whole, or a few characters later. Healthy text repeats itself too:
//   1. A unit with a comma inside an open initialiser list: up to the array's declared bound, or
//      4,096 times where there is none (see open_list.h).
//   2. A unit without words (rulers, padding, tables of numbers, long literals): up to 512
//      characters in one line, or 32 times where it goes over lines.
//   3. Neither holds for blank lines and for code fences: they count as they are.
// While no loop is found nothing changes: what the caller has is what came.
//
// The result hangs on the text alone, not on how it was cut into pieces, but for units of more than
// `unit_characters`. O(1) a character, no allocation but a first one of 7 KiB; one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "kw/llm.h"

namespace kw::llm {

struct FoundLoop {
  std::string unit;           // one instance, from the begin of a line or word where it has one
  int64_t repeats = 0;        // whole instances that had come
  size_t kept_bytes = 0;      // what stays: the text before the loop, and `kept` instances
  int64_t dropped_bytes = 0;  // of what was fed
};

class RunawayGuard {
 public:
  // The config passes CheckRunawayConfig.
  explicit RunawayGuard(const RunawayConfig& config);
  RunawayGuard(RunawayGuard&&) noexcept;
  RunawayGuard& operator=(RunawayGuard&&) noexcept;
  ~RunawayGuard();

  // The next piece of the text: any bytes, a token as a rule. Gives a loop at most once; what is
  // fed afterwards is not read.
  [[nodiscard]] std::optional<FoundLoop> Feed(std::string_view piece);

 private:
  class Search;
  RunawayConfig config_;
  bool found_ = false;
  std::unique_ptr<Search> search_;  // made for the first piece
};

}  // namespace kw::llm
