// Streams of llama.cpp's own server: followed, cancelled, stopped at a loop.
#include <future>
#include <optional>
#include <stop_token>

#include "llama_server.h"

namespace kw {
namespace {

class LlamaStream : public LlamaServer {
 protected:
  // A request that the server is at work on, and would be until the slot's context is full.
  struct LongRequest {
    std::stop_source cancel;
    std::promise<Result<ChatAnswer>> ended;
    std::optional<size_t> slot;
  };
  static void Begin(ChatModel& model, LongRequest& begun) {
    ChatRequest request = Ask(kLongPrompt);
    request.max_tokens = 10 * kContextTokens;
    request.cancel = begun.cancel.get_token();
    model.Submit(request,
                 [&begun](Result<ChatAnswer> answer) { begun.ended.set_value(std::move(answer)); });
    ASSERT_TRUE(Eventually([&] {
      const Json slots = Slots();
      for (size_t i = 0; i < slots.size(); ++i) {
        if (slots[i].at("is_processing") == true && Decoded(slots[i]) >= 5) begun.slot = i;
      }
      return begun.slot.has_value();
    }));
    ASSERT_EQ(SlotsAtWork(), 1);
  }
  static int Decoded(const Json& slot) {
    return slot.contains("next_token") ? slot["next_token"].at(0).at("n_decoded").get<int>() : 0;
  }
  // It ended as cancelled, and the slot without having filled its context.
  static void ExpectNoMoreWork(LongRequest& begun) {
    const Result<ChatAnswer> answer = begun.ended.get_future().get();
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, ErrorCode::kCancelled);
    EXPECT_TRUE(Eventually([] { return SlotsAtWork() == 0; }));
    EXPECT_LT(Slots().at(*begun.slot).at("n_prompt_tokens"), kContextTokens - 20);
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
  const ChatRequest request = Ask("Which river flows through Vienna and Budapest?");
  const TokenUsage first = model->Complete(request).value().usage;
  const TokenUsage again = model->Complete(request).value().usage;
  EXPECT_GT(again.cached, first.cached);
  EXPECT_LE(again.cached, again.prompt);
}

TEST_F(LlamaStream, EndsTheServersWorkWhenItIsCancelled) {
  LongRequest begun;
  auto model = OpenUnguarded();
  ASSERT_NO_FATAL_FAILURE(Begin(*model, begun));
  begun.cancel.request_stop();
  ExpectNoMoreWork(begun);
  EXPECT_FALSE(model->Complete(Ask(kPrompt)).value().content.empty());  // the model goes on
}

TEST_F(LlamaStream, EndsTheServersWorkWhenTheModelIsDestroyed) {
  LongRequest begun;
  auto model = OpenUnguarded();
  ASSERT_NO_FATAL_FAILURE(Begin(*model, begun));
  model.reset();
  ExpectNoMoreWork(begun);
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
