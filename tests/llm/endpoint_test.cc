#include "endpoint.h"

#include <gmock/gmock.h>

#include "wire.h"

namespace kw::llm {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

Endpoint Make(const std::string& url, const std::string& key = "") {
  return Endpoint::Make(url, key).value();
}

TEST(Endpoint, AddsPathsToItsBase) {
  EXPECT_EQ(Make("http://localhost:8000/v1").Url("/models"), "http://localhost:8000/v1/models");
  EXPECT_EQ(Make(" https://api.example.com/v1// ").Url("/models"),
            "https://api.example.com/v1/models");
}

TEST(Endpoint, RefusesWhatIsNoHttpUrl) {
  for (const std::string url :
       {"", "  ", "localhost:8000/v1", "ftp://x/v1", "file:///etc/passwd", "http://", "http://a b/",
        "http://x/v1?key=1", "http://x/v1#a", "gopher://x", "http://x\n/"}) {
    auto endpoint = Endpoint::Make(url, "");
    ASSERT_FALSE(endpoint) << url;
    EXPECT_EQ(endpoint.error().code, ErrorCode::kInvalid) << url;
  }
  EXPECT_THAT(Endpoint::Make("localhost:8000", "").error().message, HasSubstr("localhost:8000"));
}

TEST(Endpoint, KnowsThisMachine) {
  for (const char* url : {"http://localhost:1/v1", "http://LOCALHOST/v1", "http://127.0.0.1:8/v1",
                          "http://127.1.2.3", "http://[::1]:8/v1", "http://a.localhost/v1"}) {
    EXPECT_TRUE(Make(url).is_local()) << url;
  }
  for (const char* url : {"https://api.example.com/v1", "http://10.0.0.1", "http://localhost.com",
                          "http://127.example.com"}) {
    EXPECT_FALSE(Make(url).is_local()) << url;
  }
}

TEST(Endpoint, SendsTheKeyTrimmedAndNoneWhenThereIsNone) {
  EXPECT_EQ(Make("http://x/v1", " sk-123\n").key(), "sk-123");
  EXPECT_THAT(OpenAiWire().Headers("sk-123"), Contains("Authorization: Bearer sk-123"));
  EXPECT_THAT(OpenAiWire().Headers(""), IsEmpty());
  EXPECT_THAT(AnthropicWire().Headers("sk-123"),
              UnorderedElementsAre("x-api-key: sk-123", "anthropic-version: 2023-06-01"));
  EXPECT_THAT(AnthropicWire().Headers(""), ElementsAre("anthropic-version: 2023-06-01"));
  EXPECT_EQ(Endpoint::Make("http://x/v1", "a\r\nX-Other: b").error().code, ErrorCode::kInvalid);
}

TEST(Endpoint, NeverShowsItsSecrets) {
  const Endpoint endpoint = Make("http://me:pass%20word@host/v1", "sk-Secret99");
  EXPECT_EQ(endpoint.shown(), "http://host/v1");
  EXPECT_EQ(endpoint.Redact("key sk-Secret99, SK-SECRET99; pass%20word or pass word"),
            "key [key], [key]; [key] or [key]");
  EXPECT_THAT(Endpoint::Make("ftp://me:password@host", "").error().message,
              Not(HasSubstr("password")));
}

TEST(Endpoint, LeavesWordsAloneWhereTheKeyIsAPlaceholder) {
  EXPECT_EQ(Make("http://x/v1", "x").Redact("maximum exceeded"), "maximum exceeded");
}

}  // namespace
}  // namespace kw::llm
