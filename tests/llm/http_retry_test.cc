// The client against a server that fails for a while.
#include <gmock/gmock.h>

#include <future>

#include "kw/base.h"
#include "kw/llm.h"
#include "llm/http_ask.h"

namespace kw {
namespace {

using ::testing::HasSubstr;

// Fails the first `failures` times, then answers.
MockServer::Handler FailsFirst(int failures, MockReply failure) {
  return [failures, failure](const MockRequest& request) {
    return request.number < failures ? failure : MockReply::Chat("at last");
  };
}

void ExpectRetried(const MockReply& failure) {
  MockServer server(FailsFirst(2, failure));
  const auto answer = Open(server)->Complete(Ask("hi"));
  ASSERT_TRUE(answer) << answer.error().ToString();
  EXPECT_EQ(answer->content, "at last");
  EXPECT_EQ(answer->retries, 2);
  EXPECT_EQ(server.requests().size(), 3U);
}

TEST(HttpRetry, TriesAgainAfterAnErrorThatPasses) {
  for (int status : {408, 409, 429, 500, 502, 503}) ExpectRetried(MockReply::Error(status, "busy"));
}

TEST(HttpRetry, TriesAgainAfterABrokenConnection) {
  MockReply reset;
  reset.reset = true;
  ExpectRetried(reset);
  MockReply nothing;
  nothing.raw = "HT";
  ExpectRetried(nothing);
}

TEST(HttpRetry, TriesAgainAfterABodyThatWasCut) {
  MockReply cut = MockReply::Chat("this answer never ends");
  cut.cut_after = 40;
  ExpectRetried(cut);
  cut.chunked = true;
  ExpectRetried(cut);
}

TEST(HttpRetry, TriesAgainAfterAnErrorHiddenInAnAnswer) {
  MockReply hidden;
  hidden.body = R"({"error":{"message":"provider overloaded","code":502}})";
  ExpectRetried(hidden);
}

TEST(HttpRetry, DoesNotTryAgainWhatWasRefused) {
  for (int status : {400, 401, 403, 404, 413, 422, 501}) {
    MockServer server([status](const MockRequest&) { return MockReply::Error(status, "no"); });
    EXPECT_FALSE(Open(server)->Complete(Ask("hi")));
    EXPECT_EQ(server.requests().size(), 1U) << status;
  }
}

TEST(HttpRetry, GivesUpAfterTheAllowedNumberAndSaysSo) {
  MockServer server([](const MockRequest&) { return MockReply::Error(500, "out of order"); });
  const auto answer = Open(server, {.max_retries = 3})->Complete(Ask("hi"));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(answer.error().message, HasSubstr("out of order"));
  EXPECT_THAT(answer.error().message, HasSubstr("tried 4 times"));
  EXPECT_EQ(server.requests().size(), 4U);
}

TEST(HttpRetry, WaitsAsLongAsTheEndpointAsks) {
  MockReply limited = MockReply::Error(429, "slow down");
  limited.headers = {{"Retry-After", "0.2"}};
  MockServer server(FailsFirst(1, limited));
  const int64_t before = SystemClock().MonotonicMicros();
  ASSERT_TRUE(Open(server)->Complete(Ask("hi")));
  EXPECT_GE(SystemClock().MonotonicMicros() - before, 200'000);
}

TEST(HttpRetry, WaitsNoLongerThanItsOwnCap) {
  MockReply limited = MockReply::Error(503, "maintenance");
  limited.headers = {{"Retry-After", "86400"}};
  MockServer server(FailsFirst(1, limited));
  EXPECT_EQ(Open(server, {.retry_cap_ms = 10})->Complete(Ask("hi")).value().retries, 1);
}

TEST(HttpRetry, HoldsBackTheOthersWhenTheEndpointAsksToWait) {
  MockReply limited = MockReply::Error(429, "slow down");
  limited.headers = {{"retry-after", "0.1"}};
  MockServer server(FailsFirst(1, limited));
  auto model = Open(server, {.max_in_flight = 1});
  std::vector<std::promise<int>> retries(5);
  for (auto& promise : retries) {
    model->Submit(Ask("x"), [&promise](Result<ChatAnswer> answer) {
      promise.set_value(answer ? answer->retries : -1);
    });
  }
  int sum = 0;
  for (auto& promise : retries) sum += promise.get_future().get();
  EXPECT_EQ(sum, 1) << "only the first met the limit";
}

TEST(HttpRetry, LosesAndDoublesNoAnswerWhileASeededThirdOfTheRequestsFails) {
  constexpr int kRequests = 300;
  MockServer server([](const MockRequest& request) {
    Random random(DeriveSeed(11, std::to_string(request.number)));
    switch (random.Below(12)) {
      case 0:
        return MockReply::Error(429, "limit");
      case 1:
        return MockReply::Error(500, "<html><body>oops</body></html>");
      case 2: {
        MockReply reply;
        reply.reset = true;
        return reply;
      }
      case 3: {
        MockReply reply = MockReply::Chat("cut");
        reply.cut_after = random.Below(reply.body.size());
        return reply;
      }
      default:
        return MockReply::Chat("ok");
    }
  });
  auto model = Open(server, {.max_retries = 30});
  std::vector<std::promise<std::string>> answers(kRequests);
  for (int i = 0; i < kRequests; ++i) {
    auto& promise = answers[static_cast<size_t>(i)];
    model->Submit(Ask(std::to_string(i)), [&promise](Result<ChatAnswer> answer) {
      promise.set_value(answer ? answer->content : answer.error().ToString());
    });
  }
  for (auto& promise : answers) EXPECT_EQ(promise.get_future().get(), "ok");
}

}  // namespace
}  // namespace kw
