// The recorded answers: what counts as the same request, what is kept, and what a replay says.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <future>
#include <limits>

#include "kw/base.h"
#include "response_cache_fixture.h"
#include "src/llm/recording_file.h"
#include "src/llm/request_key.h"

namespace kw {
namespace {

using testing::HasSubstr;
using testing::Not;

using ResponseCacheTest = ResponseCacheFixture;

std::string KeyText(const ChatRequest& request, const std::string& variant = "") {
  return recording::CanonicalRequest(request, variant, 0).value();
}

TEST(RequestKey, IsTheTextThatTheFormatPageShows) {
  ChatRequest request = Ask("Write a kernel.");
  request.messages.insert(request.messages.begin(), {"system", "You write CUDA."});
  request.seed = 42;
  const std::string text = KeyText(request);
  EXPECT_EQ(
      text,
      R"({"variant":"","model":"m","temperature":0.7,"top_p":1.0,"max_tokens":8192,"stop":[],)"
      R"("seed":42,"messages":[{"role":"system","content":"You write CUDA."},)"
      R"({"role":"user","content":"Write a kernel."}]})");
  const std::string page =
      ReadFile(std::string(KW_SOURCE_DIR) + "/docs/formats/response-cache.md").value();
  EXPECT_THAT(page, HasSubstr(text));
  EXPECT_THAT(page, HasSubstr(ContentHash(text)));
}

TEST(RequestKey, CountsAllThatIsSentAndNothingElse) {
  ChatRequest base = Ask("a");
  base.seed = 1;
  const std::string key = KeyText(base);
  const auto differs = [&](auto change) {
    ChatRequest request = base;
    change(request);
    return KeyText(request) != key;
  };
  EXPECT_TRUE(differs([](ChatRequest& r) { r.model = "n"; }));
  EXPECT_TRUE(differs([](ChatRequest& r) { r.messages[0].role = "system"; }));
  EXPECT_TRUE(differs([](ChatRequest& r) { r.messages[0].content = "b"; }));
  EXPECT_TRUE(differs([](ChatRequest& r) { r.messages.push_back({"user", ""}); }));
  EXPECT_TRUE(differs([](ChatRequest& r) { r.temperature = 0.8; }));
  EXPECT_TRUE(differs([](ChatRequest& r) { r.top_p = 0.9; }));
  EXPECT_TRUE(differs([](ChatRequest& r) { r.max_tokens = 1; }));
  EXPECT_TRUE(differs([](ChatRequest& r) { r.stop = {"x"}; }));
  EXPECT_TRUE(differs([](ChatRequest& r) { r.seed = 2; }));
  EXPECT_NE(KeyText(base, "guard:3x12"), key);
  EXPECT_FALSE(differs([](ChatRequest& r) { r.queue = "softmax"; }));
  EXPECT_FALSE(differs([](ChatRequest& r) { r.messages[0].stable_bytes = 1; }));
  EXPECT_FALSE(differs([](ChatRequest& r) { r.cancel = std::stop_source().get_token(); }));
  EXPECT_FALSE(differs([](ChatRequest& r) { r.is_complete = [](auto) { return true; }; }));
}

TEST(RequestKey, LeavesTheSeedOutAtTemperatureZero) {
  ChatRequest request = Ask("a");
  request.temperature = 0;
  const std::string key = KeyText(request);
  for (uint64_t seed : {1, 42, 123}) {
    request.seed = seed;
    EXPECT_EQ(KeyText(request), key);
  }
  request.temperature = -0.0;
  EXPECT_EQ(KeyText(request), key);
}

TEST(RequestKey, KeepsTheWidestSeedAndOddText) {
  ChatRequest request = Ask(std::string("nul \0, \x1b, quote \", \xC3\xA9", 21));
  request.seed = std::numeric_limits<uint64_t>::max();
  request.temperature = 0.1 + 0.2;
  const auto back = recording::ParseCanonicalRequest(KeyText(request));
  ASSERT_TRUE(back) << back.error().ToString();
  EXPECT_EQ(back->request.messages[0].content, request.messages[0].content);
  EXPECT_EQ(back->request.seed, request.seed);
  EXPECT_EQ(back->request.temperature, request.temperature);
}

TEST(RequestKey, RefusesNumbersThatAreNone) {
  ChatRequest request = Ask("a");
  request.temperature = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(recording::CanonicalRequest(request, "", 0).error().code, ErrorCode::kInvalid);
}

TEST_F(ResponseCacheTest, ReplaysEveryFieldOfAnAnswer) {
  ChatAnswer answer;
  answer.content = "```cuda\n\xE2\x82\xAC\n```";
  answer.reasoning = "think";
  answer.finish_reason = "runaway";
  answer.model = "m-2026";
  answer.usage = {.prompt = 10, .completion = 20, .cached = 5, .reasoning = 7, .estimated = true};
  answer.runaway = RunawayLoop{"ab ", 13, true, 30, 8000};
  answer.cost_usd = 0.1 + 0.2;
  answer.latency_us = 1'234'567;
  answer.first_token_us = 89;
  answer.retries = 3;
  const ScriptedModel inner = Fixed(answer);
  ExpectEqual(Recorder(inner)->Complete(Ask("a")).value(), answer);
  ExpectEqual(Replayer()->Complete(Ask("a")).value(), answer);
}

TEST_F(ResponseCacheTest, AnswersARecordedRequestWithoutTheModel) {
  const ScriptedModel inner = Counting();
  const auto model = Recorder(inner);
  ChatRequest request = Ask("a");
  request.seed = 1;
  EXPECT_EQ(model->Complete(request).value().content, "1");
  EXPECT_EQ(model->Complete(request).value().content, "1");
  request.seed = 2;
  EXPECT_EQ(model->Complete(request).value().content, "2");
  EXPECT_EQ(inner.requests().size(), 2U);
}

TEST_F(ResponseCacheTest, GivesOneAnswerToAllSeedsAtTemperatureZeroAndOneToEachAbove) {
  const ScriptedModel inner = Counting();
  const auto model = Recorder(inner);
  ChatRequest request = Ask("a");
  for (const auto& [temperature, answers] :
       {std::pair(0.0, std::vector{"1", "1", "1"}), std::pair(1.0, std::vector{"2", "3", "4"})}) {
    request.temperature = temperature;
    size_t i = 0;
    for (uint64_t seed : {1, 42, 123}) {
      request.seed = seed;
      EXPECT_EQ(model->Complete(request).value().content, answers[i++]);
    }
  }
}

TEST_F(ResponseCacheTest, NumbersRandomCallsThatHaveNoSeed) {
  const ScriptedModel inner = Counting();
  {
    const auto model = Recorder(inner);
    for (const char* answer : {"1", "2", "3"}) {
      EXPECT_EQ(model->Complete(Ask("a")).value().content, answer);
    }
  }
  const auto model = Replayer();
  for (const char* answer : {"1", "2", "3"}) {
    EXPECT_EQ(model->Complete(Ask("a")).value().content, answer);
  }
  const auto fourth = model->Complete(Ask("a"));
  ASSERT_FALSE(fourth);
  EXPECT_EQ(fourth.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(fourth.error().message, HasSubstr("number: "));
}

TEST_F(ResponseCacheTest, DoesNotCountARandomCallThatFailed) {
  int asked = 0;
  const ScriptedModel inner([&](const ChatRequest&) -> Result<ChatAnswer> {
    if (++asked == 1) return Fail(ErrorCode::kUnavailable, "HTTP 503");
    return Says("second try");
  });
  {
    const auto model = Recorder(inner);
    EXPECT_EQ(model->Complete(Ask("a")).error().code, ErrorCode::kUnavailable);
    EXPECT_EQ(model->Complete(Ask("a")).value().content, "second try");
  }
  EXPECT_EQ(Replayer()->Complete(Ask("a")).value().content, "second try");
}

TEST_F(ResponseCacheTest, KeepsNoErrors) {
  int asked = 0;
  const ScriptedModel inner([&](const ChatRequest&) -> Result<ChatAnswer> {
    return Fail(++asked % 2 == 1 ? ErrorCode::kUnavailable : ErrorCode::kCancelled, "no");
  });
  ChatRequest request = Ask("a");
  request.seed = 1;
  const auto cache = Open(CacheMode::kRecord);
  const auto model = MakeCachingModel(Share(inner), cache, "").value();
  EXPECT_EQ(model->Complete(request).error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(model->Complete(request).error().code, ErrorCode::kCancelled);
  EXPECT_EQ(cache->Stats().value().entries, 0);
}

TEST_F(ResponseCacheTest, CountsHitsAndMissesAndListsWhatItHolds) {
  const ScriptedModel inner = Counting();
  const auto cache = Open(CacheMode::kRecord);
  const auto model = MakeCachingModel(Share(inner), cache, "guard:3x12").value();
  ChatRequest request = Ask("four");
  request.seed = 7;
  ASSERT_TRUE(model->Complete(request) && model->Complete(request));
  ASSERT_TRUE(model->Complete(Ask("five5")));
  const ResponseCacheStats stats = cache->Stats().value();
  EXPECT_EQ(stats.entries, 2);
  EXPECT_GT(stats.bytes, 0);
  EXPECT_EQ(stats.hits, 1);
  EXPECT_EQ(stats.misses, 2);
  EXPECT_EQ(stats.not_kept, 0);
  const std::vector<RecordedCall> calls = cache->ListRequests(10).value();
  ASSERT_EQ(calls.size(), 2U);
  EXPECT_EQ(calls[0].key.size(), 32U);
  EXPECT_EQ(calls[0].model, "m");
  EXPECT_EQ(calls[0].variant, "guard:3x12");
  EXPECT_EQ(calls[0].seed, 7U);
  EXPECT_EQ(calls[0].prompt_bytes, 4);
  EXPECT_EQ(calls[0].answer_bytes, 1);
  EXPECT_EQ(calls[0].occurrence, 0);
  EXPECT_FALSE(calls[1].seed);
  EXPECT_EQ(calls[1].occurrence, 1);
  EXPECT_GT(calls[1].recorded_unix_us, 0);
  EXPECT_EQ(cache->ListRequests(1).value().size(), 1U);
}

TEST_F(ResponseCacheTest, IsOnePrivateFileOnceClosed) {
  Recorder(Counting())->Complete(Ask("a")).value();
  struct stat status {};
  ASSERT_EQ(stat(file().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  EXPECT_FALSE(FileExists(file() + "-wal"));
  EXPECT_FALSE(FileExists(file() + "-journal"));
}

TEST_F(ResponseCacheTest, ReplayChangesNoByte) {
  Recorder(Counting())->Complete(Ask("a")).value();
  const std::string before = ReadFile(file()).value();
  const auto model = Replayer();
  EXPECT_TRUE(model->Complete(Ask("a")));
  EXPECT_FALSE(model->Complete(Ask("b")));
  EXPECT_EQ(ReadFile(file()).value(), before);
}

TEST_F(ResponseCacheTest, ReplaysFromAFileThatCannotBeWritten) {
  Recorder(Counting())->Complete(Ask("a")).value();
  ASSERT_EQ(chmod(file().c_str(), 0400), 0);
  EXPECT_EQ(Replayer()->Complete(Ask("a")).value().content, "1");
}

TEST_F(ResponseCacheTest, SaysThatAnswersComeFromARecording) {
  EXPECT_THAT(Recorder(Counting())->Describe(), HasSubstr("scripted model, answers recorded in"));
  EXPECT_THAT(Recorder(Counting())->Describe(), HasSubstr(file()));
  EXPECT_THAT(Replayer()->Describe(), HasSubstr("answers replayed from the recording " + file()));
}

class SimulatedModel : public ScriptedModel {
 public:
  using ScriptedModel::ScriptedModel;
  bool simulated() const override { return true; }
};

TEST_F(ResponseCacheTest, RemembersThatAnswersWereSimulated) {
  const auto script = [](const ChatRequest&) { return Says("s"); };
  ChatRequest request = Ask("a");
  request.seed = 1;
  {
    const auto model =
        MakeCachingModel(std::make_unique<SimulatedModel>(script), Config(CacheMode::kRecord))
            .value();
    EXPECT_TRUE(model->simulated());
    ASSERT_TRUE(model->Complete(request));
  }
  EXPECT_TRUE(Replayer()->simulated());
  EXPECT_TRUE(Replayer()->Complete(request));
  const auto real = Recorder(Counting());
  EXPECT_FALSE(real->simulated());
  EXPECT_EQ(real->Complete(request).error().code, ErrorCode::kConflict);
}

TEST_F(ResponseCacheTest, IsTheModelItselfWhenOff) {
  const auto model = MakeCachingModel(Share(Counting()), Config(CacheMode::kOff)).value();
  EXPECT_EQ(model->Describe(), "scripted model");
  EXPECT_FALSE(FileExists(file()));
}

TEST_F(ResponseCacheTest, NeedsAModelToRecord) {
  EXPECT_EQ(MakeCachingModel(nullptr, Config(CacheMode::kRecord)).error().code,
            ErrorCode::kInvalid);
  EXPECT_EQ(MakeCachingModel(nullptr, Config(CacheMode::kOff)).error().code, ErrorCode::kInvalid);
}

TEST_F(ResponseCacheTest, NamesTheNearestMode) {
  EXPECT_EQ(ParseCacheMode("record").value(), CacheMode::kRecord);
  EXPECT_THAT(ParseCacheMode("recrod").error().message, HasSubstr("did you mean 'record'"));
}

class ModelElsewhere : public ScriptedModel {
 public:
  using ScriptedModel::ScriptedModel;
  std::string Describe() const override { return "models at https://name:pass@host/v1"; }
};

TEST_F(ResponseCacheTest, StoresNothingOfWhereTheModelIs) {
  const auto script = [](const ChatRequest&) { return Says("s"); };
  MakeCachingModel(std::make_unique<ModelElsewhere>(script), Config(CacheMode::kRecord))
      .value()
      ->Complete(Ask("a"))
      .value();
  const auto rows = recording::RecordingFile::Open(file(), recording::RecordingFile::Access::kRead)
                        .value()
                        ->List(0, 10)
                        .value();
  ASSERT_EQ(rows.size(), 1U);
  const std::string all = ReadFile(file()).value() +
                          recording::Unpack(rows[0].request, "request").value() +
                          recording::Unpack(rows[0].answer, "answer").value();
  for (const char* word : {"http", "host", "name:pass"}) EXPECT_THAT(all, Not(HasSubstr(word)));
}

TEST_F(ResponseCacheTest, AnswersChainedCallsWithoutAGrowingStack) {
  constexpr int kCalls = 20'000;  // more than a stack holds, if each were inside the last
  const auto model = Recorder(Counting());
  ChatRequest request = Ask("a");
  request.seed = 1;
  ASSERT_TRUE(model->Complete(request));
  int left = kCalls;
  std::promise<void> end;
  const ChatModel::Done next = [&](Result<ChatAnswer> answer) {
    ASSERT_TRUE(answer);
    if (--left == 0) return end.set_value();
    model->Submit(request, next);
  };
  model->Submit(request, next);
  end.get_future().get();
  EXPECT_EQ(left, 0);
}

}  // namespace
}  // namespace kw
