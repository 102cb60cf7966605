// The simulated author is a pure function of the whole request.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "llm/author_prompts.h"

namespace kw {
namespace {

using author_test::Ask;
using author_test::Author;
using author_test::KernelPrompt;
using author_test::TaskNamed;
using testing::HasSubstr;

ChatRequest SoftmaxRequest() {
  ChatRequest request;
  request.model = "simulated";
  request.messages = {{"user", KernelPrompt(TaskNamed("softmax"))}};
  request.seed = 7;
  return request;
}

Result<ChatAnswer> Send(ChatModel& author, const ChatRequest& request) {
  Result<ChatAnswer> got = Fail(ErrorCode::kInternal, "no answer");
  author.Submit(request, [&](Result<ChatAnswer> answer) { got = std::move(answer); });
  return got;
}

TEST(SimulatedAuthorPurity, SameRequestGivesSameAnswerFromAnyInstance) {
  auto one = Author(), other = Author();
  ASSERT_NE(one, nullptr);
  EXPECT_EQ(Send(*one, SoftmaxRequest())->content, Send(*other, SoftmaxRequest())->content);
  Send(*one, ChatRequest{.model = "x", .messages = {{"user", "something else"}}}).value();
  EXPECT_EQ(Send(*one, SoftmaxRequest())->content, Send(*other, SoftmaxRequest())->content);
}

TEST(SimulatedAuthorPurity, EveryPartOfTheRequestMatters) {
  auto author = Author();
  // One change may happen to give the same kernel: over several seeds the streams differ.
  auto stream = [&](const std::function<void(ChatRequest&)>& change) {
    std::string all;
    for (uint64_t seed = 0; seed < 8; ++seed) {
      ChatRequest request = SoftmaxRequest();
      request.seed = seed;
      change(request);
      all += Send(*author, request)->content;
    }
    return all;
  };
  std::set<std::string> streams = {
      stream([](ChatRequest&) {}),
      stream([](ChatRequest& r) { r.model = "other"; }),
      stream([](ChatRequest& r) { r.temperature = 0.71; }),
      stream([](ChatRequest& r) { r.top_p = 0.9; }),
      stream([](ChatRequest& r) { r.max_tokens = 8000; }),
      stream([](ChatRequest& r) { r.stop = {"NEVER"}; }),
      stream([](ChatRequest& r) { r.seed = *r.seed + 1000; }),
      stream([](ChatRequest& r) { r.messages[0].content += " "; }),
      stream([](ChatRequest& r) {
        r.messages.insert(r.messages.begin(), {"system", "Hi."});
      }),
  };
  EXPECT_EQ(streams.size(), 9u);
}

TEST(SimulatedAuthorPurity, GreedyAnswersDoNotDependOnTheSeed) {
  auto author = Author();
  ChatRequest request = SoftmaxRequest();
  request.temperature = 0;
  const std::string first = Send(*author, request)->content;
  for (uint64_t seed = 0; seed < 10; ++seed) {
    request.seed = seed;
    EXPECT_EQ(Send(*author, request)->content, first);
  }
}

TEST(SimulatedAuthorPurity, SeedsGiveDifferentKernels) {
  auto author = Author();
  std::set<std::string> answers;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    answers.insert(Ask(*author, KernelPrompt(TaskNamed("softmax")), seed).content);
  }
  EXPECT_GT(answers.size(), 35u);
}

TEST(SimulatedAuthorPurity, CountsTokensAndCostsNothing) {
  auto author = Author();
  EXPECT_TRUE(author->simulated());
  EXPECT_THAT(author->Describe(), HasSubstr("simulated author"));
  const ChatAnswer answer = *Send(*author, SoftmaxRequest());
  EXPECT_EQ(answer.finish_reason, "stop");
  EXPECT_EQ(answer.model, "simulated");
  EXPECT_EQ(answer.cost_usd, 0);
  EXPECT_NEAR(static_cast<double>(answer.usage.completion),
              static_cast<double>(answer.content.size()) / 4, 1);
  EXPECT_GT(answer.usage.prompt, 50);
}

TEST(SimulatedAuthorPurity, StopsAtMaxTokensAndAtStopWords) {
  auto author = Author();
  ChatRequest request = SoftmaxRequest();
  request.max_tokens = 40;
  const ChatAnswer cut = *Send(*author, request);
  EXPECT_EQ(cut.finish_reason, "length");
  EXPECT_LE(cut.content.size(), 160u);
  request = SoftmaxRequest();
  request.stop = {"__global__"};
  const ChatAnswer stopped = *Send(*author, request);
  EXPECT_EQ(stopped.finish_reason, "stop");
  EXPECT_THAT(stopped.content, testing::Not(HasSubstr("__global__")));
}

TEST(SimulatedAuthorPurity, RefusesRequestsThatAnEndpointWouldRefuse) {
  auto author = Author();
  ChatRequest request = SoftmaxRequest();
  request.messages.clear();
  EXPECT_EQ(Send(*author, request).error().code, ErrorCode::kInvalid);
  request = SoftmaxRequest();
  request.temperature = -1;
  EXPECT_EQ(Send(*author, request).error().code, ErrorCode::kInvalid);
  request = SoftmaxRequest();
  request.max_tokens = 0;
  EXPECT_EQ(Send(*author, request).error().code, ErrorCode::kInvalid);
}

TEST(SimulatedAuthorPurity, AnswersAnythingWithoutCrashing) {
  auto author = Author();
  for (const std::string prompt :
       {"", " ", "```", "```cuda\n", "# #\n##\n", "Hello, who are you?", "[[Yes]] or [[No]]",
        "Answer with a JSON array of memory items.", "Merge these rules into a JSON array.",
        "Write a kernel: void run(", "Write a kernel: extern \"C\" void run()",
        "Write a CUDA kernel. extern \"C\" void run(cudaStream_t stream)",
        "Write extern \"C\" void run(const int8_t* a, const float* b, int32_t* c, bool flag, "
        "int64_t n, cudaStream_t stream)",
        "Implement softmax. extern \"C\" void run(float* y, cudaStream_t stream)",
        "Implement matmul. extern \"C\" void run(const float* a, float* c, int64_t n, "
        "cudaStream_t stream)",
        "\xff\xfe write a kernel \x80 extern \"C\" void run(const float* x, float* y)"}) {
    for (uint64_t seed = 0; seed < 5; ++seed) {
      EXPECT_FALSE(Ask(*author, prompt, seed).content.empty()) << prompt;
    }
  }
}

TEST(SimulatedAuthorEffects, RefusesFilesThatItDoesNotUnderstand) {
  auto missing = MakeSimulatedAuthor("/nonexistent/effects.toml");
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().ToString(), HasSubstr("/nonexistent/effects.toml"));
}

}  // namespace
}  // namespace kw
