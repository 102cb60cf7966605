#include "runaway_guard.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "fmt/core.h"
#include "utf8_joiner.h"

namespace kw::llm {
namespace {

constexpr int kMostCharacters = 64;
constexpr size_t kLongestToken = 64;  // in bytes; more is no token

constexpr int64_t kListRepeats = 4096;              // of an array whose bound is not known
constexpr int64_t kRulerCharacters = 512;           // without words, in one line
constexpr int64_t kTableRepeats = 32;               // without words, over lines
constexpr int64_t kMostRepeats = int64_t{1} << 40;  // of an array whose bound is absurd

constexpr size_t kWord = sizeof(uint64_t);
constexpr size_t kMostStride = 512;

int64_t CharactersIn(std::string_view text) {
  return std::count_if(text.begin(), text.end(), [](char c) { return !ContinuesCharacter(c); });
}

uint64_t WordBefore(const char* end) {
  uint64_t word = 0;
  std::memcpy(&word, end - kWord, kWord);
  return word;
}

// Of the word before a place its last bytes.
uint64_t MaskOf(size_t bytes) {
  static_assert(std::endian::native == std::endian::little);
  return ~uint64_t{0} << (8 * (kWord - bytes));
}

Result<void> CheckRange(const char* name, int value, int least, int most) {
  if (value >= least && value <= most) return {};
  return Fail(ErrorCode::kInvalid,
              fmt::format("runaway guard: {} is {}; it may be {} to {}", name, value, least, most));
}

}  // namespace

// A loop is a run of some period, and is found in two steps. While no run is followed, the last
// bytes are compared with those a period before, at some places only: a loop of period p shows
// (repeats - 1) * p bytes that do so, and a stride is such that one of these places has the window
// and two whole periods before it, before the last repeat ends. That run is then followed byte by
// byte. Of several the longest is followed: periods of which none divides the other cannot both
// hold for as long as their sum (Fine and Wilf, "Uniqueness theorems for periodic functions",
// 1965), so the loop's own wins from its third repeat on.
RunawayGuard::RunawayGuard(const RunawayConfig& config)
    : config_(config),
      window_(std::min<size_t>(kWord, static_cast<size_t>(config.repeats) - 1)),
      // Characters have up to four bytes.
      levels_{
          {{1, 2}, {3, 16}, {17, kMostCharacters}, {kMostCharacters + 1, 4 * kMostCharacters}}} {
  for (Level& level : levels_) {
    const size_t shortest = level.shortest_period;
    const size_t shown = (static_cast<size_t>(config.repeats) - 1) * shortest;
    const size_t needed = shortest == 1 ? ShortWindow() : std::max(window_, shortest);
    // The others are looked at where the first is, and after what is followed: within a loop, runs
    // of other periods soon end.
    const size_t late = shortest == 1 ? 0 : levels_[0].stride - 1 + shortest;
    level.stride = std::min(shown - needed + 1 - late, kMostStride);
  }
}

std::optional<FoundLoop> RunawayGuard::Read(std::string_view text) {
  if (!config_.enabled || found_ || text.size() == at_) return std::nullopt;
  NotePiece(text.size() - at_);
  const bool long_pieces = recent_bytes_ > static_cast<size_t>(config_.unit_characters);
  if (!long_pieces) matches_ = 0;  // no unit of so few pieces is that long
  if (run_.period == 0 && levels_[0].due > text.size() && !long_pieces) {
    at_ = text.size();
    return std::nullopt;
  }
  std::optional<FoundLoop> loop = FindShortUnit(text);
  if (!loop && long_pieces) loop = FindLongUnit(text);
  found_ = loop.has_value();
  return loop;
}

std::optional<FoundLoop> RunawayGuard::FindShortUnit(std::string_view text) {
  while (run_.period != 0 || levels_[0].due <= text.size()) {
    if (run_.period == 0) {
      FindRun(text);
    } else if (FollowRun(text)) {
      return Found(text);
    } else if (run_.period != 0) {
      return std::nullopt;
    }
  }
  at_ = text.size();
  return std::nullopt;
}

// One character alone is a loop soon: fewer bytes of it are enough.
size_t RunawayGuard::ShortWindow() const { return std::min(window_, kWord / 2); }

// At the next place where runs are looked for.
void RunawayGuard::FindRun(std::string_view text) {
  at_ = levels_[0].due;
  Run longest;
  for (Level& level : levels_) {
    if (level.due > at_) continue;
    level.due = at_ + level.stride;
    SearchPeriods(text, level.shortest_period, level.longest_period, longest);
  }
  run_ = longest;
  look_at_ = std::max(at_, run_.begin + static_cast<size_t>(config_.repeats) * run_.period);
}

void RunawayGuard::SearchPeriods(std::string_view text, size_t first, size_t last, Run& longest) {
  last = std::min(last, at_ - std::min(at_, kWord));
  if (last < first) return;
  // No unit of so few characters has so many bytes otherwise.
  if (first > kMostCharacters && IsAscii(text.substr(at_ - last, last))) return;
  const char* end = text.data() + at_;
  const uint64_t word = WordBefore(end);
  if (first == 1) {
    const uint64_t differs = WordBefore(end - 1) ^ word;
    if ((differs & MaskOf(ShortWindow())) == 0) Consider(text, 1, longest);
    first = 2;
  }
  const uint64_t mask = MaskOf(window_);
  const char* earlier = end - first;
  for (size_t period = first; period <= last; ++period, --earlier) {
    if (((WordBefore(earlier) ^ word) & mask) == 0) Consider(text, period, longest);
  }
}

// The run of that period at `at_`, if it is one.
void RunawayGuard::Consider(std::string_view text, size_t period, Run& longest) const {
  if (longest.period != 0 && period % longest.period == 0) return;
  if (CharactersIn(text.substr(at_ - period, period)) > config_.unit_characters) return;
  size_t begin = at_ - period;
  while (begin > 0 && text[begin - 1] == text[begin - 1 + period]) --begin;
  while (begin < at_ && ContinuesCharacter(text[begin])) ++begin;
  if (at_ - begin < 2 * period) return;
  if (longest.period == 0 || begin < longest.begin) longest = {period, begin};
}

// True where it has become a loop.
bool RunawayGuard::FollowRun(std::string_view text) {
  while (true) {
    const size_t end = std::min(look_at_, text.size());
    while (at_ < end && text[at_] == text[at_ - run_.period]) ++at_;
    if (at_ == look_at_) {
      if (IsLoop(text.substr(0, at_))) return true;
    } else if (at_ == text.size()) {
      return false;
    } else {
      break;
    }
  }
  ++at_;
  run_ = {};
  levels_[0].due = at_;
  return false;
}

bool RunawayGuard::IsLoop(std::string_view text) {
  const int64_t healthy =
      HealthyRepeats(UnitOf(text.substr(run_.begin, run_.period)), text, run_.begin);
  look_at_ = run_.begin + static_cast<size_t>(healthy + 1) * run_.period;
  return text.size() >= look_at_;
}

// The most repeats of a unit that are no loop, where its run begins at that place and goes to the
// end of the text.
int64_t RunawayGuard::HealthyRepeats(const Unit& unit, std::string_view text, size_t begin) {
  const int64_t as_it_is = config_.repeats - 1;
  const UnitTraits traits = DescribeUnit(unit);
  if (traits.code_fence || (traits.blank && traits.line_break)) return as_it_is;
  if (traits.comma) {
    list_.ReadTo(text);
    if (list_.open() && begin >= list_.begin()) {
      return std::clamp(list_.bound().value_or(kListRepeats), as_it_is, kMostRepeats);
    }
  }
  if (traits.word) return as_it_is;
  const auto size = static_cast<int64_t>(unit.size());
  return std::max(as_it_is, traits.line_break ? kTableRepeats : kRulerCharacters / size);
}

FoundLoop RunawayGuard::Found(std::string_view text) const {
  const Unit unit = UnitOf(text.substr(run_.begin, run_.period));
  const size_t begin = run_.begin + ToBytes(unit.substr(0, BeginOfInstance(unit))).size();
  return LoopOf(text, begin, run_.period, (at_ - run_.begin) / run_.period);
}

FoundLoop RunawayGuard::LoopOf(std::string_view text, size_t begin, size_t period,
                               size_t repeats) const {
  FoundLoop loop;
  loop.unit = text.substr(begin, period);
  loop.repeats = static_cast<int64_t>(repeats);
  loop.kept_bytes = begin + static_cast<size_t>(config_.kept) * period;
  loop.dropped_bytes = static_cast<int64_t>(text.size() - loop.kept_bytes);
  return loop;
}

void RunawayGuard::NotePiece(size_t size) {
  if (size > kLongestToken) {
    piece_bytes_ = {};
    recent_bytes_ = 0;
    pieces_ = 0;
    return;
  }
  recent_bytes_ += size - PieceBytes(kMostUnitTokens - 1);
  piece_bytes_[pieces_ % piece_bytes_.size()] = size;
  ++pieces_;
}

size_t RunawayGuard::PieceBytes(size_t distance) const {
  return piece_bytes_[(pieces_ - 1 - distance) % piece_bytes_.size()];
}

// The least number of pieces, if any, after which the last ones have repeated themselves so often
// that it may be a loop.
size_t RunawayGuard::RepeatedPieces(std::string_view text) {
  const size_t begin = text.size() - PieceBytes(0);
  const std::string_view piece = text.substr(begin);
  size_t found = 0;
  size_t bytes = 0;
  uint32_t matches = 0;
  for (size_t p = 1; p <= static_cast<size_t>(config_.unit_tokens) && p < pieces_; ++p) {
    bytes += PieceBytes(p);
    if (PieceBytes(p) != piece.size() || text.substr(begin - bytes, piece.size()) != piece)
      continue;
    matches |= uint32_t{1} << p;
    if ((matches_ >> p & 1) == 0) match_begin_[p] = pieces_ - 1;
    if (found == 0 && pieces_ - match_begin_[p] >= static_cast<size_t>(config_.repeats - 1) * p) {
      found = p;
    }
  }
  matches_ = matches;
  return found;
}

// Units of more characters than are searched otherwise, where the pieces look like tokens.
std::optional<FoundLoop> RunawayGuard::FindLongUnit(std::string_view text) {
  const size_t period = RepeatedPieces(text);
  if (period == 0 || run_.period != 0) return std::nullopt;
  size_t bytes = 0;
  for (size_t distance = 0; distance < period; ++distance) bytes += PieceBytes(distance);
  const std::string_view last = text.substr(text.size() - bytes);
  if (CharactersIn(last) <= config_.unit_characters) return std::nullopt;
  const size_t repeats = (pieces_ - match_begin_[period]) / period + 1;
  const size_t begin = text.size() - repeats * bytes;
  const int64_t healthy = HealthyRepeats(UnitOf(last), text, begin);
  if (static_cast<int64_t>(repeats) <= healthy) return std::nullopt;
  return LoopOf(text, begin, bytes, repeats);
}

}  // namespace kw::llm

namespace kw {

Result<void> CheckRunawayConfig(const RunawayConfig& config) {
  KW_TRY(llm::CheckRange("unit_tokens", config.unit_tokens, 1, llm::kMostUnitTokens));
  KW_TRY(llm::CheckRange("unit_characters", config.unit_characters, 1, llm::kMostCharacters));
  KW_TRY(llm::CheckRange("repeats", config.repeats, 3, 1'000'000));
  return llm::CheckRange("kept", config.kept, 0, config.repeats - 1);
}

}  // namespace kw
