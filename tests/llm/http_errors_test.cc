// What the client says of answers that are none, and what it never says.
#include <gmock/gmock.h>

#include "kw/base.h"
#include "kw/llm.h"
#include "llm/http_ask.h"

namespace kw {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kKey = "sk-VerySecretKey-0123456789";

Error ErrorFrom(const MockServer& server, HttpModelConfig config = {}) {
  config.base_url = server.base_url();
  config.api_key = kKey;
  config.max_retries = 1;
  config.retry_base_ms = 1;
  const auto answer = MakeHttpModel(config).value()->Complete(Ask("hi", "qwen3"));
  EXPECT_FALSE(answer);
  return answer ? Error{} : answer.error();
}

Error ErrorFor(const MockReply& reply, HttpModelConfig config = {}) {
  MockServer server([&reply](const MockRequest&) { return reply; });
  return ErrorFrom(server, config);
}

TEST(HttpErrors, GiveTheEndpointsOwnWordsAndWhereTheyComeFrom) {
  const Error error = ErrorFor(MockReply::Error(
      400, R"({"error":{"code":400,"message":"the request exceeds the available context size",)"
           R"("type":"exceed_context_size_error"}})"));
  EXPECT_EQ(error.code, ErrorCode::kInvalid);
  EXPECT_THAT(error.ToString(),
              AllOf(HasSubstr("HTTP 400"), HasSubstr("/v1/chat/completions"), HasSubstr("qwen3"),
                    HasSubstr("the request exceeds the available context size")));
}

TEST(HttpErrors, APromptThatDoesNotFitIsNotSentAgainWhateverTheStatus) {
  MockServer server([](const MockRequest&) {
    return MockReply::Error(
        500, R"({"error":{"code":500,"message":"input (600 tokens) is too large to process"}})");
  });
  const Error error = ErrorFrom(server);
  EXPECT_EQ(error.code, ErrorCode::kInvalid);
  EXPECT_THAT(error.message, AllOf(HasSubstr("too large to process"), HasSubstr("max_tokens")));
  EXPECT_EQ(server.requests().size(), 1U);
}

TEST(HttpErrors, TooManyTokensForTheMinuteAreSentAgain) {
  MockServer server([](const MockRequest&) {
    return MockReply::Error(429, R"({"error":{"message":"too many tokens, please wait"}})");
  });
  const Error error = ErrorFrom(server);
  EXPECT_EQ(error.code, ErrorCode::kUnavailable);
  EXPECT_EQ(server.requests().size(), 2U);
}

TEST(HttpErrors, AdviseWhatToCheck) {
  EXPECT_THAT(ErrorFor(MockReply::Error(401, "")).message, HasSubstr("check the API key"));
  EXPECT_THAT(ErrorFor(MockReply::Error(404, R"({"detail":"Not Found"})")).message,
              AllOf(HasSubstr("Not Found"), HasSubstr("base URL")));
}

TEST(HttpErrors, SayThatThereWasNoKey) {
  MockServer server([](const MockRequest&) { return MockReply::Error(401, ""); });
  const auto answer =
      MakeHttpModel({.base_url = server.base_url()}).value()->Complete(Ask("hi", "qwen3"));
  ASSERT_FALSE(answer);
  EXPECT_THAT(answer.error().message,
              AllOf(HasSubstr("no API key was sent"), HasSubstr("model.api_key_env")));
}

TEST(HttpErrors, ShortenPagesAndLongBodies) {
  const Error page = ErrorFor(MockReply::Error(
      400, "<!doctype html><html><body><h1>Blocked</h1>" + std::string(5000, 'x')));
  EXPECT_THAT(page.message, AllOf(HasSubstr("Blocked"), Not(HasSubstr("<h1>"))));
  EXPECT_LT(page.message.size(), 700U);
}

TEST(HttpErrors, TellAnAnswerThatIsNoChatCompletion) {
  for (const std::string body :
       {"this is no json", "{\"choices\":", "<html>login</html>", "{}", "[]", "", "\xff\xfe"}) {
    MockReply reply;
    reply.body = body;
    EXPECT_EQ(ErrorFor(reply).code, ErrorCode::kParse) << body;
  }
}

TEST(HttpErrors, TellSomethingThatIsNotHttp) {
  MockReply reply;
  reply.raw = "SSH-2.0-OpenSSH_9.2\r\nwho are you?\r\n\r\n";
  EXPECT_EQ(ErrorFor(reply).code, ErrorCode::kParse);
}

TEST(HttpErrors, TellAnAnswerThatIsTooSlow) {
  MockReply slow = MockReply::Chat("late");
  slow.delay_ms = 30'000;
  MockServer server([&slow](const MockRequest&) { return slow; });
  const Error error = ErrorFrom(server, {.request_timeout_ms = 100});
  EXPECT_EQ(error.code, ErrorCode::kTimeout);
  EXPECT_THAT(error.message, AllOf(HasSubstr("100 ms"), HasSubstr("model.timeout_s")));
  EXPECT_EQ(server.requests().size(), 2U) << "another try may be faster";
}

TEST(HttpErrors, TellAnAnswerThatIsTooLarge) {
  MockServer server([](const MockRequest&) { return MockReply::Chat(std::string(17 << 20, 'x')); });
  EXPECT_EQ(ErrorFrom(server).code, ErrorCode::kLimit);
  EXPECT_EQ(server.requests().size(), 1U);
}

TEST(HttpErrors, TellThatNobodyListens) {
  int port = 0;
  {
    MockServer gone([](const MockRequest&) { return MockReply(); });
    port = gone.port();
  }
  const auto answer = MakeHttpModel({.base_url = "http://127.0.0.1:" + std::to_string(port),
                                     .max_retries = 1,
                                     .retry_base_ms = 1})
                          .value()
                          ->Complete(Ask("hi", "qwen3"));
  EXPECT_EQ(answer.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(answer.error().message, HasSubstr(std::to_string(port)));
}

TEST(HttpErrors, FollowNoRedirect) {
  MockServer other([](const MockRequest&) { return MockReply::Chat("stolen"); });
  for (int status : {301, 302, 307, 308}) {
    MockReply reply = MockReply::Error(status, "");
    reply.headers = {{"Location", other.base_url() + "/chat/completions"}};
    const Error error = ErrorFor(reply);
    EXPECT_EQ(error.code, ErrorCode::kInvalid);
    EXPECT_THAT(error.message, HasSubstr(other.base_url()));
  }
  EXPECT_TRUE(other.requests().empty());
}

// Whatever the endpoint echoes: the key stands in no error.
TEST(HttpErrors, NeverHoldTheKey) {
  const std::string key = kKey;
  std::vector<MockReply> replies;
  for (int status : {200, 400, 401, 500}) {
    for (const std::string& text :
         {"Incorrect API key provided: " + key, "{\"error\":{\"message\":\"bad key " + key + "\"}}",
          "<html><body>Authorization: Bearer " + key + "</body></html>",
          "{\"choices\":\"" + key + "\"}", std::string(290, 'x') + key,
          std::string(555, 'x') + ToLower(key), std::string(270, ' ') + key + "," + key}) {
      replies.push_back(MockReply::Error(status, text));
    }
  }
  MockReply moved = MockReply::Error(302, "");
  moved.headers = {{"Location", "http://example.com/?key=" + key}};
  replies.push_back(moved);
  for (const MockReply& reply : replies) {
    const std::string said = ToLower(ErrorFor(reply).ToString());
    for (size_t size : {key.size(), key.size() / 2}) {
      EXPECT_THAT(said, Not(HasSubstr(ToLower(key.substr(0, size))))) << reply.body;
    }
  }
}

}  // namespace
}  // namespace kw
