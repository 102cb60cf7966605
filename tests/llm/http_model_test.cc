// The client against a server that does as asked.
#include <gmock/gmock.h>

#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <future>
#include <mutex>
#include <thread>

#include "kw/base.h"
#include "kw/base/json.h"
#include "kw/llm.h"
#include "kw/model_table.h"
#include "llm/http_ask.h"

namespace kw {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(HttpModel, AsksAndAnswers) {
  MockServer server([](const MockRequest&) { return MockReply::Chat("hello"); });
  auto model = Open(server, {.api_key = "sk-test-key"});
  ChatRequest request = Ask("hi");
  request.seed = 42;
  const ChatAnswer answer = model->Complete(request).value();
  EXPECT_EQ(answer.content, "hello");
  EXPECT_EQ(answer.finish_reason, "stop");
  EXPECT_EQ(answer.model, "mock-model");
  EXPECT_EQ(answer.usage.prompt, 10);
  EXPECT_EQ(answer.usage.completion, 5);
  EXPECT_EQ(answer.retries, 0);
  EXPECT_GT(answer.latency_us, 0);
  EXPECT_EQ(answer.cost_usd, 0);

  ASSERT_EQ(server.requests().size(), 1U);
  const MockRequest seen = server.requests()[0];
  EXPECT_EQ(seen.method, "POST");
  EXPECT_EQ(seen.path, "/v1/chat/completions");
  EXPECT_EQ(seen.headers.at("authorization"), "Bearer sk-test-key");
  EXPECT_EQ(seen.headers.at("content-type"), "application/json");
  EXPECT_EQ(ParseJson(seen.body, "body").value().at("seed"), 42);
}

TEST(HttpModel, SendsNoKeyWhereThereIsNone) {
  MockServer server([](const MockRequest&) { return MockReply::Chat("x"); });
  ASSERT_TRUE(Open(server)->Complete(Ask("hi")));
  EXPECT_EQ(server.requests()[0].headers.count("authorization"), 0U);
}

TEST(HttpModel, ReadsChunkedAnswersAndLargeOnes) {
  const std::string large(3 << 20, 'x');
  MockServer server([&large](const MockRequest& request) {
    MockReply reply = MockReply::Chat(request.number == 0 ? "chunks" : large);
    reply.chunked = request.number == 0;
    return reply;
  });
  auto model = Open(server);
  EXPECT_EQ(model->Complete(Ask("a")).value().content, "chunks");
  EXPECT_EQ(model->Complete(Ask("b")).value().content.size(), large.size());
}

TEST(HttpModel, SendsLargePrompts) {
  MockServer server([](const MockRequest&) { return MockReply::Chat("x"); });
  ASSERT_TRUE(Open(server)->Complete(Ask(std::string(3 << 20, 'p'))));
  EXPECT_GT(server.requests()[0].body.size(), size_t{3} << 20);
}

TEST(HttpModel, PassesOnAnAnswerThatWasCutByItsLength) {
  MockServer server([](const MockRequest&) { return MockReply::Chat("half", "length"); });
  const ChatAnswer answer = Open(server)->Complete(Ask("hi")).value();
  EXPECT_EQ(answer.finish_reason, "length");
  EXPECT_EQ(answer.content, "half");
}

TEST(HttpModel, GivesValidUtf8WhateverComes) {
  MockServer server([](const MockRequest&) { return MockReply::Chat("a\xff\xc3z \\ud83d"); });
  EXPECT_EQ(Open(server)->Complete(Ask("hi")).value().content,
            "a\xEF\xBF\xBD\xEF\xBF\xBDz \xEF\xBF\xBD");
}

TEST(HttpModel, CountsCostByTheModelThatWasAskedFor) {
  MockServer server([](const MockRequest&) { return MockReply::Chat("x"); });
  auto table = ModelTable::Load({KW_SOURCE_DIR "/data/models/models.toml"}).value();
  auto model = Open(server, {.table = std::make_shared<ModelTable>(std::move(table))});
  EXPECT_GT(model->Complete(Ask("hi", "openai/gpt-4o-mini")).value().cost_usd, 0);
  EXPECT_EQ(model->Complete(Ask("hi", "qwen3")).value().cost_usd, 0);
}

TEST(HttpModel, KeepsAsManyUnderWayAsAllowedAndReusesConnections) {
  MockServer server([](const MockRequest& request) {
    MockReply reply = MockReply::Chat(std::to_string(request.body.size()));
    reply.delay_ms = 20;
    return reply;
  });
  auto model = Open(server, {.max_in_flight = 4});
  constexpr int kRequests = 40;
  std::mutex mutex;
  std::condition_variable all_done;
  int done = 0, right = 0;
  for (int i = 0; i < kRequests; ++i) {
    model->Submit(Ask(std::string(static_cast<size_t>(i), 'x')), [&](Result<ChatAnswer> answer) {
      const std::lock_guard<std::mutex> lock(mutex);
      if (answer) ++right;
      if (++done == kRequests) all_done.notify_one();
    });
  }
  std::unique_lock<std::mutex> lock(mutex);
  all_done.wait(lock, [&] { return done == kRequests; });
  EXPECT_EQ(right, kRequests);
  EXPECT_LE(server.most_at_once(), 4);
  EXPECT_GT(server.most_at_once(), 1);
  EXPECT_LE(server.connections(), 4);
}

TEST(HttpModel, GivesEachOfManyConcurrentRequestsItsOwnAnswer) {
  MockServer server([](const MockRequest& request) {
    const auto body = ParseJson(request.body, "body").value();
    return MockReply::Chat(body.at("messages").at(0).at("content").get<std::string>());
  });
  auto model = Open(server);
  constexpr int kThreads = 8, kEach = 25;
  std::atomic<int> right{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i) {
        const std::string text = std::to_string(t) + "-" + std::to_string(i);
        const auto answer = model->Complete(Ask(text));
        if (answer && answer->content == text) ++right;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, kThreads * kEach);
}

TEST(HttpModel, MaySubmitMoreFromACallback) {
  MockServer server(
      [](const MockRequest& request) { return MockReply::Chat(std::to_string(request.number)); });
  auto model = Open(server, {.max_in_flight = 1});
  std::promise<std::string> second;
  model->Submit(Ask("a"), [&](Result<ChatAnswer>) {
    model->Submit(Ask("b"), [&](Result<ChatAnswer> answer) { second.set_value(answer->content); });
  });
  EXPECT_EQ(second.get_future().get(), "1");
}

TEST(HttpModel, EndsEveryCallWhenItIsClosed) {
  MockServer server([](const MockRequest&) {
    MockReply reply = MockReply::Chat("late");
    reply.delay_ms = 60'000;
    return reply;
  });
  auto model = Open(server, {.max_in_flight = 2});
  std::atomic<int> cancelled{0};
  for (int i = 0; i < 5; ++i) {
    model->Submit(Ask("x"), [&](Result<ChatAnswer> answer) {
      if (!answer && answer.error().code == ErrorCode::kCancelled) ++cancelled;
    });
  }
  while (server.requests().size() < 2) std::this_thread::yield();
  model.reset();
  EXPECT_EQ(cancelled, 5);
}

TEST(HttpModel, AsksNoProxyForThisMachine) {
  MockServer server([](const MockRequest&) { return MockReply::Chat("direct"); });
  MockServer proxy([](const MockRequest&) { return MockReply::Chat("proxy"); });
  const std::string address = "http://127.0.0.1:" + std::to_string(proxy.port());
  setenv("http_proxy", address.c_str(), 1);
  const auto answer = Open(server)->Complete(Ask("hi"));
  // A name that no resolver knows, so that only the proxy can answer.
  const auto elsewhere = MakeHttpModel({.base_url = "http://model.invalid/v1", .max_retries = 0})
                             .value()
                             ->Complete(Ask("hi"));
  unsetenv("http_proxy");
  EXPECT_EQ(answer.value().content, "direct");
  EXPECT_EQ(elsewhere.value().content, "proxy");
}

TEST(HttpModel, RefusesARequestWithoutModelOrMessage) {
  MockServer server([](const MockRequest&) { return MockReply::Chat("x"); });
  auto model = Open(server);
  EXPECT_EQ(model->Complete(ChatRequest{}).error().code, ErrorCode::kInvalid);
  EXPECT_EQ(model->Complete(Ask("hi", "")).error().code, ErrorCode::kInvalid);
  EXPECT_TRUE(server.requests().empty());
}

TEST(HttpModel, RefusesAConfigurationThatCannotWork) {
  EXPECT_EQ(MakeHttpModel({.base_url = "nowhere"}).error().code, ErrorCode::kInvalid);
  EXPECT_EQ(MakeHttpModel({.base_url = "http://x/v1", .max_in_flight = 0}).error().code,
            ErrorCode::kInvalid);
}

TEST(HttpModel, SaysWhereItAsksWithoutThePassword) {
  auto model = MakeHttpModel({.base_url = "http://me:secret@localhost:8000/v1"}).value();
  EXPECT_EQ(model->Describe(), "models at http://localhost:8000/v1");
  EXPECT_FALSE(model->simulated());
}

TEST(ListModels, AsksForTheNames) {
  MockServer server([](const MockRequest& request) {
    if (request.method != "GET" || request.path != "/v1/models") return MockReply::Error(404, "");
    MockReply reply;
    reply.body = R"({"data":[{"id":"a"},{"id":"b"}]})";
    return reply;
  });
  const auto listed = ListModels({.base_url = server.base_url()}).value();
  ASSERT_EQ(listed.size(), 2U);
  EXPECT_EQ(listed[0].name + listed[1].name, "ab");
}

TEST(ListModels, SaysWhyThereIsNone) {
  MockServer server([](const MockRequest&) { return MockReply::Error(503, "loading"); });
  const auto loading = ListModels({.base_url = server.base_url()});
  EXPECT_EQ(loading.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(loading.error().ToString(), HasSubstr("loading"));
  EXPECT_EQ(server.requests().size(), 1U) << "no retry: whoever asks wants to know now";
  EXPECT_EQ(ListModels({.base_url = "http://127.0.0.1:1/v1"}).error().code,
            ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace kw
