// How two requests differ, for people.
#pragma once

#include <string>

#include "request_key.h"

namespace kw::recording {

// One line a field, then the places where the messages differ, as a line diff with a few lines of
// context: "-" recorded, "+" asked. Valid UTF-8 without control characters but '\n', at most
// kMaxDiffBytes; what is left out is counted. "" for equal requests.
inline constexpr size_t kMaxDiffBytes = 4096;
std::string DescribeDifference(const CountedRequest& recorded, const CountedRequest& asked);

}  // namespace kw::recording
