// Reasoning that stands in the answer itself, as many open models write it:
//
//   answer = *white-space "<think>" reasoning "</think>" *white-space content
#pragma once

#include <string>
#include <string_view>

namespace kw::llm {

class ThinkSplitter {
 public:
  struct Parts {
    std::string_view content, reasoning;  // live until the next call
  };
  // The next piece of the answer, divided; a few bytes may be held back until more is known.
  Parts Feed(std::string_view piece);
  // What was held back.
  Parts Finish();

 private:
  enum class State { kBegin, kThinking, kAfter, kContent };
  Parts Think(std::string_view text);

  State state_ = State::kBegin;
  std::string held_, content_, reasoning_;
};

}  // namespace kw::llm
