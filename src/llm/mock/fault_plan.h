// Which request meets which fault.
//
//   spec  := entry ("," entry)*
//   entry := name "=" when
//   when  := a probability in (0, 1] | "/" N     every N-th request for an answer
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "kw/base/error.h"

namespace kw::mock {

enum class FaultKind {
  // Instead of an answer.
  k429,
  k429Date,
  k500,
  k502,
  k503,
  k529,
  kReset,
  kRedirect,
  kHtml,
  kEmpty,
  // In the head, or of the whole.
  kSlowHead,
  kPlainJson,
  kLongLength,
  kShortLength,
  // In the middle.
  kResetMid,
  kCut,
  kTruncate,
  kStall,
  kBadJson,
  kErrorChunk,
  // At the end.
  kNoDone,
  kNoUsage,
  kTwiceUsage,
  // Healthy: another form of the same.
  kCrlf,
  kPings,
  kCoalesce,
  kSplit,
  kSplitUtf8,
  kHalfChar,
};

struct FaultName {
  FaultKind kind;
  const char* name;
  const char* what;
};
const std::vector<FaultName>& FaultNames();
std::string NameOf(FaultKind kind);

struct Fault {
  FaultKind kind;
  double where = 0.5;  // share of the answer that comes before
};

class FaultPlan {
 public:
  // kInvalid names the entry and the nearest known fault.
  [[nodiscard]] static Result<FaultPlan> Parse(std::string_view spec, uint64_t seed);
  // For the next request; at most one fault each. An every-N entry goes before the probabilities.
  std::optional<Fault> Next(std::string_view request);
  bool Names(FaultKind kind) const;

 private:
  struct Entry {
    FaultKind kind;
    double probability = 0;
    int64_t every = 0;
  };
  std::vector<Entry> entries_;
  uint64_t seed_ = 0;
  int64_t arrivals_ = 0;
  std::unordered_map<uint64_t, int64_t> seen_;  // how often, by the hash of a request's bytes
};

}  // namespace kw::mock
