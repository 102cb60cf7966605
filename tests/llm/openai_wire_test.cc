#include "openai_wire.h"

#include <gmock/gmock.h>

#include "kw/base.h"
#include "kw/base/json.h"

namespace kw::llm {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string Body(const std::string& message, const std::string& rest = "") {
  return R"({"choices":[{"message":)" + message + R"(,"finish_reason":"stop"}])" + rest + "}";
}
std::string ContentOf(const std::string& body) {
  auto wire = OpenAiWire().Parse(body);
  EXPECT_TRUE(wire) << body << ": " << wire.error().ToString();
  return wire ? wire->answer.content : "";
}
Error ErrorOf(const std::string& body) {
  auto wire = OpenAiWire().Parse(body);
  EXPECT_FALSE(wire) << body;
  return wire ? Error{} : wire.error();
}

TEST(OpenAiWireEncode, WritesWhatWasAskedAndNothingElse) {
  ChatRequest request;
  request.model = "m";
  request.messages = {{"system", "be brief"}, {"user", "say \"hi\"\n\xff"}};
  request.temperature = 0.5;
  request.max_tokens = 7;
  EXPECT_EQ(OpenAiWire().Encode(request, /*stream=*/false, {}),
            R"({"model":"m","messages":[{"role":"system","content":"be brief"},)"
            R"({"role":"user","content":"say \"hi\"\n)"
            "\xEF\xBF\xBD"
            R"("}],"temperature":0.5,"max_tokens":7})");
}

TEST(OpenAiWireEncode, SendsSeedTopPAndStopsWhenTheyAreSet) {
  ChatRequest request;
  request.model = "m";
  request.messages = {{"user", "x"}};
  request.top_p = 0.9;
  request.stop = {"</s>"};
  request.seed = 42;
  const auto body = ParseJson(OpenAiWire().Encode(request, /*stream=*/false, {}), "body").value();
  EXPECT_EQ(body.at("seed"), 42);
  EXPECT_EQ(body.at("top_p"), 0.9);
  EXPECT_EQ(body.at("stop").at(0), "</s>");
}

TEST(OpenAiWireEncode, FoldsSeedsThatAreTooWideForSomeEndpoints) {
  ChatRequest request;
  request.model = "m";
  request.messages = {{"user", "x"}};
  request.seed = 0xFFFFFFFFFFFFFFFFULL;
  EXPECT_EQ(
      ParseJson(OpenAiWire().Encode(request, /*stream=*/false, {}), "body").value().at("seed"),
      2147483647);
}

TEST(OpenAiWireParse, ReadsAWholeAnswer) {
  const auto wire = OpenAiWire().Parse(
      R"({"model":"qwen3","choices":[{"index":0,"message":{"role":"assistant","content":"a\nb"},)"
      R"("finish_reason":"length"}],"usage":{"prompt_tokens":12,"completion_tokens":34}})");
  ASSERT_TRUE(wire);
  EXPECT_EQ(wire->error_status, 0);
  EXPECT_EQ(wire->answer.content, "a\nb");
  EXPECT_EQ(wire->answer.finish_reason, "length");
  EXPECT_EQ(wire->answer.model, "qwen3");
  EXPECT_EQ(wire->answer.usage.prompt, 12);
  EXPECT_EQ(wire->answer.usage.completion, 34);
}

TEST(OpenAiWireParse, TakesContentThatIsNullOrAbsentForNone) {
  EXPECT_EQ(ContentOf(Body(R"({"role":"assistant","content":null})")), "");
  EXPECT_EQ(ContentOf(Body(R"({"role":"assistant"})")), "");
  EXPECT_EQ(ContentOf(Body(R"({"content":[]})")), "");
}

TEST(OpenAiWireParse, JoinsTheTextsOfContentInParts) {
  EXPECT_EQ(ContentOf(Body(R"({"content":[{"type":"text","text":"a"},"b",)"
                           R"({"type":"image_url","image_url":{"url":"u"}},)"
                           R"({"type":"text","text":"c"}]})")),
            "abc");
}

TEST(OpenAiWireParse, DoesWithoutUsageModelAndFinishReason) {
  for (const std::string usage :
       {"", R"(,"usage":null)", R"(,"usage":{})", R"(,"usage":{"prompt_tokens":null})",
        R"(,"usage":{"prompt_tokens":-3,"completion_tokens":"many"})", R"(,"usage":[1])"}) {
    const auto wire = OpenAiWire().Parse(
        R"({"choices":[{"message":{"content":"x"},"finish_reason":null}])" + usage + "}");
    ASSERT_TRUE(wire) << usage;
    EXPECT_EQ(wire->answer.usage.prompt, 0) << usage;
    EXPECT_EQ(wire->answer.usage.completion, 0) << usage;
    EXPECT_EQ(wire->answer.finish_reason, "");
    EXPECT_EQ(wire->answer.model, "");
  }
  EXPECT_EQ(OpenAiWire()
                .Parse(Body(R"({"content":"x"})", R"(,"usage":{"prompt_tokens":7.0})"))
                ->answer.usage.prompt,
            7);
}

TEST(OpenAiWireParse, MakesInvalidUtf8AndBrokenSurrogatesValid) {
  EXPECT_EQ(ContentOf(Body("{\"content\":\"a\xff\x80z\"}")), "a\xEF\xBF\xBD\xEF\xBF\xBDz");
  EXPECT_EQ(ContentOf(Body(R"({"content":"x\ud83dy"})")), "x\xEF\xBF\xBDy");
  EXPECT_EQ(ContentOf(Body(R"({"content":"x\ude00"})")), "x\xEF\xBF\xBD");
  EXPECT_EQ(ContentOf(Body(R"({"content":"\ud83d\ud83d\ude00"})")), "\xEF\xBF\xBD\xF0\x9F\x98\x80");
  EXPECT_EQ(ContentOf(Body(R"({"content":"\\ud83d \uD83D\uDE00"})")), "\\ud83d \xF0\x9F\x98\x80");
}

TEST(OpenAiWireParse, RefusesWhatIsNoCompletionAndShowsIt) {
  for (const std::string body :
       {"", "  ", "not json", "{\"choices\":[", "[]", "1", "null", "{}", R"({"choices":null})",
        R"({"choices":[]})", R"({"choices":{}})", R"({"choices":[1]})", R"({"choices":[{}]})",
        R"({"choices":[{"message":"hi"}]})", R"({"choices":[{"message":{"content":5}}]})",
        R"({"choices":[{"message":{"content":{"text":"x"}}}]})", R"({"object":"list"})"}) {
    EXPECT_EQ(ErrorOf(body).code, ErrorCode::kParse) << body;
  }
  EXPECT_THAT(ErrorOf("<html>busy</html>").message, HasSubstr("<html>busy"));
  EXPECT_THAT(ErrorOf("").message, HasSubstr("empty"));
  EXPECT_LT(ErrorOf(std::string(100'000, 'x')).message.size(), 500U);
  EXPECT_EQ(ErrorOf(std::string(100'000, '[')).code, ErrorCode::kParse);
}

TEST(OpenAiWireParse, SeesAnErrorThatWasSentWithStatus200) {
  const auto limited = OpenAiWire().Parse(R"({"error":{"message":"slow down","code":429}})");
  ASSERT_TRUE(limited);
  EXPECT_EQ(limited->error_status, 429);
  EXPECT_THAT(limited->error, HasSubstr("slow down"));
  EXPECT_EQ(OpenAiWire().Parse(R"({"error":"overloaded"})")->error_status, 500);
  EXPECT_EQ(OpenAiWire().Parse(R"({"error":{"message":"x","code":"no_number"}})")->error_status,
            500);
  EXPECT_EQ(
      OpenAiWire().Parse(R"({"error":null,"choices":[{"message":{"content":"x"}}]})")->error_status,
      0);
}

TEST(ErrorWords, FindsTheMessageInTheCommonForms) {
  EXPECT_EQ(ErrorWords(R"({"error":{"code":400,"message":"the request exceeds the context",)"
                       R"("type":"exceed_context_size_error"}})"),
            "the request exceeds the context (exceed_context_size_error, 400)");
  EXPECT_EQ(ErrorWords(R"({"error":{"message":"no","type":null,"code":"invalid_api_key"}})"),
            "no (invalid_api_key)");
  EXPECT_EQ(ErrorWords(R"({"error":"model not found"})"), "model not found");
  EXPECT_EQ(ErrorWords(R"({"object":"error","message":"bad","code":40001})"), "bad (40001)");
  EXPECT_EQ(ErrorWords(R"([{"error":{"message":"bad","status":"INVALID_ARGUMENT"}}])"),
            "bad (INVALID_ARGUMENT)");
  EXPECT_EQ(ErrorWords(R"({"detail":"Not Found"})"), "Not Found");
  EXPECT_EQ(ErrorWords(R"({"detail":[{"loc":["body","max_tokens"],"msg":"not a number"},)"
                       R"({"loc":["body",0],"msg":"missing"}]})"),
            "body.max_tokens: not a number; body.0: missing");
  EXPECT_EQ(ErrorWords(R"({"error":{"code":503}})"), "(503)");
}

TEST(ErrorWords, ShowsTheTextOfAPage) {
  EXPECT_EQ(ErrorWords("<!DOCTYPE html><html><head><title>t</title><style>x{}</style></head>\n"
                       "<body><h1>502 Bad Gateway</h1><script>var a = '<';</script><hr>nginx</body>"
                       "</html>"),
            "502 Bad Gateway nginx");
}

TEST(ErrorWords, ShowsAnythingElseAsItIsOnOneLine) {
  EXPECT_EQ(ErrorWords("upstream\n\n  timed out\r\n"), "upstream timed out");
  EXPECT_EQ(ErrorWords(""), "");
  EXPECT_EQ(ErrorWords(R"({"weird":1})"), R"({"weird":1})");
  EXPECT_EQ(ErrorWords("{\"error\":\"bad \xff\"}"), "bad \xEF\xBF\xBD");
}

std::vector<std::string> Listed(const std::string& body) {
  std::vector<std::string> listed;
  const auto models = ParseModelList(body).value();
  for (const ListedModel& model : models) {
    listed.push_back(model.name + " " + std::to_string(model.context_tokens));
  }
  return listed;
}

TEST(ParseModelList, ReadsTheCommonForms) {
  EXPECT_THAT(Listed(R"({"object":"list","data":[{"id":"a","max_model_len":8192},{"id":"b"}]})"),
              ElementsAre("a 8192", "b 0"));
  EXPECT_THAT(Listed(R"([{"id":"a","context_length":7.0}])"), ElementsAre("a 7"));
  EXPECT_THAT(Listed(R"({"models":[{"name":"a","context_window":5}]})"), ElementsAre("a 5"));
  EXPECT_THAT(Listed(R"({"data":[]})"), IsEmpty());
  EXPECT_EQ(ParseModelList(R"({"data":5})").error().code, ErrorCode::kParse);
  EXPECT_EQ(ParseModelList("<html>").error().code, ErrorCode::kParse);
}

}  // namespace
}  // namespace kw::llm
