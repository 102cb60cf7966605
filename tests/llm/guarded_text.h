// Texts cut into pieces as streams bring them, and what the runaway guard says of them.
#pragma once

#include <algorithm>
#include <cctype>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kw/base.h"
#include "src/llm/runaway_guard.h"

namespace kw::llm::guard_test {

using Pieces = std::vector<std::string_view>;

inline std::string Times(std::string_view unit, int64_t count) {
  std::string text;
  text.reserve(unit.size() * static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) text += unit;
  return text;
}

inline Pieces Whole(std::string_view text) { return {text}; }

inline Pieces EachByte(std::string_view text) {
  Pieces pieces;
  for (size_t i = 0; i < text.size(); ++i) pieces.push_back(text.substr(i, 1));
  return pieces;
}

// Much as the vocabularies of models cut: a word with the blank before it, in parts of at most six
// letters; up to three digits or marks; runs of white space.
inline Pieces TokenLike(std::string_view text) {
  const auto kind = [&](size_t at) {
    const auto c = static_cast<unsigned char>(text[at]);
    return std::isalpha(c) || c >= 0x80 ? 0 : std::isdigit(c) ? 1 : std::isspace(c) ? 2 : 3;
  };
  constexpr size_t kLongest[] = {6, 3, 16, 3};
  Pieces pieces;
  for (size_t begin = 0; begin < text.size();) {
    size_t at = begin;
    if (text[at] == ' ' && at + 1 < text.size() && kind(at + 1) == 0) ++at;
    const int first = kind(at);
    const size_t limit = at + kLongest[first];
    while (at < text.size() && at < limit && kind(at) == first) ++at;
    pieces.push_back(text.substr(begin, at - begin));
    begin = at;
  }
  return pieces;
}

inline Pieces AnyPieces(std::string_view text, uint64_t seed, size_t longest) {
  Random random(seed);
  Pieces pieces;
  while (!text.empty()) {
    const size_t size = std::min<size_t>(1 + random.Below(longest), text.size());
    pieces.push_back(text.substr(0, size));
    text.remove_prefix(size);
  }
  return pieces;
}

// In every way at once: whatever the pieces, the guard should say the same.
inline std::vector<Pieces> EveryCut(std::string_view text, uint64_t seed) {
  return {Whole(text), EachByte(text), TokenLike(text), AnyPieces(text, seed, 9),
          AnyPieces(text, seed + 1, 300)};
}

struct Watched {
  std::optional<FoundLoop> loop;
  size_t fed = 0;  // bytes, when the loop was found or the text ended
};

inline Watched Watch(const Pieces& pieces, const RunawayConfig& config = {}) {
  RunawayGuard guard(config);
  std::string text;
  std::optional<FoundLoop> loop;
  for (size_t i = 0; i < pieces.size() && !loop; ++i) loop = guard.Read(text += pieces[i]);
  return {loop, text.size()};
}

// For messages.
inline std::string Show(const std::optional<FoundLoop>& loop) {
  if (!loop) return "no loop";
  return "'" + loop->unit + "' x" + std::to_string(loop->repeats) + ", kept " +
         std::to_string(loop->kept_bytes);
}

}  // namespace kw::llm::guard_test
