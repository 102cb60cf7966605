// Who was asked: usage, cost and caps by role, and the author of each attempt.
#include <gmock/gmock.h>

#include <set>

#include "agent/fakes.h"
#include "src/agent/journal.h"

namespace kw {
namespace {

using test::AnswerAnything;
using test::Must;
using test::TestRooms;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

// Answers under the name that it was asked as, dated, as hosted models do.
Result<ChatAnswer> AnswerDated(const ChatRequest& request) {
  KW_ASSIGN(ChatAnswer answer, AnswerAnything(request));
  answer.model = request.model + "-2026";
  answer.usage.cached = 5;
  return answer;
}

RunConfig Shared(TestRooms& rooms, const std::string& learner) {
  RunConfig config = rooms.Config("best_of_n", learner);
  config.samples = config.parallel = 2;
  config.epochs = 1;
  config.model = "big, small";
  config.extractor.model = "reader";
  config.judge.model = "judge";
  config.merger.model = "merger";
  config.embedder.model = "embed";
  return config;
}

TEST(Roles, UsageIsKeptByRoleAndAddsUp) {
  TestRooms rooms(AnswerDated);
  ScriptedModel judge(AnswerDated);
  RunRooms view = rooms.View();
  view.judge = &judge;
  RunConfig config = Shared(rooms, "evolrule");
  const RunRecord run = Must(StartRun(config, view, rooms.nobody, {}));
  const Usage& author = run.usage.at(ModelRole::kAuthor);
  EXPECT_EQ(author.calls, 6);
  EXPECT_EQ(author.cached_tokens, 30);
  EXPECT_THAT(author.models, UnorderedElementsAre("big-2026", "small-2026"));
  const Usage& judged = run.usage.at(ModelRole::kJudge);
  EXPECT_EQ(judged.calls, static_cast<int64_t>(judge.requests().size()));
  EXPECT_THAT(judged.models, ElementsAre("judge-2026"));
  EXPECT_GT(run.usage.at(ModelRole::kExtractor).calls, 0);
  EXPECT_FALSE(run.usage.contains(ModelRole::kEmbedder));

  const Usage total = TotalOf(run.usage);
  EXPECT_EQ(total.calls,
            static_cast<int64_t>(rooms.model.requests().size() + judge.requests().size()));
  EXPECT_EQ(total.calls, run.epochs[0].model_calls);
  EXPECT_EQ(total.prompt_tokens, run.epochs[0].prompt_tokens);
  EXPECT_EQ(TotalOf(run.epochs[0].usage).cost_usd, total.cost_usd);
}

TEST(Roles, EachAttemptNamesItsAuthorAsAskedAndAsItAnswered) {
  TestRooms rooms(AnswerDated);
  const RunRecord run = Must(StartRun(Shared(rooms, "none"), rooms.View(), rooms.nobody, {}));
  ASSERT_EQ(run.attempts.size(), 6u);
  for (const AttemptRecord& attempt : run.attempts) {
    EXPECT_EQ(attempt.author, attempt.chain == 0 ? "big" : "small");
    EXPECT_EQ(attempt.answered_by, attempt.author + "-2026");
  }
}

TEST(Roles, WhatIsLearnedNamesWhoWroteWhatItWasLearnedFrom) {
  for (const char* learner : {"reasoning_bank", "evolrule"}) {
    TestRooms rooms(AnswerDated);
    RunConfig config = Shared(rooms, learner);
    config.epochs = 2;
    Must(StartRun(config, rooms.View(), rooms.nobody, {}));
    std::set<std::string> models;
    for (const MemoryItem& item : Must(rooms.bank->Items(0, 100))) models.insert(item.from.model);
    for (const Rule& rule : Must(rooms.bank->Rules(""))) models.insert(rule.from.model);
    EXPECT_THAT(models, ElementsAre("big, small")) << learner;
  }
  TestRooms rooms(AnswerDated);
  RunConfig config = Shared(rooms, "reasoning_bank");
  config.samples = config.parallel = 1;
  Must(StartRun(config, rooms.View(), rooms.nobody, {}));
  for (const MemoryItem& item : Must(rooms.bank->Items(0, 100))) {
    EXPECT_EQ(item.from.model, "big");
  }
}

TEST(Roles, WhatTheGuardStoppedIsCounted) {
  TestRooms rooms([](const ChatRequest& request) -> Result<ChatAnswer> {
    KW_ASSIGN(ChatAnswer answer, AnswerAnything(request));
    answer.finish_reason = "runaway";
    answer.runaway = RunawayLoop{.unit = "x", .repeats = 12, .tokens_saved = 700};
    return answer;
  });
  const RunRecord run =
      Must(StartRun(rooms.Config("base", "none"), rooms.View(), rooms.nobody, {}));
  EXPECT_EQ(run.usage.at(ModelRole::kAuthor).stopped_answers, 6);
  EXPECT_EQ(run.usage.at(ModelRole::kAuthor).saved_tokens, 6 * 700);
  EXPECT_EQ(run.epochs[1].usage.at(ModelRole::kAuthor).saved_tokens, 3 * 700);
}

TEST(Roles, TheEmbedderIsPaidAndCountedInTheStepsThatItServes) {
  TestRooms rooms(AnswerDated);
  const test::FakeEmbeddings& embedder = rooms.EmbedByModel();
  RunConfig config = Shared(rooms, "reasoning_bank");
  const RunRecord run = Must(StartRun(config, rooms.View(), rooms.nobody, {}));
  const Usage& used = run.usage.at(ModelRole::kEmbedder);
  EXPECT_EQ(used.calls, embedder.calls);
  EXPECT_NEAR(used.cost_usd, 0.01 * embedder.calls, 1e-9);
  EXPECT_THAT(used.models, ElementsAre("embed"));
  std::set<std::string> keys;
  for (const StepRow& step : Must(Must(Journal::OpenForReading(run.folder))->Steps())) {
    if (step.kind == "embed") keys.insert(step.key.substr(6));
  }
  // Three tasks look for memories; the items of each are embedded.
  EXPECT_TRUE(keys.contains("softmax/recall/embed"));
  EXPECT_TRUE(keys.contains("softmax/learn/items/embed"));
  EXPECT_EQ(keys.size(), static_cast<size_t>(embedder.calls));
  EXPECT_GT(Must(rooms.bank->Stats()).items, 0);
}

TEST(Roles, AnEmbedderThatFailsStopsTheRunAndNothingIsLost) {
  TestRooms rooms(AnswerDated);
  struct Failing : EmbeddingModel {
    Result<Embeddings> Embed(const std::vector<std::string>&) override {
      return Fail(ErrorCode::kUnavailable, "the embedder is gone");
    }
  };
  rooms.embedder = std::make_shared<ModelEmbedder>(std::make_unique<Failing>(), "fake/embed");
  rooms.OpenBank("by_model.db");
  const auto run = StartRun(Shared(rooms, "reasoning_bank"), rooms.View(), rooms.nobody, {});
  ASSERT_FALSE(run);
  EXPECT_EQ(run.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(run.error().ToString(), HasSubstr("asking the embedder for e0/b0/"));
  rooms.EmbedByModel();
  EXPECT_EQ(Must(ResumeRun(rooms.folder("run"), rooms.View(), rooms.nobody, {})).state, "finished");
}

TEST(Roles, ARoleStopsAtACapOfItsOwnAndGoesOnWithAHigherOne) {
  TestRooms rooms(AnswerDated);
  rooms.EmbedByModel();
  RunConfig config = Shared(rooms, "reasoning_bank");
  config.embedder.max_cost_usd = 0.025;  // a call costs 0.01
  const auto run = StartRun(config, rooms.View(), rooms.nobody, {});
  ASSERT_FALSE(run);
  EXPECT_EQ(run.error().code, ErrorCode::kLimit);
  EXPECT_THAT(run.error().message, HasSubstr("model.embedder.max_cost_usd is 0.025"));
  RunRecord stopped = Must(ReadRun(rooms.folder("run")));
  EXPECT_EQ(stopped.usage[ModelRole::kEmbedder].calls, 2);
  EXPECT_FALSE(ResumeRun(rooms.folder("run"), rooms.View(), rooms.nobody, {}));
  const RunRecord done = Must(ResumeRun(rooms.folder("run"), rooms.View(), rooms.nobody, {},
                                        {{"model.embedder.max_cost_usd", "1"}}));
  EXPECT_EQ(done.state, "finished");
}

TEST(Roles, TheAuthorsCapLeavesTheOthersAlone) {
  TestRooms rooms(AnswerDated);
  RunConfig config = Shared(rooms, "reasoning_bank");
  config.author_max_calls = 6;  // what the attempts need; the extractor asks more
  RunRecord run = Must(StartRun(config, rooms.View(), rooms.nobody, {}));
  EXPECT_EQ(run.state, "finished");
  EXPECT_GT(TotalOf(run.usage).calls, 6);
  config.name = "second";
  config.author_max_calls = 5;
  const auto second = StartRun(config, rooms.View(), rooms.nobody, {});
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message, HasSubstr("and model.max_calls is 5"));
}

}  // namespace
}  // namespace kw
