// The stream of an answer, from the bytes of the connection to the answer: server-sent events,
// their JSON, the answer's text, the guard. Whatever the bytes are: no crash, valid UTF-8 of a
// bounded size, and the same answer however the network cuts the bytes.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "kw/base.h"
#include "src/llm/answer_builder.h"
#include "src/llm/sse.h"
#include "src/llm/wire.h"

namespace {

using kw::ApiKind;
using kw::ChatAnswer;

constexpr size_t kMaxEventBytes = 4096;

void Require(bool condition) {
  if (!condition) std::abort();
}

bool IsValidUtf8(const std::string& text) { return kw::ToValidUtf8(text) == text; }

struct Followed {
  ChatAnswer answer;
  std::string finish_reason, error, trouble;
  int64_t prompt_tokens = 0;
  bool ended = false, too_large = false;
  bool operator==(const Followed& other) const {
    return answer.content == other.answer.content && answer.reasoning == other.answer.reasoning &&
           answer.finish_reason == other.answer.finish_reason &&
           answer.runaway.has_value() == other.answer.runaway.has_value() &&
           finish_reason == other.finish_reason && error == other.error &&
           trouble == other.trouble && prompt_tokens == other.prompt_tokens &&
           ended == other.ended && too_large == other.too_large;
  }
};

// In pieces of `cut` bytes.
Followed Follow(ApiKind api, std::string_view bytes, size_t cut) {
  Followed followed;
  const kw::ChatRequest request{.model = "m", .max_tokens = 100};
  const kw::StreamOptions options;
  kw::llm::AnswerBuilder builder(request, options);
  kw::llm::SseParser parser(kMaxEventBytes);
  const auto reader = kw::llm::WireOf(api).NewStream();
  const auto take = [&](std::string_view event, std::string_view data) {
    const auto piece = reader->Read(event, data);
    if (!piece) {
      Require(piece.error().code == kw::ErrorCode::kParse);
      followed.trouble = piece.error().message;
      return false;
    }
    return reader->facts().error_status == 0 && builder.Add(piece->content, piece->reasoning);
  };
  bool goes_on = true;
  for (size_t at = 0; goes_on && at < bytes.size(); at += cut) {
    goes_on = parser.Feed(bytes.substr(at, cut), take);
  }
  if (goes_on) parser.Finish(take);
  followed.answer = builder.Take();
  const auto& facts = reader->facts();
  followed.finish_reason = facts.finish_reason;
  followed.error = facts.error;
  followed.prompt_tokens = facts.usage.prompt;
  followed.ended = facts.ended;
  followed.too_large = parser.too_large();
  Require(facts.usage.prompt >= 0 && facts.usage.completion >= 0 && facts.usage.cached >= 0);
  return followed;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const ApiKind api = data[0] % 2 == 0 ? ApiKind::kOpenAi : ApiKind::kAnthropic;
  const size_t cut = 1 + data[1];
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  const Followed whole = Follow(api, bytes, std::max<size_t>(bytes.size(), 1));
  Require(IsValidUtf8(whole.answer.content) && IsValidUtf8(whole.answer.reasoning));
  Require(IsValidUtf8(whole.finish_reason) && IsValidUtf8(whole.error));
  Require(IsValidUtf8(whole.trouble) && whole.trouble.size() < 1000);
  // Each broken byte becomes at most the three of U+FFFD.
  Require(whole.answer.content.size() + whole.answer.reasoning.size() <= 3 * size);
  Require(Follow(api, bytes, cut) == whole);
  return 0;
}
