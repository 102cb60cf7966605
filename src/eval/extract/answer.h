// Which part of an answer is the candidate: the files it names, its last complete fence that holds
// an entry point, or the whole of it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "structure.h"

namespace kw::eval {

inline constexpr size_t kMaxSourceBytes = 4 << 20;

struct Choice {
  std::string source;
  std::optional<Structure> structure;  // of `source`, when something was chosen
  bool kernel_elsewhere = false;       // another code block of the answer holds a __global__
  // When nothing was chosen:
  std::string reason, feedback;
};

// What is said of a source of so many bytes.
std::string TooLarge(size_t bytes);

Choice ChooseSource(std::string_view answer);

}  // namespace kw::eval
