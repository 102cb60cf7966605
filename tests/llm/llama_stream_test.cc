// Streams of llama.cpp's own server: followed, cancelled, stopped at a loop.
#include <future>

#include "llama_server.h"

namespace kw {
namespace {

class LlamaStream : public LlamaServer {
 protected:
  // Of the slot that was used: tokens that it holds of prompt and answer. One slot is used by each
  // of these tests.
  static int64_t TokensHeld() {
    for (const Json& slot : Slots()) {
      if (slot.contains("id_task")) return slot.at("n_prompt_tokens").get<int64_t>();
    }
    return 0;
  }
  static bool HasBegunToAnswer() {
    for (const Json& slot : Slots()) {
      if (slot.contains("next_token") && slot["next_token"].at(0).at("n_decoded") >= 5) return true;
    }
    return false;
  }
};

TEST_F(LlamaStream, BringsTheTextInPieces) {
  const ChatAnswer answer = Open()->Complete(Ask(kPrompt)).value();
  EXPECT_GT(answer.first_token_us, 0);
  EXPECT_LT(answer.first_token_us, answer.latency_us);
  EXPECT_EQ(OpenUnstreamed()->Complete(Ask(kPrompt)).value().first_token_us, 0);
}

TEST_F(LlamaStream, SaysWhatTheWholeAnswerSaysAndCountsAsMuch) {
  ChatRequest request = Ask("Write hello in Chinese, Greek and Arabic.");  // several bytes a letter
  request.max_tokens = 64;
  const ChatAnswer streamed = Open()->Complete(request).value();
  const ChatAnswer whole = OpenUnstreamed()->Complete(request).value();
  EXPECT_FALSE(streamed.content.empty());
  EXPECT_EQ(streamed.content, whole.content);
  EXPECT_EQ(streamed.finish_reason, whole.finish_reason);
  EXPECT_FALSE(streamed.usage.estimated);
  EXPECT_EQ(streamed.usage.prompt, whole.usage.prompt);
  EXPECT_EQ(streamed.usage.completion, whole.usage.completion);
}

TEST_F(LlamaStream, CountsThePartOfThePromptThatTheServerHadAlready) {
  auto model = Open();
  EXPECT_EQ(model->Complete(Ask(kPrompt)).value().usage.cached, 0);
  const TokenUsage again = model->Complete(Ask(kPrompt)).value().usage;
  EXPECT_GT(again.cached, 0);
  EXPECT_LE(again.cached, again.prompt);
}

TEST_F(LlamaStream, EndsTheServersWorkWhenItIsCancelled) {
  std::stop_source cancel;
  ChatRequest request = Ask(kLongPrompt);
  request.max_tokens = 10 * kContextTokens;
  request.cancel = cancel.get_token();
  std::promise<Result<ChatAnswer>> ended;
  auto model = OpenUnguarded();
  model->Submit(request, [&](Result<ChatAnswer> answer) { ended.set_value(std::move(answer)); });
  ASSERT_TRUE(Eventually(HasBegunToAnswer));
  EXPECT_EQ(SlotsAtWork(), 1);

  cancel.request_stop();
  const Result<ChatAnswer> answer = ended.get_future().get();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::kCancelled);
  EXPECT_TRUE(Eventually([] { return SlotsAtWork() == 0; }));
  EXPECT_LT(TokensHeld(), kContextTokens - 20);  // the whole answer fills the context

  EXPECT_FALSE(model->Complete(Ask(kPrompt)).value().content.empty());  // the model goes on
}

TEST_F(LlamaStream, EndsTheServersWorkWhenTheModelIsDestroyed) {
  ChatRequest request = Ask(kLongPrompt);
  request.max_tokens = 10 * kContextTokens;
  std::promise<Result<ChatAnswer>> ended;
  auto model = OpenUnguarded();
  model->Submit(request, [&](Result<ChatAnswer> answer) { ended.set_value(std::move(answer)); });
  ASSERT_TRUE(Eventually(HasBegunToAnswer));
  model.reset();
  EXPECT_EQ(ended.get_future().get().error().code, ErrorCode::kCancelled);
  EXPECT_TRUE(Eventually([] { return SlotsAtWork() == 0; }));
  EXPECT_LT(TokensHeld(), kContextTokens - 20);
}

// It says one line until its context is full.
TEST_F(LlamaStream, IsStoppedAtARealLoop) {
  ChatRequest request = Ask("Write a song whose only word is la.");
  request.max_tokens = 200;
  const ChatAnswer answer = Open()->Complete(request).value();
  ASSERT_EQ(answer.finish_reason, "runaway") << answer.content;
  ASSERT_TRUE(answer.runaway);
  EXPECT_GE(answer.runaway->repeats, 12);
  EXPECT_GT(answer.runaway->dropped_bytes, 0);
  EXPECT_GT(answer.runaway->tokens_saved, 0);
  EXPECT_TRUE(Eventually([] { return SlotsAtWork() == 0; }));

  const ChatAnswer whole = OpenUnguarded()->Complete(request).value();
  EXPECT_EQ(whole.finish_reason, "length");
  EXPECT_FALSE(whole.runaway);
  EXPECT_THAT(whole.content, ::testing::StartsWith(answer.content));
  EXPECT_GT(whole.content.size(), answer.content.size());
}

}  // namespace
}  // namespace kw
