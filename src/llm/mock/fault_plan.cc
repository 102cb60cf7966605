#include "fault_plan.h"

#include <algorithm>
#include <charconv>

#include "kw/base/hash.h"
#include "kw/base/random.h"
#include "kw/base/text.h"
#include "kw/mock.h"

namespace kw::mock {
namespace {

std::vector<std::string> KnownFaults() {
  std::vector<std::string> names;
  for (const FaultName& fault : FaultNames()) names.emplace_back(fault.name);
  return names;
}

Result<FaultKind> FaultNamed(std::string_view name) {
  for (const FaultName& fault : FaultNames()) {
    if (name == fault.name) return fault.kind;
  }
  return Fail(ErrorCode::kInvalid, UnknownName("fault", name, KnownFaults()));
}

template <class T>
bool ReadWhole(std::string_view text, T& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

const std::vector<FaultName>& FaultNames() {
  static const std::vector<FaultName> names = {
      {FaultKind::k429, "429", "too many requests, Retry-After in seconds"},
      {FaultKind::k429Date, "429-date", "too many requests, Retry-After as a date"},
      {FaultKind::k500, "500", "a server's error, with a JSON body"},
      {FaultKind::k502, "502", "a proxy's error, with a page of HTML"},
      {FaultKind::k503, "503", "unavailable, Retry-After in seconds"},
      {FaultKind::k529, "529", "overloaded"},
      {FaultKind::kReset, "reset", "the connection is reset before the head"},
      {FaultKind::kRedirect, "redirect", "307 to another host (--redirect-to)"},
      {FaultKind::kHtml, "html", "a page of HTML with status 200"},
      {FaultKind::kEmpty, "empty", "status 200 and no body"},
      {FaultKind::kSlowHead, "slow-head", "nothing for --stall ms, then a healthy answer"},
      {FaultKind::kPlainJson, "plain-json", "a stream was asked for, a plain answer comes"},
      {FaultKind::kLongLength, "long-length", "Content-Length promises more than comes"},
      {FaultKind::kShortLength, "short-length", "Content-Length promises less than comes"},
      {FaultKind::kResetMid, "reset-mid", "the connection is reset in the middle"},
      {FaultKind::kCut, "cut", "the body ends in the middle, as if it were whole"},
      {FaultKind::kTruncate, "truncate", "the connection is closed in the middle of a chunk"},
      {FaultKind::kStall, "stall", "nothing for --stall ms in the middle, then the rest"},
      {FaultKind::kBadJson, "bad-json", "an event in the middle is no JSON; its text is lost"},
      {FaultKind::kErrorChunk, "error-chunk", "an error in the middle of a stream of status 200"},
      {FaultKind::kNoDone, "no-done", "the whole answer without its last event"},
      {FaultKind::kNoUsage, "no-usage", "no usage, though it was asked for"},
      {FaultKind::kTwiceUsage, "twice-usage", "usage comes twice"},
      {FaultKind::kCrlf, "crlf", "lines end with CR LF (healthy)"},
      {FaultKind::kPings, "pings", "comments between the events (healthy)"},
      {FaultKind::kCoalesce, "coalesce", "five events in one segment (healthy)"},
      {FaultKind::kSplit, "split", "one event in many segments (healthy)"},
      {FaultKind::kSplitUtf8, "split-utf8", "characters split over segments (healthy)"},
      {FaultKind::kHalfChar, "half-char", "characters split over events, as raw bytes"},
  };
  return names;
}

std::string NameOf(FaultKind kind) {
  for (const FaultName& fault : FaultNames()) {
    if (fault.kind == kind) return fault.name;
  }
  return {};
}

Result<FaultPlan> FaultPlan::Parse(std::string_view spec, uint64_t seed) {
  FaultPlan plan;
  plan.seed_ = seed;
  if (Trim(spec).empty()) return plan;
  double sum = 0;
  for (std::string_view entry : Split(spec, ',')) {
    entry = Trim(entry);
    const std::string where = "fault '" + Shorten(entry, 80) + "'";
    const size_t equals = entry.find('=');
    KW_ASSIGN(const FaultKind kind, FaultNamed(Trim(entry.substr(0, equals))));
    if (plan.Names(kind)) return Fail(ErrorCode::kInvalid, where + " is named twice");
    Entry made{.kind = kind};
    const std::string_view when =
        equals == entry.npos ? std::string_view() : Trim(entry.substr(equals + 1));
    const bool every = when.starts_with('/');
    const bool read =
        every ? ReadWhole(when.substr(1), made.every) && made.every >= 1
              : ReadWhole(when, made.probability) && made.probability > 0 && made.probability <= 1;
    if (!read) {
      return Fail(ErrorCode::kInvalid,
                  where + ": write NAME=P with a probability in (0, 1], or NAME=/N for every N-th");
    }
    sum += made.probability;
    plan.entries_.push_back(made);
  }
  if (sum > 1 + 1e-9) {
    return Fail(ErrorCode::kInvalid, "the faults' probabilities have a sum above 1");
  }
  return plan;
}

bool FaultPlan::Names(FaultKind kind) const {
  return std::any_of(entries_.begin(), entries_.end(),
                     [&](const Entry& entry) { return entry.kind == kind; });
}

std::optional<Fault> FaultPlan::Next(std::string_view request) {
  if (entries_.empty()) return std::nullopt;
  const uint64_t hash = DeriveSeed(seed_, request);
  Random random(DeriveSeed(hash, std::to_string(++seen_[hash])));
  double left = random.Uniform();
  const double where = 0.1 + 0.8 * random.Uniform();
  ++arrivals_;
  for (const Entry& entry : entries_) {
    if (entry.every > 0 && arrivals_ % entry.every == 0) return Fault{entry.kind, where};
  }
  for (const Entry& entry : entries_) {
    if (entry.every > 0) continue;
    if (left < entry.probability) return Fault{entry.kind, where};
    left -= entry.probability;
  }
  return std::nullopt;
}

}  // namespace kw::mock

namespace kw {

std::vector<std::pair<std::string, std::string>> MockFaults() {
  std::vector<std::pair<std::string, std::string>> faults;
  for (const mock::FaultName& fault : mock::FaultNames())
    faults.emplace_back(fault.name, fault.what);
  return faults;
}

}  // namespace kw
