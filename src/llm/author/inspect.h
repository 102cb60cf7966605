// inspect: what a reader sees in a kernel's source: its pieces, and the mistakes in it.
#pragma once

#include <array>
#include <string_view>

#include "design.h"

namespace kw::author {

struct Inspection {
  Design design;
  std::array<bool, kPieces> seen{};  // pieces that the text shows beyond doubt
  Family family = Family::kElementwise;
  bool empty = true;           // there is no source
  bool has_reduction = false;  // threads combine values
};

// Never fails: of text that is no kernel it sees little.
Inspection Inspect(std::string_view source);

}  // namespace kw::author
