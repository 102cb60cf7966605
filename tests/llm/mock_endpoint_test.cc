// What the mock endpoint answers when nothing goes wrong.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <thread>

#include "kw/base.h"
#include "kw/mock.h"
#include "llm/author_prompts.h"
#include "llm/raw_http.h"

namespace kw {
namespace {

using raw::EventsOf;
using raw::Get;
using raw::Joined;
using raw::Post;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

constexpr char kChat[] = "/v1/chat/completions";
constexpr char kMessages[] = "/v1/messages";

std::unique_ptr<MockEndpoint> Endpoint(MockOptions options) {
  auto made = MockEndpoint::Start(std::move(options), author_test::Author());
  EXPECT_TRUE(made) << made.error().ToString();
  return made ? std::move(*made) : nullptr;
}

MockOptions Canned(int64_t bytes) {
  return {.content = MockOptions::Content::kCanned, .canned_bytes = bytes};
}

Json ChatBody(const std::string& prompt = "hello there") {
  return {{"model", "m"}, {"messages", Json::array({{{"role", "user"}, {"content", prompt}}})}};
}

Json Streamed(Json body, bool usage = true) {
  body["stream"] = true;
  if (usage) body["stream_options"] = {{"include_usage", true}};
  return body;
}

Json DataOf(const raw::Event& event) { return ParseJson(event.data, "event").value_or(Json()); }

TEST(MockEndpoint, StreamsRoleThenTextThenFinishThenUsageThenDone) {
  const auto endpoint = Endpoint(Canned(20));
  const raw::Answer answer = Post(endpoint->port(), kChat, Streamed(ChatBody()));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.Header("content-type"), "text/event-stream; charset=utf-8");
  EXPECT_TRUE(answer.whole);
  const auto events = EventsOf(answer.body);
  ASSERT_THAT(events, SizeIs(1 + 5 + 1 + 1 + 1));
  EXPECT_EQ(DataOf(events[0])["choices"][0]["delta"],
            Json({{"role", "assistant"}, {"content", ""}}));
  for (size_t i = 1; i <= 5; ++i) {
    Json data = DataOf(events[i]);
    EXPECT_EQ(data["object"], "chat.completion.chunk");
    EXPECT_EQ(data["model"], "m");
    EXPECT_THAT(data["choices"][0]["delta"]["content"].get<std::string>(), SizeIs(4));
    EXPECT_TRUE(data["choices"][0]["finish_reason"].is_null());
    EXPECT_TRUE(data["usage"].is_null());
  }
  EXPECT_EQ(DataOf(events[6])["choices"][0]["delta"], Json::object());
  EXPECT_EQ(DataOf(events[6])["choices"][0]["finish_reason"], "stop");
  EXPECT_THAT(DataOf(events[7])["choices"], IsEmpty());
  EXPECT_EQ(DataOf(events[7])["usage"]["prompt_tokens"], 3);
  EXPECT_EQ(DataOf(events[7])["usage"]["completion_tokens"], 5);
  EXPECT_EQ(DataOf(events[7])["usage"]["total_tokens"], 8);
  EXPECT_EQ(events[8].data, "[DONE]");
}

TEST(MockEndpoint, StreamsNoUsageUnlessAsked) {
  const auto endpoint = Endpoint(Canned(20));
  const raw::Answer answer = Post(endpoint->port(), kChat, Streamed(ChatBody(), false));
  EXPECT_THAT(answer.body, Not(HasSubstr("usage")));
  EXPECT_EQ(EventsOf(answer.body).back().data, "[DONE]");
}

TEST(MockEndpoint, ChunksEndWithWholeCharacters) {
  MockOptions options = Canned(300);
  options.unicode = true;
  options.chunk_bytes = 1;
  const auto endpoint = Endpoint(options);
  const raw::Answer answer = Post(endpoint->port(), kChat, Streamed(ChatBody()));
  for (const raw::Event& event : EventsOf(answer.body)) {
    EXPECT_EQ(ToValidUtf8(event.data), event.data);
  }
  EXPECT_THAT(Joined(EventsOf(answer.body)), HasSubstr("日本語 ✓ 🚀"));
}

TEST(MockEndpoint, AnswersAsTheSimulatedAuthorItself) {
  const auto endpoint = Endpoint({});
  const std::string prompt = author_test::KernelPrompt(author_test::TaskNamed("softmax"));
  Json body = ChatBody(prompt);
  body["temperature"] = 0.7;
  body["max_tokens"] = 8192;
  body["seed"] = 7;
  const ChatAnswer direct = author_test::Author()
                                ->Complete({.model = "m",
                                            .messages = {{"user", prompt}},
                                            .temperature = 0.7,
                                            .max_tokens = 8192,
                                            .seed = 7})
                                .value();
  Json plain = Post(endpoint->port(), kChat, body).ToJson();
  EXPECT_EQ(plain["choices"][0]["message"]["content"], direct.content);
  EXPECT_EQ(plain["choices"][0]["finish_reason"], "stop");
  EXPECT_EQ(plain["usage"]["prompt_tokens"], direct.usage.prompt);
  EXPECT_EQ(plain["usage"]["completion_tokens"], direct.usage.completion);
  const raw::Answer stream = Post(endpoint->port(), kChat, Streamed(body));
  EXPECT_EQ(Joined(EventsOf(stream.body)), direct.content);
}

TEST(MockEndpoint, GreedyAnswersDoNotDependOnTheSeedAndOthersDo) {
  const auto endpoint = Endpoint({});
  const auto bytes = [&](int seed, double temperature) {
    Json body = ChatBody(author_test::KernelPrompt(author_test::TaskNamed("matmul")));
    body["temperature"] = temperature;
    body["seed"] = seed;
    return Post(endpoint->port(), kChat, Streamed(body)).bytes;
  };
  EXPECT_EQ(bytes(1, 0), bytes(42, 0));
  EXPECT_EQ(bytes(1, 0), bytes(123, 0));
  EXPECT_EQ(bytes(1, 1), bytes(1, 1));
  EXPECT_NE(bytes(1, 1), bytes(42, 1));
}

TEST(MockEndpoint, CutsAtMaxTokens) {
  const auto endpoint = Endpoint(Canned(4000));
  Json body = ChatBody();
  body["max_tokens"] = 10;
  Json plain = Post(endpoint->port(), kChat, body).ToJson();
  EXPECT_THAT(plain["choices"][0]["message"]["content"].get<std::string>(), SizeIs(40));
  EXPECT_EQ(plain["choices"][0]["finish_reason"], "length");
  EXPECT_EQ(plain["usage"]["completion_tokens"], 10);
}

TEST(MockEndpoint, RefusesPromptsBeyondTheContext) {
  MockOptions options = Canned(10);
  options.context_tokens = 100;
  const auto endpoint = Endpoint(options);
  EXPECT_EQ(Post(endpoint->port(), kChat, ChatBody(std::string(392, 'x'))).status, 200);
  const raw::Answer answer = Post(endpoint->port(), kChat, ChatBody(std::string(400, 'x')));
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.ToJson()["error"]["code"], "context_length_exceeded");
  EXPECT_EQ(endpoint->stats().refused, 1);
}

TEST(MockEndpoint, LoopsUntilMaxTokens) {
  const auto endpoint = Endpoint(
      {.content = MockOptions::Content::kLoop, .loop_unit = "again and ", .chunk_bytes = 64});
  Json body = ChatBody();
  body["max_tokens"] = 30'000;
  const raw::Answer answer = Post(endpoint->port(), kChat, Streamed(body));
  const std::string text = Joined(EventsOf(answer.body));
  EXPECT_THAT(text, SizeIs(120'000));
  EXPECT_TRUE(text.starts_with("The sum is taken"));
  const std::string tail = text.substr(text.size() - 40);
  EXPECT_THAT(tail, HasSubstr("again and again and again and "));
  // A period of ten bytes all along.
  EXPECT_EQ(text.substr(20'000, 90'000), text.substr(20'010, 90'000));
  EXPECT_THAT(answer.body, HasSubstr(R"("finish_reason":"length")"));
}

TEST(MockEndpoint, ShowsReasoningInAFieldOrInABlock) {
  MockOptions options = Canned(100);
  options.reasoning = MockOptions::Reasoning::kField;
  const auto field = Endpoint(options);
  const raw::Answer stream = Post(field->port(), kChat, Streamed(ChatBody()));
  const std::string reasoning = Joined(EventsOf(stream.body), "reasoning_content");
  EXPECT_TRUE(reasoning.starts_with("The task is an operation"));
  EXPECT_THAT(Joined(EventsOf(stream.body)), SizeIs(100));
  Json plain = Post(field->port(), kChat, ChatBody()).ToJson();
  EXPECT_EQ(plain["choices"][0]["message"]["reasoning_content"], reasoning);
  EXPECT_EQ(plain["usage"]["completion_tokens_details"]["reasoning_tokens"],
            (reasoning.size() + 3) / 4);

  options.reasoning = MockOptions::Reasoning::kThinkBlock;
  const auto block = Endpoint(options);
  const std::string text = Joined(EventsOf(Post(block->port(), kChat, Streamed(ChatBody())).body));
  EXPECT_TRUE(text.starts_with("<think>\n" + reasoning + "\n</think>\n\n"));
}

TEST(MockEndpoint, SpeaksAnthropicsStream) {
  MockOptions options = Canned(20);
  options.reasoning = MockOptions::Reasoning::kField;
  const auto endpoint = Endpoint(options);
  Json body = ChatBody();
  body["max_tokens"] = 1000;
  body["system"] = "be brief";
  body["stream"] = true;
  const raw::Answer answer = Post(endpoint->port(), kMessages, body);
  const auto events = EventsOf(answer.body);
  std::vector<std::string> names;
  std::string thinking, text;
  for (const raw::Event& event : events) {
    Json data = DataOf(event);
    EXPECT_EQ(data["type"], event.name);
    if (names.empty() || names.back() != event.name) names.push_back(event.name);
    if (event.name != "content_block_delta") continue;
    if (data["delta"]["type"] == "thinking_delta")
      thinking += data["delta"]["thinking"].get<std::string>();
    if (data["delta"]["type"] == "text_delta") text += data["delta"]["text"].get<std::string>();
  }
  EXPECT_THAT(names,
              ElementsAre("message_start", "ping", "content_block_start", "content_block_delta",
                          "content_block_stop", "content_block_start", "content_block_delta",
                          "content_block_stop", "message_delta", "message_stop"));
  EXPECT_TRUE(thinking.starts_with("The task is an operation"));
  EXPECT_THAT(text, SizeIs(20));
  EXPECT_EQ(DataOf(events[0])["message"]["usage"]["input_tokens"], 5);
  Json end = DataOf(events[events.size() - 2]);
  EXPECT_EQ(end["delta"]["stop_reason"], "end_turn");
  EXPECT_EQ(end["usage"]["output_tokens"], 5 + (thinking.size() + 3) / 4);
}

TEST(MockEndpoint, SpeaksAnthropicsPlainAnswersAndErrors) {
  const auto endpoint = Endpoint(Canned(100));
  Json body = ChatBody();
  const raw::Answer refused = Post(endpoint->port(), kMessages, body);
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(refused.ToJson()["type"], "error");
  EXPECT_EQ(refused.ToJson()["error"]["type"], "invalid_request_error");
  EXPECT_THAT(refused.body, HasSubstr("max_tokens"));
  body["max_tokens"] = 5;
  Json plain = Post(endpoint->port(), kMessages, body).ToJson();
  EXPECT_EQ(plain["type"], "message");
  EXPECT_THAT(plain["content"][0]["text"].get<std::string>(), SizeIs(20));
  EXPECT_EQ(plain["stop_reason"], "max_tokens");
  EXPECT_EQ(plain["usage"]["output_tokens"], 5);
}

std::vector<double> EmbeddingOf(MockEndpoint& endpoint, const std::string& text) {
  const Json body = {{"model", "e"}, {"input", text}};
  return Post(endpoint.port(), "/v1/embeddings", body)
      .ToJson()["data"][0]["embedding"]
      .get<std::vector<double>>();
}

double Dot(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

TEST(MockEndpoint, EmbedsTextsAsUnitVectorsNearWhereWordsAreShared) {
  const auto endpoint = Endpoint({.embedding_dimension = 64});
  const auto one = EmbeddingOf(*endpoint, "sum of each row in shared memory");
  EXPECT_THAT(one, SizeIs(64));
  EXPECT_NEAR(Dot(one, one), 1, 1e-6);
  EXPECT_EQ(one, EmbeddingOf(*endpoint, "Sum of each row, in shared memory"));
  const auto near = EmbeddingOf(*endpoint, "maximum of each row in shared memory");
  const auto far = EmbeddingOf(*endpoint, "teapots never whistle twice");
  EXPECT_GT(Dot(one, near), Dot(one, far) + 0.2);
}

TEST(MockEndpoint, EmbedsArraysAndBase64) {
  const auto endpoint = Endpoint({});
  const Json several = {{"model", "e"},
                        {"input", Json::array({"a", "", "c"})},
                        {"dimensions", 4},
                        {"encoding_format", "base64"}};
  Json json = Post(endpoint->port(), "/v1/embeddings", several).ToJson();
  ASSERT_THAT(json["data"], SizeIs(3));
  // 1, 0, 0, 0: what has no words.
  EXPECT_EQ(json["data"][1]["embedding"], "AACAPwAAAAAAAAAAAAAAAA==");
  EXPECT_EQ(json["data"][2]["index"], 2);
  EXPECT_EQ(json["usage"]["prompt_tokens"], 1);
}

TEST(MockEndpoint, RefusesBrokenBodiesInWords) {
  const auto endpoint = Endpoint(Canned(10));
  const std::vector<std::pair<std::string, std::string>> bodies = {
      {"", "no JSON"},
      {"{", "no JSON"},
      {"[]", "object"},
      {"{}", "model"},
      {R"({"model":"m"})", "messages"},
      {R"({"model":"m","messages":[]})", "messages"},
      {R"({"model":"m","messages":[3]})", "messages[0]"},
      {R"({"model":"m","messages":[{"role":"user","content":5}]})", "content"},
      {R"({"model":"m","messages":[{"role":"user","content":"x"}],"temperature":"hot"})",
       "temperature"},
      {R"({"model":"m","messages":[{"role":"user","content":"x"}],"temperature":3})",
       "temperature"},
      {R"({"model":"m","messages":[{"role":"user","content":"x"}],"max_tokens":0})", "max_tokens"},
      {R"({"model":"m","messages":[{"role":"user","content":"x"}],"n":2})", "n"},
      {R"({"model":"m","messages":[{"role":"user","content":"x"}],"stream":"yes"})", "stream"},
      {"{\"model\":\"\xff\"}", "no JSON"},
      {std::string(100'000, '['), "no JSON"},
      {std::string(200, '[') + std::string(200, ']'), "nested"},
  };
  for (const auto& [body, word] : bodies) {
    const raw::Answer answer = Post(endpoint->port(), kChat, body);
    EXPECT_EQ(answer.status, 400) << body.substr(0, 80);
    EXPECT_THAT(answer.ToJson()["error"]["message"].get<std::string>(), HasSubstr(word))
        << body.substr(0, 80);
  }
  EXPECT_EQ(endpoint->stats().refused, static_cast<int64_t>(bodies.size()));
}

TEST(MockEndpoint, RefusesBodiesBeyond16MiB) {
  const auto endpoint = Endpoint(Canned(10));
  EXPECT_EQ(Post(endpoint->port(), kChat, std::string((16 << 20) + 1, ' ')).status, 413);
}

TEST(MockEndpoint, KnowsItsModelsItsKeyAndItsPaths) {
  MockOptions options = Canned(10);
  options.models = {"a", "m"};
  options.api_key = "right";
  const auto endpoint = Endpoint(options);
  const std::string key = "Authorization: Bearer right\r\n", body = DumpJson(ChatBody());
  EXPECT_EQ(Post(endpoint->port(), kChat, body).status, 401);
  EXPECT_EQ(Post(endpoint->port(), kChat, body, "Authorization: Bearer wrong\r\n").status, 401);
  EXPECT_EQ(Post(endpoint->port(), kChat, body, key).status, 200);
  EXPECT_EQ(Post(endpoint->port(), kChat, body, "x-api-key: right\r\n").status, 200);
  Json other = ChatBody();
  other["model"] = "b";
  const raw::Answer answer = Post(endpoint->port(), kChat, DumpJson(other), key);
  EXPECT_EQ(answer.status, 404);
  EXPECT_EQ(answer.ToJson()["error"]["code"], "model_not_found");
  EXPECT_EQ(Get(endpoint->port(), "/v1/models").status, 401);
  Json models = Get(endpoint->port(), "/v1/models", key).ToJson();
  EXPECT_EQ(models["data"][1]["id"], "m");
  EXPECT_EQ(Get(endpoint->port(), "/v1/chat/completions", key).status, 405);
  EXPECT_EQ(Get(endpoint->port(), "/v1/nothing", key).status, 404);
  EXPECT_EQ(Get(endpoint->port(), "/health").status, 200);
}

TEST(MockEndpoint, LimitsRequestsPerMinute) {
  MockOptions options = Canned(10);
  options.requests_per_minute = 2;
  const auto endpoint = Endpoint(options);
  EXPECT_EQ(Post(endpoint->port(), kChat, ChatBody()).status, 200);
  EXPECT_EQ(Post(endpoint->port(), kChat, ChatBody()).status, 200);
  const raw::Answer third = Post(endpoint->port(), kChat, ChatBody());
  EXPECT_EQ(third.status, 429);
  const int seconds = std::atoi(third.Header("retry-after").c_str());
  EXPECT_GE(seconds, 1);
  EXPECT_LE(seconds, 60);
}

TEST(MockEndpoint, ServesManyRequestsOnOneConnectionInOrder) {
  const auto endpoint = Endpoint(Canned(40));
  raw::Connection connection(endpoint->port());
  const std::string request =
      raw::RequestText("POST", kChat, DumpJson(Streamed(ChatBody(), false)));
  connection.Send(request + request);  // the second comes before the first is answered
  std::string last = raw::RequestText("GET", "/health", "", "Connection: close\r\n");
  connection.Send(last);
  const std::string all = connection.ReadToEnd();
  const size_t first = all.find("[DONE]"), second = all.find("[DONE]", first + 1);
  EXPECT_LT(first, second);
  EXPECT_LT(second, all.find(R"({"status":"ok"})"));
  EXPECT_NE(all.find(R"({"status":"ok"})"), std::string::npos);
}

TEST(MockEndpoint, NoticesAClientThatLeaves) {
  MockOptions options = Canned(400'000);
  options.chunks_per_s = 200;
  const auto endpoint = Endpoint(options);
  {
    raw::Connection connection(endpoint->port());
    connection.Send(raw::RequestText("POST", kChat, DumpJson(Streamed(ChatBody()))));
    connection.ReadSome(4000);
  }
  while (endpoint->stats().open > 0) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  const MockStats stats = endpoint->stats();
  EXPECT_EQ(stats.closed_early, 1);
  EXPECT_EQ(stats.completed, 0);
  ASSERT_THAT(stats.closed_after, SizeIs(1));
  EXPECT_GT(stats.closed_after[0], 3);
  EXPECT_LT(stats.closed_after[0], 100'000);
}

TEST(MockEndpoint, NoticesAClientThatLeavesBeforeTheHead) {
  MockOptions options = Canned(40);
  options.latency_ms = 3'600'000;
  const auto endpoint = Endpoint(options);
  {
    raw::Connection connection(endpoint->port());
    connection.Send(raw::RequestText("POST", kChat, DumpJson(ChatBody())));
    while (endpoint->stats().open == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  while (endpoint->stats().open > 0) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_THAT(endpoint->stats().closed_after, ElementsAre(0));
}

TEST(MockEndpoint, WaitsForASlowReader) {
  MockOptions options = Canned(8'000'000);
  options.context_tokens = 1 << 23;
  options.chunk_bytes = 4096;
  const auto endpoint = Endpoint(options);
  raw::Connection connection(endpoint->port());
  connection.Send(
      raw::RequestText("POST", kChat, DumpJson(Streamed(ChatBody())), "Connection: close\r\n"));
  // Far more than the buffers between hold: the rest waits until it is read.
  while (endpoint->stats().bytes < 100'000) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  const raw::Answer answer = raw::ParseAnswer(connection.ReadToEnd());
  EXPECT_TRUE(answer.whole);
  EXPECT_THAT(Joined(EventsOf(answer.body)), SizeIs(8'000'000));
}

TEST(MockEndpoint, AnswersHttp10WithoutChunks) {
  const auto endpoint = Endpoint(Canned(40));
  raw::Connection connection(endpoint->port());
  const std::string body = DumpJson(Streamed(ChatBody()));
  connection.Send("POST /v1/chat/completions HTTP/1.0\r\nContent-Length: " +
                  std::to_string(body.size()) + "\r\n\r\n" + body);
  const raw::Answer answer = raw::ParseAnswer(connection.ReadToEnd());
  EXPECT_EQ(answer.Header("transfer-encoding"), "");
  EXPECT_THAT(Joined(EventsOf(answer.body)), SizeIs(40));
}

TEST(MockEndpoint, CountsAndKeepsWhatItServed) {
  MockOptions options = Canned(40);
  options.keep_requests = 2;
  const auto endpoint = Endpoint(options);
  Post(endpoint->port(), kChat, DumpJson(ChatBody()));
  Post(endpoint->port(), kChat, DumpJson(Streamed(ChatBody())));
  Post(endpoint->port(), kChat, DumpJson(ChatBody()), "Authorization: Bearer secret\r\n");
  Json stats = Get(endpoint->port(), "/mock/stats").ToJson();
  EXPECT_EQ(stats["requests"], 4);
  EXPECT_EQ(stats["asked"], 3);
  EXPECT_EQ(stats["completed"], 3);
  EXPECT_EQ(stats["streamed"], 1);
  EXPECT_EQ(stats["chunks"], 10);
  EXPECT_EQ(stats["faults"], Json::object());
  const auto kept = endpoint->requests();
  ASSERT_THAT(kept, SizeIs(2));
  EXPECT_EQ(kept[0].target, kChat);
  EXPECT_EQ(kept[0].body, DumpJson(Streamed(ChatBody())));
  EXPECT_EQ(kept[1].body, DumpJson(ChatBody()));
  const raw::Answer shown = Get(endpoint->port(), "/mock/requests");
  EXPECT_THAT(shown.body, HasSubstr("(a key)"));
  EXPECT_THAT(shown.body, Not(HasSubstr("secret")));
}

TEST(MockEndpoint, PassesOnWhatTheModelRefuses) {
  auto model = std::make_shared<ScriptedModel>([](const ChatRequest&) -> Result<ChatAnswer> {
    return Fail(ErrorCode::kUnavailable, "no author today");
  });
  const auto endpoint = MockEndpoint::Start({}, model).value();
  const raw::Answer answer = Post(endpoint->port(), kChat, ChatBody());
  EXPECT_EQ(answer.status, 500);
  EXPECT_THAT(answer.body, HasSubstr("no author today"));
}

TEST(MockEndpoint, EndsWhileStreamsAndTheModelAreUnderWay) {
  // Keeps its callback for longer than the endpoint lives.
  class Silent : public ChatModel {
   public:
    void Submit(ChatRequest, Done done) override { kept = std::move(done); }
    std::string Describe() const override { return "silent"; }
    Done kept;
  };
  auto model = std::make_shared<Silent>();
  auto endpoint = MockEndpoint::Start({}, model).value();
  raw::Connection connection(endpoint->port());
  connection.Send(raw::RequestText("POST", kChat, DumpJson(ChatBody())));
  while (endpoint->stats().open == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  endpoint.reset();
  ASSERT_TRUE(model->kept);
  model->kept(ChatAnswer{.content = "too late"});
  EXPECT_EQ(connection.ReadToEnd(), "");
}

TEST(MockEndpoint, RefusesOptionsThatMakeNoSense) {
  const auto error = [](MockOptions options) {
    const auto made = MockEndpoint::Start(std::move(options), author_test::Author());
    return made ? std::string("none") : made.error().message;
  };
  EXPECT_THAT(error({.chunk_bytes = 0}), HasSubstr("chunk must be in [1, 65536], not 0"));
  EXPECT_THAT(error({.chunks_per_s = -1}), HasSubstr("rate"));
  EXPECT_THAT(error({.chunks_per_s = NAN}), HasSubstr("rate"));
  EXPECT_THAT(error({.loop_unit = "x"}), HasSubstr("needs a loop"));
  EXPECT_THAT(error({.loop_in_reasoning = true}), HasSubstr("needs both"));
  EXPECT_THAT(error({.faults = "half-char=1"}), HasSubstr("--unicode"));
  EXPECT_THAT(error({.redirect_to = "elsewhere"}), HasSubstr("http://host:port"));
  EXPECT_THAT(error({.host = "no such host"}), HasSubstr("no such host"));
  const auto first = Endpoint({});
  EXPECT_THAT(error({.port = first->port()}), HasSubstr("cannot listen"));
}

}  // namespace
}  // namespace kw
