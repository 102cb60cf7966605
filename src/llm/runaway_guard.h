// Sees a model that says the same again and again while its answer comes, so that the stream can
// be stopped. docs/runaway-guard.md says it to users.
//
//   RunawayGuard guard(config);                         // one for each text
//   text += piece;
//   if (std::optional<FoundLoop> loop = guard.Read(text)) {
//     text.resize(loop->kept_bytes);
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
// `unit_characters`. O(1) a character, amortised; one thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "kw/llm.h"
#include "loop_unit.h"
#include "open_list.h"

namespace kw::llm {

inline constexpr int kMostUnitTokens = 8;

struct FoundLoop {
  std::string unit;           // one instance, from the begin of a line or word where it has one
  int64_t repeats = 0;        // whole instances that had come
  size_t kept_bytes = 0;      // what stays: the text before the loop, and `kept` instances
  int64_t dropped_bytes = 0;  // of the text
};

class RunawayGuard {
 public:
  // The config passes CheckRunawayConfig.
  explicit RunawayGuard(const RunawayConfig& config);

  // The text as far as it has come: what was read before, and a piece more, a token as a rule. Any
  // bytes. Gives a loop at most once; after it nothing is read.
  [[nodiscard]] std::optional<FoundLoop> Read(std::string_view text);

 private:
  // The end of a text that repeats itself with a period, from `begin` on.
  struct Run {
    size_t period = 0;  // in bytes; 0: none
    size_t begin = 0;
  };
  // How often which periods are looked for.
  struct Level {
    size_t shortest_period = 0, longest_period = 0;  // bytes
    size_t stride = 0;
    size_t due = 0;
  };

  std::optional<FoundLoop> FindShortUnit(std::string_view text);
  size_t ShortWindow() const;
  bool FollowRun(std::string_view text);
  void FindRun(std::string_view text);
  void Consider(std::string_view text, size_t period, Run& longest) const;
  void SearchPeriods(std::string_view text, size_t first, size_t last, Run& longest);
  bool IsLoop(std::string_view text);
  int64_t HealthyRepeats(const Unit& unit, std::string_view text, size_t begin);
  FoundLoop Found(std::string_view text) const;
  FoundLoop LoopOf(std::string_view text, size_t begin, size_t period, size_t repeats) const;

  void NotePiece(size_t size);
  // Of the piece that far before the last one.
  size_t PieceBytes(size_t distance) const;
  size_t RepeatedPieces(std::string_view text);
  std::optional<FoundLoop> FindLongUnit(std::string_view text);

  RunawayConfig config_;
  bool found_ = false;
  OpenList list_;

  // Units of few characters. All before `at_` was looked at.
  size_t window_;  // bytes that must repeat before a run is looked at
  std::array<Level, 4> levels_;
  size_t at_ = 0;
  Run run_;             // followed from byte to byte
  size_t look_at_ = 0;  // the place at which that run may be a loop

  // Units of few pieces: the sizes of the last ones, and since when each has been as the one that
  // many before.
  std::array<size_t, 2 * kMostUnitTokens> piece_bytes_{};
  size_t recent_bytes_ = 0;  // of the last kMostUnitTokens pieces
  size_t pieces_ = 0;
  std::array<size_t, kMostUnitTokens + 1> match_begin_{};  // by distance
  uint32_t matches_ = 0;                                   // bit p: at the distance of p pieces
};

}  // namespace kw::llm
