#include "answer_builder.h"

#include <algorithm>

namespace kw::llm {
namespace {

int64_t TokensOf(size_t bytes) { return (static_cast<int64_t>(bytes) + 3) / 4; }

// Reasoning whose beginning the chat template wrote: only its end stands in the answer.
void SplitAtLoneClose(std::string& content, std::string& reasoning) {
  constexpr std::string_view kClose = "</think>";
  const size_t close = content.find(kClose);
  if (!reasoning.empty() || close == std::string::npos) return;
  reasoning = content.substr(0, close);
  const size_t begin = content.find_first_not_of(" \t\r\n", close + kClose.size());
  content.erase(0, begin);
}

}  // namespace

AnswerBuilder::AnswerBuilder(const ChatRequest& request, const StreamOptions& options)
    : request_(request),
      options_(options),
      content_guard_(options.guard),
      reasoning_guard_(options.guard) {}

bool AnswerBuilder::Add(std::string_view content, std::string_view reasoning) {
  if (content.empty() && reasoning.empty()) return true;
  ++pieces_;
  if (!AddTo(reasoning_, reasoning_guard_, reasoning_bytes_.Feed(reasoning))) return false;
  if (content.empty()) return true;
  const ThinkSplitter::Parts parts = splitter_.Feed(content_bytes_.Feed(content));
  return AddTo(reasoning_, reasoning_guard_, parts.reasoning) && AddContent(parts.content);
}

bool AnswerBuilder::AddTo(std::string& text, RunawayGuard& guard, std::string_view piece) {
  if (piece.empty()) return true;
  text += piece;
  if (content_.size() + reasoning_.size() > kMaxAnswerBytes) stop_ = Stop::kTooLarge;
  if (!options_.on || !options_.guard.enabled) return stop_ == Stop::kNone;
  if (std::optional<FoundLoop> loop = guard.Read(text)) {
    stop_ = Stop::kRunaway;
    runaway_ =
        RunawayLoop{.unit = std::move(loop->unit),
                    .repeats = loop->repeats,
                    .in_reasoning = &text == &reasoning_,
                    .dropped_bytes = loop->dropped_bytes,
                    .tokens_saved = std::max<int64_t>(0, request_.max_tokens - TokensSoFar())};
    text.resize(loop->kept_bytes);
  }
  return stop_ == Stop::kNone;
}

bool AnswerBuilder::AddContent(std::string_view piece) {
  if (!AddTo(content_, content_guard_, piece)) return false;
  if (!options_.on || !request_.is_complete || !fences_.Feed(piece)) return true;
  if (request_.is_complete(content_)) stop_ = Stop::kComplete;
  return stop_ == Stop::kNone;
}

// A piece is a token, where they are as short as tokens.
int64_t AnswerBuilder::TokensSoFar() const {
  constexpr int64_t kTokenBytes = 16;
  const auto bytes = static_cast<int64_t>(content_.size() + reasoning_.size());
  return bytes <= pieces_ * kTokenBytes ? pieces_ : TokensOf(static_cast<size_t>(bytes));
}

ChatAnswer AnswerBuilder::Take() {
  // Half a character at the end of what was stopped is no part of it.
  if (stop_ == Stop::kNone) {
    reasoning_ += reasoning_bytes_.Finish();
    const ThinkSplitter::Parts last = splitter_.Feed(content_bytes_.Finish());
    content_ += last.content;
    reasoning_ += last.reasoning;
    const ThinkSplitter::Parts held = splitter_.Finish();
    content_ += held.content;
    reasoning_ += held.reasoning;
  }
  SplitAtLoneClose(content_, reasoning_);
  ChatAnswer answer;
  answer.content = std::move(content_);
  answer.reasoning = std::move(reasoning_);
  if (stop_ == Stop::kComplete) answer.finish_reason = "complete";
  if (stop_ == Stop::kRunaway) answer.finish_reason = "runaway";
  answer.runaway = std::move(runaway_);
  return answer;
}

int64_t EstimatePromptTokens(const ChatRequest& request) {
  size_t bytes = 0;
  for (const ChatMessage& message : request.messages) bytes += message.content.size();
  return TokensOf(bytes);
}

TokenUsage EstimateUsage(const ChatRequest& request, const ChatAnswer& answer) {
  return {.prompt = EstimatePromptTokens(request),
          .completion = TokensOf(answer.content.size() + answer.reasoning.size()),
          .reasoning = TokensOf(answer.reasoning.size()),
          .estimated = true};
}

}  // namespace kw::llm
