#include "runaway_guard.h"

#include <algorithm>
#include <array>
#include <bit>
#include <functional>

#include "fmt/core.h"
#include "loop_unit.h"
#include "open_list.h"
#include "recent_text.h"

namespace kw::llm {
namespace {

constexpr int kMostTokens = 8;
constexpr int kMostCharacters = 64;
constexpr size_t kLongestToken = 64;  // in bytes; more is no token

constexpr int64_t kListRepeats = 4096;     // of an array whose bound is not known
constexpr int64_t kRulerCharacters = 512;  // without words, in one line
constexpr int64_t kTableRepeats = 32;      // without words, over lines

constexpr int64_t kFirstLook = 6;  // characters that match before a period is looked at
constexpr int64_t kPatience = 8;   // characters between two looks at new periods

Result<void> CheckRange(const char* name, int value, int least, int most) {
  if (value >= least && value <= most) return {};
  return Fail(ErrorCode::kInvalid,
              fmt::format("runaway guard: {} is {}; it may be {} to {}", name, value, least, most));
}

}  // namespace

// For each distance of 1 to 64 characters one bit says whether the text has repeated itself at that
// distance ever since the bits were set anew, which is when the last of them went out. So the
// period of a loop has its bit at the latest from its third repeat on: other distances do not hold
// for as long as two periods within it (Fine and Wilf, "Uniqueness theorems for periodic
// functions", 1965). The smallest distance is then looked at in the text itself.
class RunawayGuard::Search {
 public:
  explicit Search(const RunawayConfig& config) : config_(config) {
    distances_ = ~uint64_t{0} >> (kMostCharacters - config.unit_characters);
    last_.fill(static_cast<uint32_t>(-2 * kMostCharacters));
  }

  std::optional<FoundLoop> Feed(std::string_view piece) {
    fed_ += static_cast<int64_t>(piece.size());
    for (const char c : piece) {
      const auto byte = static_cast<unsigned char>(c);
      const bool found = byte < 0x80 && missing_ == 0 ? Push(byte) : Decode(byte);
      if (found) return Found();
    }
    return FeedToken(piece);
  }

 private:
  bool Decode(unsigned char byte);
  bool Push(Character c);
  uint64_t DistancesTo(Character c);
  bool Look(uint64_t same);
  bool FindPeriod();
  int64_t RunOf(int64_t period) const;
  int64_t BytesOfLast(int64_t characters) const;
  int64_t HealthyRepeats(const Unit& unit, int64_t begin) const;
  Unit UnitFrom(int64_t begin, int64_t period) const;
  FoundLoop Found() const;

  std::optional<FoundLoop> FeedToken(std::string_view piece);
  std::optional<FoundLoop> CheckTokens(int64_t period) const;

  RunawayConfig config_;
  int64_t fed_ = 0;  // bytes
  RecentText recent_;
  OpenList list_;

  Character partial_ = 0;  // the first bytes of a character
  int missing_ = 0;        // its bytes to come

  // By character, or by some where it is no ASCII: where it stood last, and the distances at which
  // it stood before that.
  std::array<uint32_t, 256> last_;
  std::array<uint64_t, 256> before_{};
  uint64_t distances_ = 0;           // bit d - 1: units of d characters are searched
  uint64_t alive_ = 0;               // the text repeats itself at these
  uint64_t watched_ = ~uint64_t{0};  // look as soon as none of these is alive
  int64_t next_look_ = 0;            // or at that count of characters
  int64_t earliest_look_ = 0;
  int64_t period_ = 0;  // looked at: the run that begins there; 0: none
  int64_t run_begin_ = 0, run_begin_bytes_ = 0;

  // Of the last pieces: their hashes and bytes; whether each has been as that p before, since when.
  std::array<uint64_t, kMostTokens> hashes_{};
  std::array<size_t, kMostTokens> token_bytes_{};
  std::array<int64_t, kMostTokens> match_begin_{};
  uint32_t alive_tokens_ = 0;  // bit p - 1
  uint64_t tokens_ = 0;
};

bool RunawayGuard::Search::Decode(unsigned char byte) {
  const bool continues = (byte & 0xC0) == 0x80;
  bool found = false;
  if (missing_ > 0) {
    if (continues) {
      partial_ = (partial_ << 8) | byte;
      return --missing_ == 0 && Push(partial_);
    }
    missing_ = 0;
    found = Push(partial_);  // cut short: no UTF-8
  }
  if (found) return true;
  if (byte >= 0xC2 && byte <= 0xF4) {
    partial_ = byte;
    missing_ = byte < 0xE0 ? 1 : byte < 0xF0 ? 2 : 3;
    return false;
  }
  return Push(byte);
}

bool RunawayGuard::Search::Push(Character c) {
  recent_.Push(c);
  list_.Read(c, recent_);
  const uint64_t same = DistancesTo(c) & distances_;
  alive_ &= same;
  // Beyond ASCII, characters share their slots.
  if (c >= 0x80 && period_ != 0 && recent_.Back(1 + period_) != c) alive_ &= ~watched_;
  if ((alive_ & watched_) != 0 && recent_.count() < next_look_) return false;
  return Look(same);
}

uint64_t RunawayGuard::Search::DistancesTo(Character c) {
  const size_t slot = c < 0x80 ? c : 0x80 | ((c * 0x9E3779B1u) >> 25);
  const auto place = static_cast<uint32_t>(recent_.count());
  const uint32_t age = place - last_[slot];
  uint64_t same = 0;
  if (age < 64) same = before_[slot] << age;
  if (age <= 64) same |= uint64_t{1} << (age - 1);
  last_[slot] = place;
  before_[slot] = same;
  return same;
}

// True when the text ends with a loop.
bool RunawayGuard::Search::Look(uint64_t same) {
  const int64_t count = recent_.count();
  if ((alive_ & watched_) == 0) {
    period_ = 0;
    watched_ = ~uint64_t{0};
    next_look_ = earliest_look_;
    if (alive_ == 0) {
      alive_ = same;
      next_look_ = std::max(earliest_look_, count + kFirstLook - 1);
    }
    if (count < next_look_) return false;
  }
  if (period_ == 0 && !FindPeriod()) return false;
  const int64_t repeats = (count - run_begin_) / period_;
  int64_t healthy = config_.repeats - 1;
  if (repeats > healthy) healthy = HealthyRepeats(UnitFrom(run_begin_, period_), run_begin_);
  next_look_ = run_begin_ + (healthy + 1) * period_;
  return repeats > healthy;
}

// The smallest distance that is alive, and where its run begins.
bool RunawayGuard::Search::FindPeriod() {
  earliest_look_ = recent_.count() + kPatience;
  while (alive_ != 0) {
    const int64_t period = std::countr_zero(alive_) + 1;
    const int64_t run = RunOf(period);
    if (run > period + 1) {
      period_ = period;
      watched_ = uint64_t{1} << (period - 1);
      run_begin_ = recent_.count() - run;
      run_begin_bytes_ = recent_.bytes() - BytesOfLast(run);
      return true;
    }
    alive_ &= alive_ - 1;  // other characters of the same slots
  }
  next_look_ = earliest_look_;
  return false;
}

// How many of the last characters have this period, as far back as they are here.
int64_t RunawayGuard::Search::RunOf(int64_t period) const {
  int64_t matched = 0;
  while (matched + period < recent_.size() &&
         recent_.Back(matched + 1) == recent_.Back(matched + 1 + period)) {
    ++matched;
  }
  return std::min(matched + period, recent_.size());
}

int64_t RunawayGuard::Search::BytesOfLast(int64_t characters) const {
  int64_t bytes = 0;
  for (int64_t i = 1; i <= characters; ++i) bytes += BytesOf(recent_.Back(i));
  return bytes;
}

// The most repeats of a unit that are no loop, where its run begins at that character.
int64_t RunawayGuard::Search::HealthyRepeats(const Unit& unit, int64_t begin) const {
  const int64_t as_it_is = config_.repeats - 1;
  const UnitTraits traits = DescribeUnit(unit);
  if (traits.code_fence || (traits.blank && traits.line_break)) return as_it_is;
  if (traits.comma && list_.open() && begin >= list_.begin()) {
    return std::max(as_it_is, list_.bound().value_or(kListRepeats));
  }
  if (traits.word) return as_it_is;
  const auto size = static_cast<int64_t>(unit.size());
  return std::max(as_it_is, traits.line_break ? kTableRepeats : kRulerCharacters / size);
}

// The first `period` characters of a run, which may have gone out of sight: its last ones, turned.
Unit RunawayGuard::Search::UnitFrom(int64_t begin, int64_t period) const {
  Unit unit(static_cast<size_t>(period), 0);
  for (int64_t i = 0; i < period; ++i) {
    const int64_t place = recent_.count() - period + i - begin;
    unit[static_cast<size_t>(place % period)] = recent_.Back(period - i);
  }
  return unit;
}

FoundLoop RunawayGuard::Search::Found() const {
  Unit unit = UnitFrom(run_begin_, period_);
  const size_t turn = BeginOfInstance(unit);
  const std::string before = ToBytes(unit.substr(0, turn));
  std::rotate(unit.begin(), unit.begin() + static_cast<ptrdiff_t>(turn), unit.end());
  FoundLoop loop;
  loop.unit = ToBytes(unit);
  loop.repeats = (recent_.count() - run_begin_) / period_;
  loop.kept_bytes = static_cast<size_t>(run_begin_bytes_) + before.size() +
                    static_cast<size_t>(config_.kept) * loop.unit.size();
  loop.dropped_bytes = fed_ - static_cast<int64_t>(loop.kept_bytes);
  return loop;
}

// Units of more characters than are searched otherwise, where the pieces look like tokens.
std::optional<FoundLoop> RunawayGuard::Search::FeedToken(std::string_view piece) {
  if (piece.size() > kLongestToken || missing_ > 0) {
    tokens_ = 0;
    alive_tokens_ = 0;
    return std::nullopt;
  }
  const uint64_t hash = std::hash<std::string_view>{}(piece);
  uint32_t same = 0;  // bit p - 1: as the one that p pieces before
  for (uint64_t p = 1; p <= kMostTokens; ++p) {
    same |= static_cast<uint32_t>(hashes_[(tokens_ - p) % kMostTokens] == hash) << (p - 1);
  }
  same &=
      (uint32_t{1} << std::min<uint64_t>(tokens_, static_cast<uint64_t>(config_.unit_tokens))) - 1;
  int64_t period = 0;
  for (uint32_t left = same; left != 0; left &= left - 1) {
    const int at = std::countr_zero(left);
    int64_t& begin = match_begin_[static_cast<size_t>(at)];
    if ((alive_tokens_ >> at & 1) == 0) begin = static_cast<int64_t>(tokens_);
    const int64_t matched = static_cast<int64_t>(tokens_) + 1 - begin;
    if (period == 0 && matched >= (config_.repeats - 1) * int64_t{at + 1}) period = at + 1;
  }
  alive_tokens_ = same;
  hashes_[tokens_ % kMostTokens] = hash;
  token_bytes_[tokens_ % kMostTokens] = piece.size();
  ++tokens_;
  if (period == 0 || period_ != 0) return std::nullopt;
  return CheckTokens(period);
}

std::optional<FoundLoop> RunawayGuard::Search::CheckTokens(int64_t period) const {
  int64_t bytes = 0;
  for (int64_t i = 1; i <= period; ++i) {
    bytes += static_cast<int64_t>(token_bytes_[(tokens_ - static_cast<uint64_t>(i)) % kMostTokens]);
  }
  int64_t size = 0;  // of the unit, in characters
  for (int64_t seen = 0; seen < bytes && size < recent_.size(); ++size) {
    seen += BytesOf(recent_.Back(size + 1));
  }
  if (size <= config_.unit_characters) return std::nullopt;  // found as characters
  const int64_t matched =
      static_cast<int64_t>(tokens_) - match_begin_[static_cast<size_t>(period) - 1];
  const int64_t repeats = matched / period + 1;
  const Unit unit = UnitFrom(recent_.count() - size, size);
  if (repeats <= HealthyRepeats(unit, recent_.count() - repeats * size)) return std::nullopt;
  FoundLoop loop;
  loop.unit = ToBytes(unit);
  loop.repeats = repeats;
  loop.kept_bytes = static_cast<size_t>(recent_.bytes() - (repeats - config_.kept) * bytes);
  loop.dropped_bytes = fed_ - static_cast<int64_t>(loop.kept_bytes);
  return loop;
}

RunawayGuard::RunawayGuard(const RunawayConfig& config) : config_(config) {}
RunawayGuard::RunawayGuard(RunawayGuard&&) noexcept = default;
RunawayGuard& RunawayGuard::operator=(RunawayGuard&&) noexcept = default;
RunawayGuard::~RunawayGuard() = default;

std::optional<FoundLoop> RunawayGuard::Feed(std::string_view piece) {
  if (!config_.enabled || found_ || piece.empty()) return std::nullopt;
  if (search_ == nullptr) search_ = std::make_unique<Search>(config_);
  std::optional<FoundLoop> loop = search_->Feed(piece);
  if (loop) {
    found_ = true;
    search_.reset();
  }
  return loop;
}

}  // namespace kw::llm

namespace kw {

Result<void> CheckRunawayConfig(const RunawayConfig& config) {
  KW_TRY(llm::CheckRange("unit_tokens", config.unit_tokens, 1, llm::kMostTokens));
  KW_TRY(llm::CheckRange("unit_characters", config.unit_characters, 1, llm::kMostCharacters));
  KW_TRY(llm::CheckRange("repeats", config.repeats, 3, 1'000'000));
  return llm::CheckRange("kept", config.kept, 0, config.repeats - 1);
}

}  // namespace kw
