// An answer, built from what a stream says.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "fence_watch.h"
#include "kw/llm.h"
#include "runaway_guard.h"
#include "think_splitter.h"
#include "utf8_joiner.h"

namespace kw::llm {

// Of the text and of the reasoning of an answer.
inline constexpr size_t kMaxAnswerBytes = 16 << 20;

class AnswerBuilder {
 public:
  // Both outlive it.
  AnswerBuilder(const ChatRequest& request, const StreamOptions& options);

  // False where the stream is to be stopped here; why() says why.
  bool Add(std::string_view content, std::string_view reasoning);
  enum class Stop { kNone, kComplete, kRunaway, kTooLarge };
  Stop why() const { return stop_; }
  bool has_text() const { return pieces_ > 0; }

  // The answer's texts, and what stopped them; usage where the endpoint did not say it.
  ChatAnswer Take();

 private:
  // Adds to one of the two texts, and looks for a loop at its end.
  bool AddTo(std::string& text, RunawayGuard& guard, std::string_view piece);
  bool AddContent(std::string_view piece);
  int64_t TokensSoFar() const;

  const ChatRequest& request_;
  const StreamOptions& options_;
  Utf8Joiner content_bytes_, reasoning_bytes_;
  ThinkSplitter splitter_;
  FenceWatch fences_;
  RunawayGuard content_guard_, reasoning_guard_;
  std::optional<RunawayLoop> runaway_;
  std::string content_, reasoning_;
  int64_t pieces_ = 0;
  Stop stop_ = Stop::kNone;
};

// From the texts, by the rule of thumb of four bytes a token.
TokenUsage EstimateUsage(const ChatRequest& request, const ChatAnswer& answer);
int64_t EstimatePromptTokens(const ChatRequest& request);

}  // namespace kw::llm
