// Streams against a server that sends them well, badly, and not to their end.
#include <gmock/gmock.h>

#include <future>
#include <thread>

#include "kw/base.h"
#include "kw/llm.h"
#include "llm/http_ask.h"

namespace kw {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

std::string Event(const std::string& data) { return "data: " + data + "\n\n"; }
std::string Text(const std::string& text) {
  return Event(R"({"model":"real","choices":[{"index":0,"delta":{"content":")" + text +
               R"("},"finish_reason":null}]})");
}
const std::string kStop = Event(R"({"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]})");
const std::string kUsage =
    Event(R"({"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":3}})");
const std::string kDone = Event("[DONE]");

MockReply StreamOf(const std::string& body) {
  MockReply reply;
  reply.headers = {{"Content-Type", "text/event-stream"}};
  reply.body = body;
  reply.chunked = true;
  return reply;
}

ChatAnswer AnswerOf(const std::string& body) {
  MockServer server([&body](const MockRequest&) { return StreamOf(body); });
  const auto answer = Open(server, {.max_retries = 0})->Complete(Ask("hi"));
  EXPECT_TRUE(answer) << answer.error().ToString();
  return answer.value_or(ChatAnswer{});
}

TEST(HttpStream, AsksForAStreamAndItsUsageAndJoinsIt) {
  MockServer server([](const MockRequest&) {
    return StreamOf(": ping\n\n" + Text("he") + Text("llo") + kStop + kUsage + kDone);
  });
  const auto answer = Open(server)->Complete(Ask("hi"));
  ASSERT_TRUE(answer) << answer.error().ToString();
  EXPECT_EQ(answer->content, "hello");
  EXPECT_EQ(answer->finish_reason, "stop");
  EXPECT_EQ(answer->model, "real");
  EXPECT_EQ(answer->usage.prompt, 7);
  EXPECT_EQ(answer->usage.completion, 3);
  EXPECT_FALSE(answer->usage.estimated);
  EXPECT_GT(answer->first_token_us, 0);
  EXPECT_LE(answer->first_token_us, answer->latency_us);
  EXPECT_THAT(server.requests()[0].body,
              AllOf(HasSubstr(R"("stream":true)"), HasSubstr(R"("include_usage":true)")));
}

TEST(HttpStream, IsOffWhereItIsSwitchedOff) {
  MockServer server([](const MockRequest&) { return MockReply::Chat("whole"); });
  const auto answer = Open(server, {.stream = {.on = false}})->Complete(Ask("hi"));
  EXPECT_EQ(answer.value().content, "whole");
  EXPECT_THAT(server.requests()[0].body, Not(HasSubstr("stream")));
}

TEST(HttpStream, TakesAWholeAnswerFromWhoeverDoesNotStream) {
  MockServer server([](const MockRequest&) { return MockReply::Chat("whole"); });
  EXPECT_EQ(Open(server)->Complete(Ask("hi")).value().content, "whole");
}

TEST(HttpStream, EstimatesUsageThatIsNotSaidAndMarksIt) {
  const ChatAnswer answer = AnswerOf(Text("12345678") + kStop + kDone);
  EXPECT_TRUE(answer.usage.estimated);
  EXPECT_EQ(answer.usage.completion, 2);
  EXPECT_EQ(answer.usage.prompt, 1);
}

TEST(HttpStream, AnAnswerThatCameToItsEndIsOneHoweverTheConnectionEnds) {
  for (const std::string& body : {Text("all") + kStop, Text("all") + kStop + "data: {\"cho",
                                  Text("all") + kDone, Text("all") + kStop + kDone + "junk"}) {
    EXPECT_EQ(AnswerOf(body).content, "all") << body;
    EXPECT_EQ(AnswerOf(body).finish_reason, "stop") << body;
  }
  MockServer server([](const MockRequest&) {
    MockReply cut = StreamOf(Text("all") + kStop + std::string(1000, '\n'));
    cut.cut_after = (Text("all") + kStop).size() + 10;
    return cut;
  });
  const auto answer = Open(server)->Complete(Ask("hi"));
  ASSERT_TRUE(answer) << answer.error().ToString();
  EXPECT_EQ(answer->retries, 0);
  EXPECT_EQ(server.requests().size(), 1U);
}

TEST(HttpStream, AsksAgainForWhatEndedInTheMiddleOrIsNone) {
  for (const std::string& broken :
       {Text("half"), std::string(), Text("half") + "data: {\"choices\":[{\"delta\":\n\n",
        std::string("<html><body>Bad gateway</body></html>"), std::string("no stream at all"),
        Text("half") + Event(R"({"error":{"message":"worker died","code":503}})")}) {
    MockServer server([&broken](const MockRequest& request) {
      return request.number == 0 ? StreamOf(broken) : StreamOf(Text("whole") + kStop + kDone);
    });
    const auto answer = Open(server)->Complete(Ask("hi"));
    ASSERT_TRUE(answer) << broken << ": " << answer.error().ToString();
    EXPECT_EQ(answer->content, "whole") << broken;
    EXPECT_EQ(answer->retries, 1) << broken;
  }
}

TEST(HttpStream, SaysWhatIsWrongWithAStreamWhenItGivesUp) {
  const auto error_of = [](const std::string& body) {
    MockServer server([&body](const MockRequest&) { return StreamOf(body); });
    const auto answer = Open(server, {.max_retries = 1})->Complete(Ask("hi", "qwen3"));
    EXPECT_FALSE(answer);
    return answer ? "" : answer.error().ToString();
  };
  EXPECT_THAT(error_of(Text("half")), AllOf(HasSubstr("ended in the middle of the answer"),
                                            HasSubstr("qwen3"), HasSubstr("tried 2 times")));
  EXPECT_THAT(error_of(""), HasSubstr("the answer is empty"));
  EXPECT_THAT(error_of(Event("nonsense")), HasSubstr("nonsense"));
  EXPECT_THAT(error_of(Event(R"({"error":{"message":"out of memory","code":500}})")),
              HasSubstr("out of memory"));
}

TEST(HttpStream, AStreamThatStandsStillIsATimeoutAndAskedAgain) {
  MockServer server([](const MockRequest& request) {
    if (request.number > 0) return StreamOf(Text("whole") + kStop + kDone);
    MockReply stalled = StreamOf(Text("half"));
    // A length that is never reached: the connection stays open.
    stalled.chunked = false;
    stalled.hold_ms = 30'000;
    return stalled;
  });
  const auto answer = Open(server, {.stall_timeout_ms = 200})->Complete(Ask("hi"));
  ASSERT_TRUE(answer) << answer.error().ToString();
  EXPECT_EQ(answer->content, "whole");
  EXPECT_EQ(answer->retries, 1);
}

TEST(HttpStream, ClosesTheStreamOfACallThatIsCancelled) {
  MockServer server([](const MockRequest&) {
    MockReply stalled = StreamOf(Text("half"));
    stalled.chunked = false;
    stalled.hold_ms = 30'000;
    return stalled;
  });
  auto model = Open(server, {.max_in_flight = 1});
  std::stop_source first, second;
  std::promise<ErrorCode> ends[2];
  for (int i = 0; i < 2; ++i) {
    ChatRequest request = Ask("x");
    request.cancel = i == 0 ? first.get_token() : second.get_token();
    model->Submit(std::move(request), [&ends, i](Result<ChatAnswer> answer) {
      ends[i].set_value(answer ? ErrorCode::kInternal : answer.error().code);
    });
  }
  while (server.requests().empty()) std::this_thread::yield();
  // One waits for its turn, the other is under way.
  second.request_stop();
  EXPECT_EQ(ends[1].get_future().get(), ErrorCode::kCancelled);
  first.request_stop();
  EXPECT_EQ(ends[0].get_future().get(), ErrorCode::kCancelled);
  EXPECT_EQ(server.requests().size(), 1U);
  ChatRequest late = Ask("x");
  late.cancel = first.get_token();
  EXPECT_EQ(model->Complete(late).error().code, ErrorCode::kCancelled);
}

TEST(HttpStream, AdvisesWhatToChangeWhereTheContextIsTooShort) {
  MockServer server([](const MockRequest&) {
    return MockReply::Error(400, R"({"error":{"message":"This model's maximum context length is )"
                                 R"(4096 tokens","code":"context_length_exceeded"}})");
  });
  const auto answer = Open(server)->Complete(Ask("hi"));
  ASSERT_FALSE(answer);
  EXPECT_THAT(answer.error().message, HasSubstr("lower model.max_tokens"));
  EXPECT_EQ(server.requests().size(), 1U);
}

TEST(HttpStream, SpeaksAnthropicsMessages) {
  MockServer server([](const MockRequest&) {
    return StreamOf(
        "event: message_start\n" +
        Event(
            R"({"type":"message_start","message":{"model":"claude","usage":{"input_tokens":5}}})") +
        Event(
            R"({"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"hi"}})") +
        Event(
            R"({"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":2}})") +
        Event(R"({"type":"message_stop"})"));
  });
  const auto answer =
      Open(server, {.api_key = "secret", .api = ApiKind::kAnthropic})->Complete(Ask("hi"));
  ASSERT_TRUE(answer) << answer.error().ToString();
  EXPECT_EQ(answer->content, "hi");
  EXPECT_EQ(answer->usage.prompt, 5);
  const MockRequest request = server.requests()[0];
  EXPECT_EQ(request.path, "/v1/messages");
  EXPECT_EQ(request.headers.at("x-api-key"), "secret");
  EXPECT_EQ(request.headers.at("anthropic-version"), "2023-06-01");
}

TEST(HttpEmbedder, AsksForVectorsInTheOrderOfItsTexts) {
  MockServer server([](const MockRequest&) {
    MockReply reply;
    reply.body = R"({"data":[{"index":1,"embedding":[3,4]},{"index":0,"embedding":[1,2.5]}],)"
                 R"("usage":{"prompt_tokens":8,"total_tokens":8}})";
    return reply;
  });
  auto embedder = MakeHttpEmbedder({.base_url = server.base_url()}, "mini").value();
  const auto read = embedder->Embed({"a", "b"});
  ASSERT_TRUE(read) << read.error().ToString();
  EXPECT_EQ(read->vectors, (std::vector<std::vector<float>>{{1, 2.5}, {3, 4}}));
  EXPECT_EQ(read->usage.prompt, 8);
  EXPECT_EQ(server.requests()[0].path, "/v1/embeddings");
  EXPECT_TRUE(embedder->Embed({})->vectors.empty());
}

TEST(HttpEmbedder, RefusesWhatAreNoVectorsOfItsTexts) {
  for (const std::string body :
       {R"({"data":[{"embedding":[1]}]})", R"({"data":[{"embedding":[1]},{"embedding":[1,2]}]})",
        R"({"data":[{"embedding":[1]},{"embedding":[]}]})", R"({"data":[{},{}]})", "{}",
        R"({"data":[{"index":0,"embedding":[1]},{"index":0,"embedding":[1]}]})",
        R"({"data":[{"index":7,"embedding":[1]},{"index":0,"embedding":[1]}]})",
        R"({"data":[{"embedding":[1]},{"embedding":["x"]}]})"}) {
    MockServer server([&body](const MockRequest&) {
      MockReply reply;
      reply.body = body;
      return reply;
    });
    const auto read = MakeHttpEmbedder({.base_url = server.base_url(), .max_retries = 0}, "mini")
                          .value()
                          ->Embed({"a", "b"});
    ASSERT_FALSE(read) << body;
    EXPECT_EQ(read.error().code, ErrorCode::kParse) << body;
  }
}

}  // namespace
}  // namespace kw
