// Seed and temperature reach llama.cpp's own server.
#include <future>
#include <set>

#include "llama_server.h"

namespace kw {
namespace {

using LlamaSeed = LlamaServer;

constexpr uint64_t kSeeds[] = {1, 42, 123};

std::string Text(Result<ChatAnswer> answer) { return std::move(answer.value().content); }

TEST_F(LlamaSeed, HasNoPartInAnAnswerAtTemperatureZero) {
  for (const auto& model : {Open(), OpenUnstreamed()}) {
    std::set<std::string> answers;
    for (const uint64_t seed : kSeeds) answers.insert(Text(model->Complete(Ask(kPrompt, 0, seed))));
    ChatRequest without = Ask(kPrompt);
    without.seed.reset();
    answers.insert(Text(model->Complete(without)));
    EXPECT_EQ(answers.size(), 1);
  }
}

TEST_F(LlamaSeed, HasNoPartInAnAnswerAtTemperatureZeroAmongOthersAtOnce) {
  auto model = Open();
  const std::string alone = Text(model->Complete(Ask(kPrompt)));
  std::vector<std::promise<std::string>> answers(kSlots);
  for (size_t i = 0; i < answers.size(); ++i) {
    model->Submit(Ask(kPrompt, 0, kSeeds[i % 3]), [&answers, i](Result<ChatAnswer> answer) {
      answers[i].set_value(Text(std::move(answer)));
    });
  }
  for (auto& answer : answers) EXPECT_EQ(answer.get_future().get(), alone);
}

TEST_F(LlamaSeed, DecidesAtTemperatureOne) {
  auto model = Open();
  // Behind a prompt that the server has read before, the last bits are others.
  ASSERT_TRUE(model->Complete(Ask("Tell me a story.")));
  std::set<std::string> answers;
  for (const uint64_t seed : kSeeds) {
    const std::string answer = Text(model->Complete(Ask("Tell me a story.", 1, seed)));
    EXPECT_EQ(Text(model->Complete(Ask("Tell me a story.", 1, seed))), answer) << seed;
    answers.insert(answer);
  }
  EXPECT_EQ(answers.size(), std::size(kSeeds));
}

}  // namespace
}  // namespace kw
