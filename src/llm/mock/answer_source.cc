#include "answer_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "kw/base/text.h"

namespace kw::mock {
namespace {

constexpr std::string_view kLoopUnit = "  acc += x[row];\n";

bool IsWide(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) >= 0xC0; });
}

template <class T>
Result<void> InRange(const char* name, T value, T least, T most) {
  if (value >= least && value <= most) return {};
  return Fail(ErrorCode::kInvalid,
              fmt::format("{} must be in [{}, {}], not {}", name, least, most, value));
}

Result<void> CheckRanges(const MockOptions& options) {
  constexpr int64_t kHourMs = 3'600'000;
  KW_TRY(InRange("port", options.port, 0, 65'535));
  KW_TRY(InRange<int64_t>("context", options.context_tokens, 1, 1 << 24));
  KW_TRY(InRange<int64_t>("canned", options.canned_bytes, 1, 16 << 20));
  KW_TRY(InRange("chunk", options.chunk_bytes, 1, 65'536));
  KW_TRY(InRange("rate", options.chunks_per_s, 0.0, 1e6));
  KW_TRY(InRange<int64_t>("latency", options.latency_ms, 0, kHourMs));
  KW_TRY(InRange<int64_t>("embedding-dimension", options.embedding_dimension, 1, kMaxDimension));
  KW_TRY(InRange<int64_t>("rpm", options.requests_per_minute, 0, 1'000'000));
  KW_TRY(InRange<int64_t>("retry-after", options.retry_after_s, 0, 86'400));
  return InRange<int64_t>("stall", options.stall_ms, 0, kHourMs);
}

bool IsPrintable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7F; });
}

}  // namespace

AnswerSource::AnswerSource(const MockOptions& options)
    : content_(options.content), context_tokens_(options.context_tokens) {
  const bool thinks = options.reasoning != MockOptions::Reasoning::kNone;
  const std::string unit = options.loop_unit.empty() ? std::string(kLoopUnit) : options.loop_unit;
  if (thinks) {
    reasoning_ = options.loop_in_reasoning ? RunawayText(ReasoningText(), "\n" + unit)
                                           : MockText::Whole(std::string(ReasoningText()));
  }
  if (options.unicode) before_ = UnicodeLine();
  if (content_ == MockOptions::Content::kCanned) {
    fixed_ = MockText::Whole(CannedKernel(static_cast<size_t>(options.canned_bytes)));
  } else if (content_ == MockOptions::Content::kLoop && !options.loop_in_reasoning) {
    fixed_ = RunawayText(RunawayBeginning(), unit);
  }
  if (options.reasoning == MockOptions::Reasoning::kThinkBlock) {
    if (options.loop_in_reasoning) {
      fixed_ = reasoning_;
      before_ = "<think>\n" + before_;
    } else {
      before_ = "<think>\n" + reasoning_.ToString() + "\n</think>\n\n" + before_;
    }
    reasoning_ = MockText();
  }
  fixed_.Prepend(before_);
}

bool AnswerSource::has_wide_characters() const {
  return IsWide(before_) || IsWide(*fixed_.base) || IsWide(*reasoning_.base);
}

int64_t AnswerSource::Budget(const Asked& asked) const {
  const int64_t left = std::max<int64_t>(context_tokens_ - asked.prompt_tokens, 1);
  const int64_t given = asked.request.max_tokens;
  return given > 0 ? std::min(given, left) : left;
}

Answer AnswerSource::FromModel(const Asked& asked, ChatAnswer said) const {
  MockText content = MockText::Whole(before_ + said.content);
  return Finish(asked, std::move(content), said.finish_reason == "length");
}

Answer AnswerSource::Own(const Asked& asked) const {
  MockText content = fixed_;
  for (const std::string& stop : asked.request.stop) {
    const size_t at = stop.empty() ? std::string::npos : fixed_.base->find(stop);
    if (at != std::string::npos) content.size = std::min(content.size, at);
  }
  return Finish(asked, std::move(content), false);
}

Answer AnswerSource::Finish(const Asked& asked, MockText content, bool cut) const {
  const int64_t budget = Budget(asked);
  Answer answer{.id = asked.key.substr(0, 24),
                .model = asked.request.model,
                .reasoning = reasoning_,
                .content = std::move(content),
                .cut = cut};
  answer.cut |= answer.reasoning.CutTo(static_cast<size_t>(budget) * 4);
  answer.usage.reasoning = TokensOf(answer.reasoning.size);
  const int64_t left = budget - answer.usage.reasoning;
  answer.cut |= answer.content.CutTo(static_cast<size_t>(left) * 4);
  answer.usage.prompt = asked.prompt_tokens;
  answer.usage.completion = answer.usage.reasoning + TokensOf(answer.content.size);
  return answer;
}

Result<void> CheckOptions(const MockOptions& options, const ChatModel* model) {
  KW_TRY(CheckRanges(options));
  const bool loops = options.content == MockOptions::Content::kLoop;
  if (options.content == MockOptions::Content::kModel && model == nullptr) {
    return Fail(ErrorCode::kInvalid, "there is no model that could answer");
  }
  if (options.loop_in_reasoning && (!loops || options.reasoning == MockOptions::Reasoning::kNone)) {
    return Fail(ErrorCode::kInvalid, "a loop in the reasoning needs both a loop and reasoning");
  }
  if (!options.loop_unit.empty() && !loops) {
    return Fail(ErrorCode::kInvalid, "a loop's unit needs a loop");
  }
  if (ToValidUtf8(options.loop_unit) != options.loop_unit) {
    return Fail(ErrorCode::kInvalid, "the loop's unit is no UTF-8");
  }
  for (const std::string& name : options.models) {
    if (name.empty() || ToValidUtf8(name) != name) {
      return Fail(ErrorCode::kInvalid, "a model's name must be UTF-8 and not empty");
    }
  }
  const std::string& host = options.redirect_to;
  if (!(host.starts_with("http://") || host.starts_with("https://")) || !IsPrintable(host)) {
    return Fail(ErrorCode::kInvalid,
                "redirect-to must be like http://host:port, not '" + Shorten(host, 80) + "'");
  }
  return {};
}

}  // namespace kw::mock
