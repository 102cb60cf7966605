#include "answer_builder.h"

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
    : request_(request), options_(options) {}

bool AnswerBuilder::Add(std::string_view content, std::string_view reasoning) {
  if (content.empty() && reasoning.empty()) return true;
  ++pieces_;
  if (!reasoning.empty() && !AddReasoning(reasoning)) return false;
  if (content.empty()) return true;
  const ThinkSplitter::Parts parts = splitter_.Feed(content);
  return AddReasoning(parts.reasoning) && AddContent(parts.content);
}

bool AnswerBuilder::AddContent(std::string_view text) {
  content_ += text;
  if (content_.size() + reasoning_.size() > kMaxAnswerBytes) stop_ = Stop::kTooLarge;
  return stop_ == Stop::kNone;
}

bool AnswerBuilder::AddReasoning(std::string_view text) {
  reasoning_ += text;
  if (content_.size() + reasoning_.size() > kMaxAnswerBytes) stop_ = Stop::kTooLarge;
  return stop_ == Stop::kNone;
}

ChatAnswer AnswerBuilder::Take() {
  const ThinkSplitter::Parts held = splitter_.Finish();
  content_ += held.content;
  reasoning_ += held.reasoning;
  SplitAtLoneClose(content_, reasoning_);
  ChatAnswer answer;
  answer.content = std::move(content_);
  answer.reasoning = std::move(reasoning_);
  if (stop_ == Stop::kComplete) answer.finish_reason = "complete";
  if (stop_ == Stop::kRunaway) answer.finish_reason = "runaway";
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
