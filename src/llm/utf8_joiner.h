// Characters that a server has cut in two: half of one in an event, the other half in the next.
#pragma once

#include <string>
#include <string_view>

namespace kw::llm {

// JSON is UTF-8. Bytes that are none become private characters, which a JSON parser takes, and
// become what they were again behind it. Only for texts that hold such bytes.
std::string MarkBrokenBytes(std::string_view text);
std::string RestoreBrokenBytes(std::string_view text);
bool IsValidUtf8(std::string_view text);
bool IsAscii(std::string_view text);
// A byte of a character that is not its first.
inline bool ContinuesCharacter(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

// Joins the pieces of a text.
class Utf8Joiner {
 public:
  // Valid UTF-8: the piece, with what was held back before it; the beginning of a character at its
  // end is held back, and bytes that can belong to none become U+FFFD. Lives until the next call.
  std::string_view Feed(std::string_view piece);
  // What is still held back is no character: U+FFFD.
  std::string_view Finish();

 private:
  std::string held_, joined_;
};

}  // namespace kw::llm
