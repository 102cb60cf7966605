#include "think_splitter.h"

#include <algorithm>

namespace kw::llm {
namespace {

constexpr std::string_view kOpen = "<think>", kClose = "</think>";
constexpr std::string_view kBlanks = " \t\r\n";

// How many bytes at the end of `text` may be the beginning of `mark`.
size_t BeginningOf(std::string_view mark, std::string_view text) {
  for (size_t size = std::min(mark.size() - 1, text.size()); size > 0; --size) {
    if (text.substr(text.size() - size) == mark.substr(0, size)) return size;
  }
  return 0;
}

}  // namespace

ThinkSplitter::Parts ThinkSplitter::Feed(std::string_view piece) {
  switch (state_) {
    case State::kContent:
      return {piece, {}};
    case State::kBegin: {
      held_ += piece;
      const size_t begin = held_.find_first_not_of(kBlanks);
      const std::string_view text =
          begin == std::string::npos ? std::string_view() : std::string_view(held_).substr(begin);
      if (text.size() < kOpen.size() && text == kOpen.substr(0, text.size())) return {};
      if (text.substr(0, kOpen.size()) == kOpen) {
        state_ = State::kThinking;
        const std::string rest(text.substr(kOpen.size()));
        held_.clear();
        return Think(rest);
      }
      state_ = State::kContent;
      content_.swap(held_);
      return {content_, {}};
    }
    case State::kThinking:
      return Think(piece);
    case State::kAfter: {
      const size_t begin = piece.find_first_not_of(kBlanks);
      if (begin == std::string_view::npos) return {};
      state_ = State::kContent;
      return {piece.substr(begin), {}};
    }
  }
  return {};
}

ThinkSplitter::Parts ThinkSplitter::Think(std::string_view text) {
  reasoning_.swap(held_);
  reasoning_ += text;
  held_.clear();
  const size_t close = reasoning_.find(kClose);
  if (close == std::string::npos) {
    const size_t kept = reasoning_.size() - BeginningOf(kClose, reasoning_);
    held_ = reasoning_.substr(kept);
    reasoning_.resize(kept);
    return {{}, reasoning_};
  }
  content_ = reasoning_.substr(close + kClose.size());
  reasoning_.resize(close);
  state_ = State::kAfter;
  return {Feed(content_).content, reasoning_};
}

ThinkSplitter::Parts ThinkSplitter::Finish() {
  content_.swap(held_);
  held_.clear();
  if (state_ == State::kThinking) return {{}, content_};
  return {content_, {}};
}

}  // namespace kw::llm
