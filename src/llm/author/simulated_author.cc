#include <fmt/format.h>

#include "answers.h"
#include "kw/base/hash.h"
#include "kw/base/text.h"
#include "kw/llm.h"

namespace kw {
namespace {

using author::Ask;

// Everything that an answer may depend on.
std::string RequestKey(const ChatRequest& request) {
  Hasher hasher;
  hasher.Add(request.model);
  for (const ChatMessage& message : request.messages) {
    hasher.Add(message.role).Add(message.content);
  }
  hasher.Add(fmt::format("{} {} {}", request.temperature, request.top_p, request.max_tokens));
  for (const std::string& stop : request.stop) hasher.Add(stop);
  // Greedy answers do not depend on the seed.
  if (request.seed && request.temperature > 0) {
    hasher.Add(fmt::format("seed {}", *request.seed));
  }
  return hasher.Hex();
}

int64_t Tokens(size_t characters) { return static_cast<int64_t>((characters + 3) / 4); }

std::string Write(Ask ask, const author::Writing& writing) {
  switch (ask) {
    case Ask::kKernel:
      return AnswerKernel(writing);
    case Ask::kItems:
      return AnswerItems(writing);
    case Ask::kAnalysis:
      return AnswerAnalysis(writing);
    case Ask::kRules:
      return AnswerRules(writing);
    case Ask::kMerge:
      return AnswerMerge(writing);
    case Ask::kJudge:
      return AnswerJudge(writing);
    case Ask::kOther:
      break;
  }
  return AnswerOther(writing);
}

class SimulatedAuthor : public ChatModel {
 public:
  explicit SimulatedAuthor(author::Lexicon lexicon) : lexicon_(std::move(lexicon)) {}

  void Submit(ChatRequest request, Done done) override { done(Answer(request)); }
  std::string Describe() const override { return "simulated author (seeded policy, no model)"; }
  bool simulated() const override { return true; }

 private:
  Result<ChatAnswer> Answer(const ChatRequest& request) const {
    if (request.messages.empty()) return Fail(ErrorCode::kInvalid, "the request has no messages");
    if (!(request.temperature >= 0 && request.temperature <= 2)) {
      return Fail(ErrorCode::kInvalid,
                  fmt::format("temperature {} is not in [0, 2]", request.temperature));
    }
    if (request.max_tokens < 1) {
      return Fail(ErrorCode::kInvalid, fmt::format("max_tokens {} is below 1", request.max_tokens));
    }
    Random random(DeriveSeed(0, RequestKey(request)));
    const author::Prompt prompt = author::ReadPrompt(request.messages);
    ChatAnswer answer;
    answer.content = Write(prompt.ask, {lexicon_, prompt, request.temperature, random});
    answer.finish_reason = "stop";
    for (const std::string& stop : request.stop) {
      const size_t at = stop.empty() ? std::string::npos : answer.content.find(stop);
      if (at != std::string::npos) answer.content.resize(at);
    }
    const size_t most = static_cast<size_t>(request.max_tokens) * 4;
    if (answer.content.size() > most) {
      answer.content.resize(most);
      answer.finish_reason = "length";
    }
    answer.content = ToValidUtf8(answer.content);
    answer.model = request.model;
    size_t asked = 0;
    for (const ChatMessage& message : request.messages) asked += message.content.size();
    answer.usage.prompt = Tokens(asked);
    answer.usage.completion = Tokens(answer.content.size());
    return answer;
  }

  author::Lexicon lexicon_;
};

}  // namespace

Result<std::unique_ptr<ChatModel>> MakeSimulatedAuthor(const std::string& effects_file) {
  auto lexicon = author::Lexicon::Load(effects_file);
  if (!lexicon) {
    return Fail(std::move(lexicon).error().While("reading the simulated author's effects"));
  }
  return std::unique_ptr<ChatModel>(new SimulatedAuthor(std::move(*lexicon)));
}

}  // namespace kw
