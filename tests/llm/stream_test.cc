// Streamed answers of both APIs, event by event.
#include <gmock/gmock.h>

#include "kw/base.h"
#include "kw/base/json.h"
#include "openai_wire.h"
#include "sse.h"
#include "think_splitter.h"
#include "wire.h"

namespace kw::llm {
namespace {

using ::testing::HasSubstr;

struct Stream {
  std::string content, reasoning;
  StreamReader::Facts facts;
  std::optional<Error> error;
};

Stream Follow(const Wire& wire, const std::vector<std::string>& events) {
  Stream stream;
  const auto reader = wire.NewStream();
  for (const std::string& event : events) {
    std::string padded = event;
    padded.reserve(event.size() + SseParser::kPadding);
    const auto piece = reader->Read("", padded);
    if (!piece) {
      stream.error = piece.error();
      break;
    }
    stream.content += piece->content;
    stream.reasoning += piece->reasoning;
  }
  stream.facts = reader->facts();
  return stream;
}

std::string Delta(const std::string& delta, const std::string& finish = "null") {
  return R"({"id":"c","object":"chat.completion.chunk","model":"m-1","choices":[{"index":0,"delta":)" +
         delta + R"(,"logprobs":null,"finish_reason":)" + finish + "}]}";
}

TEST(OpenAiStream, JoinsChunksAndReadsTheEnd) {
  const Stream stream = Follow(
      OpenAiWire(), {Delta(R"({"role":"assistant","content":null})"), Delta(R"({"content":"Hel"})"),
                     Delta(R"({"content":"l\"o\n\u00e9"})"), Delta("{}", R"("stop")"),
                     R"({"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":3,)"
                     R"("prompt_tokens_details":{"cached_tokens":4},)"
                     R"("completion_tokens_details":{"reasoning_tokens":2}}})",
                     "[DONE]"});
  ASSERT_FALSE(stream.error) << stream.error->message;
  EXPECT_EQ(stream.content, "Hell\"o\n\u00e9");
  EXPECT_EQ(stream.facts.finish_reason, "stop");
  EXPECT_EQ(stream.facts.model, "m-1");
  EXPECT_TRUE(stream.facts.ended && stream.facts.has_usage);
  EXPECT_EQ(stream.facts.usage.prompt, 7);
  EXPECT_EQ(stream.facts.usage.completion, 3);
  EXPECT_EQ(stream.facts.usage.cached, 4);
  EXPECT_EQ(stream.facts.usage.reasoning, 2);
}

TEST(OpenAiStream, KeepsReasoningApart) {
  const Stream stream =
      Follow(OpenAiWire(), {Delta(R"({"reasoning_content":"why"})"), Delta(R"({"reasoning":"?"})"),
                            Delta(R"({"reasoning_content":"!","reasoning":"!"})"),
                            Delta(R"({"content":"so"})", R"("stop")")});
  EXPECT_EQ(stream.reasoning, "why?!");
  EXPECT_EQ(stream.content, "so");
}

TEST(OpenAiStream, TakesUsageThatComesWithEveryChunkAndTheLastOfThem) {
  const auto with_usage = [](int count) {
    return R"({"choices":[{"index":0,"delta":{"content":"a"}}],"usage":{"prompt_tokens":9,)"
           R"("completion_tokens":)" +
           std::to_string(count) + "}}";
  };
  const Stream stream = Follow(OpenAiWire(), {with_usage(1), with_usage(2)});
  EXPECT_EQ(stream.content, "aa");
  EXPECT_EQ(stream.facts.usage.completion, 2);
}

TEST(OpenAiStream, LooksAtTheFirstChoiceAlone) {
  const Stream stream = Follow(
      OpenAiWire(), {R"({"choices":[{"index":1,"delta":{"content":"no"}}]})",
                     R"({"choices":[{"index":1,"delta":{"content":"no"},"finish_reason":"stop"},)"
                     R"({"index":0,"delta":{"content":"yes"}}]})"});
  EXPECT_EQ(stream.content, "yes");
  EXPECT_EQ(stream.facts.finish_reason, "");
}

TEST(OpenAiStream, KeepsHalfCharactersForTheNextPieceAndReplacesLoneSurrogates) {
  const Stream stream =
      Follow(OpenAiWire(), {Delta("{\"content\":\"a\xff\"}"), Delta(R"({"content":"\ud83d"})"),
                            Delta(R"({"content":"\ud83d\ude00"})")});
  ASSERT_FALSE(stream.error);
  EXPECT_EQ(stream.content, "a\xff\xEF\xBF\xBD\U0001F600");
}

TEST(OpenAiStream, SeesAnErrorInTheMiddle) {
  const Stream stream =
      Follow(OpenAiWire(), {Delta(R"({"content":"a"})"),
                            R"({"error":{"message":"worker died","type":"server","code":503}})"});
  EXPECT_EQ(stream.facts.error_status, 503);
  EXPECT_THAT(stream.facts.error, HasSubstr("worker died"));
}

TEST(OpenAiStream, RefusesWhatIsNoChunk) {
  for (const std::string event :
       {"{\"choices\":[{\"delta\":{\"content\":\"half", "nonsense", "{}", "[]", "7", "<html>"}) {
    const Stream stream = Follow(OpenAiWire(), {Delta(R"({"content":"a"})"), event});
    ASSERT_TRUE(stream.error) << event;
    EXPECT_EQ(stream.error->code, ErrorCode::kParse);
    EXPECT_EQ(stream.content, "a");
  }
}

TEST(AnthropicWire, WritesSystemMarksAndNoSeed) {
  ChatRequest request;
  request.model = "claude";
  request.messages = {{"system", "rules and more"}, {"user", "stable part, task"}};
  request.messages[0].stable_bytes = 1000;
  request.messages[1].stable_bytes = 11;
  request.temperature = 1.7;
  request.seed = 4;
  request.stop = {"END"};
  const Json body = ParseJson(AnthropicWire().Encode(request, /*stream=*/true, {}), "body").value();
  EXPECT_EQ(
      DumpJson(body),
      R"({"model":"claude","max_tokens":8192,"system":[{"type":"text","text":"rules and more",)"
      R"("cache_control":{"type":"ephemeral"}}],"messages":[{"role":"user","content":[)"
      R"({"type":"text","text":"stable part","cache_control":{"type":"ephemeral"}},)"
      R"({"type":"text","text":", task"}]}],"temperature":1.0,"stop_sequences":["END"],)"
      R"("stream":true})");
}

TEST(AnthropicWire, ReadsAWholeAnswer) {
  const auto wire = AnthropicWire().Parse(
      R"({"type":"message","model":"claude-x","content":[{"type":"thinking","thinking":"hm"},)"
      R"({"type":"text","text":"yes"}],"stop_reason":"max_tokens","usage":{"input_tokens":5,)"
      R"("cache_read_input_tokens":20,"cache_creation_input_tokens":1,"output_tokens":6}})");
  ASSERT_TRUE(wire) << wire.error().ToString();
  EXPECT_EQ(wire->answer.content, "yes");
  EXPECT_EQ(wire->answer.reasoning, "hm");
  EXPECT_EQ(wire->answer.finish_reason, "length");
  EXPECT_EQ(wire->answer.usage.prompt, 26);
  EXPECT_EQ(wire->answer.usage.cached, 20);
  EXPECT_EQ(wire->answer.usage.completion, 6);
  const auto busy = AnthropicWire().Parse(
      R"({"type":"error","error":{"type":"overloaded_error","message":"x"}})");
  EXPECT_EQ(busy->error_status, 529);
  EXPECT_FALSE(AnthropicWire().Parse("{}"));
}

TEST(AnthropicWire, FollowsAStream) {
  const Stream stream = Follow(
      AnthropicWire(),
      {R"({"type":"message_start","message":{"model":"claude-x","usage":{"input_tokens":5,)"
       R"("cache_read_input_tokens":2,"output_tokens":1}}})",
       R"({"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":""}})",
       R"({"type":"ping"})",
       R"({"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"hm"}})",
       R"({"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"x"}})",
       R"({"type":"content_block_stop","index":0})",
       R"({"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"y\u00e9"}})",
       R"({"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":9}})",
       R"({"type":"message_stop"})"});
  ASSERT_FALSE(stream.error) << stream.error->message;
  EXPECT_EQ(stream.content, "y\u00e9");
  EXPECT_EQ(stream.reasoning, "hm");
  EXPECT_EQ(stream.facts.finish_reason, "stop");
  EXPECT_EQ(stream.facts.usage.prompt, 7);
  EXPECT_EQ(stream.facts.usage.completion, 9);
  EXPECT_TRUE(stream.facts.ended && stream.facts.has_usage);
  EXPECT_EQ(Follow(AnthropicWire(),
                   {R"({"type":"error","error":{"type":"rate_limit_error","message":"slow"}})"})
                .facts.error_status,
            429);
}

struct Divided {
  std::string content, reasoning;
};
Divided Divide(const std::string& answer, size_t piece) {
  ThinkSplitter splitter;
  Divided all;
  const auto add = [&all](const ThinkSplitter::Parts& parts) {
    all.content += parts.content;
    all.reasoning += parts.reasoning;
  };
  for (size_t at = 0; at < answer.size(); at += piece) {
    add(splitter.Feed(std::string_view(answer).substr(at, piece)));
  }
  add(splitter.Finish());
  return all;
}

TEST(ThinkSplitter, DividesHoweverTheAnswerIsCut) {
  struct Row {
    std::string answer, content, reasoning;
  };
  const Row rows[] = {
      {"<think>why\n</think>\n\nso", "so", "why\n"},
      {"\n <think></think>so", "so", ""},
      {"plain <think>no</think>", "plain <think>no</think>", ""},
      {"<thinking is hard", "<thinking is hard", ""},
      {"<thi", "<thi", ""},
      {"  ", "  ", ""},
      {"<think>never ends </thin", "", "never ends </thin"},
      {"<think>a</think>b</think>c", "b</think>c", "a"},
      {"", "", ""},
  };
  for (const Row& row : rows) {
    for (size_t piece : {1, 2, 3, 5, 100}) {
      const Divided all = Divide(row.answer, piece);
      EXPECT_EQ(all.content, row.content) << row.answer << " in pieces of " << piece;
      EXPECT_EQ(all.reasoning, row.reasoning) << row.answer << " in pieces of " << piece;
    }
  }
}

}  // namespace
}  // namespace kw::llm
