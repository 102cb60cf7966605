// The client against llama.cpp's own server: answers, counts, refusals.
#include "llama_server.h"

#include <future>

namespace kw {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

TEST_F(LlamaServer, AnswersWithItsCounts) {
  const ChatAnswer answer = Open()->Complete(Ask(kPrompt)).value();
  EXPECT_FALSE(answer.content.empty());
  EXPECT_EQ(answer.model, "smollm2");
  EXPECT_GT(answer.usage.prompt, 5);
  EXPECT_GT(answer.usage.completion, 0);
  EXPECT_LE(answer.usage.completion, 24);
  EXPECT_FALSE(answer.usage.estimated);
}

TEST_F(LlamaServer, SaysThatAnAnswerWasCutByItsLength) {
  ChatRequest request = Ask(kPrompt);
  request.max_tokens = 3;
  const ChatAnswer answer = Open()->Complete(request).value();
  EXPECT_EQ(answer.finish_reason, "length");
  EXPECT_EQ(answer.usage.completion, 3);
}

TEST_F(LlamaServer, ServesMoreRequestsThanItHasSlots) {
  auto model = Open();
  std::vector<std::promise<bool>> answered(kSlots + 3);
  for (size_t i = 0; i < answered.size(); ++i) {
    model->Submit(Ask(kPrompt, 1, i), [&answered, i](Result<ChatAnswer> answer) {
      answered[i].set_value(answer.has_value());
    });
  }
  for (auto& one : answered) EXPECT_TRUE(one.get_future().get());
}

TEST_F(LlamaServer, SaysThatThePromptIsTooLong) {
  std::string text;
  for (int i = 0; i < 2 * kContextTokens; ++i) text += "word ";
  for (auto* open : {&Open, &OpenUnstreamed}) {
    const auto answer = (*open)()->Complete(Ask(text));
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, ErrorCode::kInvalid);
    EXPECT_THAT(
        answer.error().message,
        AllOf(HasSubstr("HTTP 400"), HasSubstr("serve a longer context"), Not(HasSubstr("tried"))));
  }
}

TEST_F(LlamaServer, SaysThatTheContextIsFullInTheMiddleOfAnAnswer) {
  ChatRequest request = Ask(kLongPrompt);
  request.max_tokens = 10 * kContextTokens;
  const ChatAnswer answer = OpenUnguarded()->Complete(request).value();
  EXPECT_EQ(answer.finish_reason, "length");
  EXPECT_FALSE(answer.usage.estimated);
  EXPECT_EQ(answer.usage.prompt + answer.usage.completion, kContextTokens);
}

TEST_F(LlamaServer, RefusesAWrongKey) {
  const auto answer = MakeHttpModel(Endpoint("sk-quite-another-key")).value()->Complete(Ask("Hi"));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(answer.error().message, AllOf(HasSubstr("401"), HasSubstr("check the API key"),
                                            Not(HasSubstr("quite-another"))));
}

TEST_F(LlamaServer, ListsItsModelAndTheContextOfASlot) {
  const auto listed = ListModels(Endpoint()).value();
  ASSERT_FALSE(listed.empty());
  EXPECT_EQ(listed[0].name, "smollm2");
  EXPECT_EQ(listed[0].context_tokens, kContextTokens);
}

}  // namespace
}  // namespace kw
