#include "request_sketch.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "kw/base.h"
#include "kw/base/json.h"

namespace kw::recording {
namespace {

constexpr size_t kFields = 8;
constexpr size_t kWord = 4;

uint32_t Hash32(std::string_view text) { return static_cast<uint32_t>(DeriveSeed(0, text)); }

void AppendWord(uint32_t word, std::string& bytes) {
  for (int shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(word >> shift);
}

uint32_t WordAt(std::string_view bytes, size_t index) {
  uint32_t word = 0;
  for (size_t i = 0; i < kWord; ++i) {
    word |= static_cast<uint32_t>(static_cast<unsigned char>(bytes[index * kWord + i])) << (8 * i);
  }
  return word;
}

bool IsSketch(std::string_view bytes) {
  return bytes.size() % kWord == 0 && bytes.size() >= kFields * kWord &&
         bytes.size() <= (kFields + kSketchLines) * kWord;
}

// Both ascend. Of the union only as many of the smallest are looked at as both sides know.
double SharedLines(std::string_view a, std::string_view b) {
  const size_t a_end = a.size() / kWord, b_end = b.size() / kWord;
  const bool whole = std::max(a_end, b_end) < kFields + kSketchLines;
  size_t i = kFields, j = kFields, all = 0, equal = 0;
  while ((i < a_end || j < b_end) && (whole || all < kSketchLines)) {
    const uint32_t x = i < a_end ? WordAt(a, i) : UINT32_MAX;
    const uint32_t y = j < b_end ? WordAt(b, j) : UINT32_MAX;
    ++all;
    if (i < a_end && j < b_end && x == y) {
      ++equal, ++i, ++j;
    } else if (j == b_end || (i < a_end && x < y)) {
      ++i;
    } else {
      ++j;
    }
  }
  return all == 0 ? 1 : static_cast<double>(equal) / static_cast<double>(all);
}

}  // namespace

std::string SketchOf(const CountedRequest& counted) {
  const ChatRequest& request = counted.request;
  std::string sketch;
  AppendWord(Hash32(request.model), sketch);
  AppendWord(Hash32(counted.variant), sketch);
  AppendWord(Hash32(fmt::format("{}", request.temperature)), sketch);
  AppendWord(Hash32(fmt::format("{}", request.top_p)), sketch);
  AppendWord(Hash32(fmt::format("{}", request.max_tokens)), sketch);
  AppendWord(Hash32(DumpJson(Json(request.stop))), sketch);
  AppendWord(Hash32(request.seed ? fmt::format("{}", *request.seed) : ""), sketch);
  AppendWord(Hash32(fmt::format("{}", counted.occurrence)), sketch);

  std::vector<uint32_t> lines;
  for (const ChatMessage& message : request.messages) {
    for (std::string_view line : Split(message.content, '\n')) lines.push_back(Hash32(line));
  }
  std::sort(lines.begin(), lines.end());
  lines.erase(std::unique(lines.begin(), lines.end()), lines.end());
  lines.resize(std::min(lines.size(), kSketchLines));
  for (uint32_t line : lines) AppendWord(line, sketch);
  return sketch;
}

Likeness CompareSketches(std::string_view sketch, std::string_view other) {
  if (!IsSketch(sketch) || !IsSketch(other)) return {};
  Likeness likeness;
  likeness.lines = SharedLines(sketch, other);
  for (size_t i = 0; i < kFields; ++i) {
    const int weight = i == 0 ? static_cast<int>(kFields) : 1;
    if (WordAt(sketch, i) == WordAt(other, i)) likeness.fields += weight;
  }
  return likeness;
}

}  // namespace kw::recording
