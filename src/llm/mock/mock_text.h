// The text of an answer, which may go round in a loop, and how it is cut into chunks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace kw::mock {

// Bytes [0, size) of a text that goes on beyond its base with the base's tail from `loop_from`.
struct MockText {
  std::shared_ptr<const std::string> base = std::make_shared<const std::string>();
  size_t loop_from = 0;
  size_t size = 0;

  static MockText Whole(std::string text);
  char At(size_t i) const;
  void Append(size_t from, size_t to, std::string& out) const;
  std::string ToString() const;
  // The end of the chunk that begins at `from`: `bytes` further on, behind a whole character.
  size_t ChunkEnd(size_t from, size_t bytes) const;
  void Prepend(std::string_view text);
  // Cuts to at most `bytes`, at a character's end; true if something was cut.
  bool CutTo(size_t bytes);
};

// An answer with a kernel of exactly `bytes` bytes, without repeats. Below a few hundred bytes it
// is the beginning of one.
std::string CannedKernel(size_t bytes);
// A beginning, then `unit` for ever.
MockText RunawayText(std::string_view beginning, std::string_view unit);
// The beginning of an answer with a kernel, up to the body of a loop.
std::string_view RunawayBeginning();
// What the model "thinks" before it answers.
std::string_view ReasoningText();
// A line with characters of two, three and four bytes.
std::string_view UnicodeLine();

// A count of tokens as the simulated author counts: four bytes each.
inline int64_t TokensOf(size_t bytes) { return static_cast<int64_t>((bytes + 3) / 4); }

// As it stands in a JSON string; valid UTF-8 goes through as it is.
void AppendJsonEscaped(std::string_view text, std::string& out);

}  // namespace kw::mock
