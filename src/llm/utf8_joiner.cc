#include "utf8_joiner.h"

#include <algorithm>
#include <cstdint>

namespace kw::llm {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
// U+F700 + byte: in UTF-8 EF 9C 80 + the byte's bits, so that all begin with EF.
constexpr uint32_t kPrivate = 0xF700;

uint8_t ByteAt(std::string_view text, size_t at) { return static_cast<uint8_t>(text[at]); }

struct Sequence {
  size_t length = 0;  // bytes that belong together
  bool valid = false;
  bool cut = false;  // a valid beginning, at which the text ends
};

// What begins at `at` (Unicode 15, table 3-7).
Sequence SequenceAt(std::string_view text, size_t at) {
  const uint8_t lead = ByteAt(text, at);
  if (lead < 0x80) return {1, true, false};
  size_t length = 0;
  uint8_t low = 0x80, high = 0xBF;  // of the second byte
  if (lead >= 0xC2 && lead <= 0xDF) {
    length = 2;
  } else if (lead >= 0xE0 && lead <= 0xEF) {
    length = 3;
    if (lead == 0xE0) low = 0xA0;
    if (lead == 0xED) high = 0x9F;
  } else if (lead >= 0xF0 && lead <= 0xF4) {
    length = 4;
    if (lead == 0xF0) low = 0x90;
    if (lead == 0xF4) high = 0x8F;
  } else {
    return {1, false, false};
  }
  for (size_t i = 1; i < length; ++i) {
    if (at + i == text.size()) return {i, false, true};
    const uint8_t next = ByteAt(text, at + i);
    if (next < low || next > high) return {i, false, false};
    low = 0x80;
    high = 0xBF;
  }
  return {length, true, false};
}

void AppendCharacter(std::string& text, uint32_t character) {
  text += static_cast<char>(0xE0 | (character >> 12));
  text += static_cast<char>(0x80 | (character >> 6 & 0x3F));
  text += static_cast<char>(0x80 | (character & 0x3F));
}

}  // namespace

bool IsAscii(std::string_view text) {
  unsigned char all = 0;
  for (const char c : text) all |= static_cast<unsigned char>(c);
  return all < 0x80;
}

bool IsValidUtf8(std::string_view text) {
  if (IsAscii(text)) return true;
  for (size_t at = 0; at < text.size();) {
    const Sequence sequence = SequenceAt(text, at);
    if (!sequence.valid) return false;
    at += sequence.length;
  }
  return true;
}

std::string MarkBrokenBytes(std::string_view text) {
  std::string marked;
  for (size_t at = 0; at < text.size();) {
    const Sequence sequence = SequenceAt(text, at);
    for (size_t i = at; i < at + sequence.length; ++i) {
      if (sequence.valid) {
        marked += text[i];
      } else {
        AppendCharacter(marked, kPrivate + ByteAt(text, i));
      }
    }
    at += sequence.length;
  }
  return marked;
}

std::string RestoreBrokenBytes(std::string_view text) {
  std::string restored;
  for (size_t at = 0; at < text.size();) {
    const Sequence sequence = SequenceAt(text, at);
    uint32_t character = 0;
    if (sequence.valid && sequence.length == 3) {
      character = (ByteAt(text, at) & 0xFu) << 12 | (ByteAt(text, at + 1) & 0x3Fu) << 6 |
                  (ByteAt(text, at + 2) & 0x3Fu);
    }
    if (character >= kPrivate + 0x80 && character <= kPrivate + 0xFF) {
      restored += static_cast<char>(character - kPrivate);
    } else {
      restored += text.substr(at, sequence.length);
    }
    at += sequence.length;
  }
  return restored;
}

std::string_view Utf8Joiner::Feed(std::string_view piece) {
  if (held_.empty() && IsValidUtf8(piece)) return piece;
  held_ += piece;
  joined_.clear();
  size_t at = 0;
  while (at < held_.size()) {
    const Sequence sequence = SequenceAt(held_, at);
    if (sequence.cut) break;
    joined_ += sequence.valid ? std::string_view(held_).substr(at, sequence.length) : kReplacement;
    at += sequence.length;
  }
  held_.erase(0, at);
  return joined_;
}

std::string_view Utf8Joiner::Finish() {
  if (held_.empty()) return {};
  held_.clear();
  return kReplacement;
}

}  // namespace kw::llm
