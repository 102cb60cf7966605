// A few hundred bytes that say how alike two requests are, so that the nearest of ten thousand is
// found without unpacking any.
//
// A sketch is a row of little-endian 32-bit hashes: of model, variant, temperature, top_p,
// max_tokens, stop, seed and occurrence, in this order; then of the distinct lines of all messages,
// ascending, the kSketchLines smallest (the k minimum values of Bar-Yossef et al., "Counting
// distinct elements in a data stream", RANDOM 2002, as Beyer et al., "On synopses for
// distinct-value estimation under multiset operations", SIGMOD 2007, compare them): exact for
// requests of up to that many lines.
#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "request_key.h"

namespace kw::recording {

inline constexpr size_t kSketchLines = 512;

std::string SketchOf(const CountedRequest& request);

struct Likeness {
  double lines = -1;  // equal ones among all, in [0, 1]
  int fields = 0;     // equal ones, the model counted for more than all others
  auto operator<=>(const Likeness&) const = default;
};
// Of bytes that anybody may have made: what is no sketch is like nothing.
Likeness CompareSketches(std::string_view sketch, std::string_view other);

}  // namespace kw::recording
