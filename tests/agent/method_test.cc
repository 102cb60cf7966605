#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/fakes.h"
#include "src/agent/journal.h"

namespace kw {
namespace {

using test::AnswerSaying;
using test::Must;
using test::SourceSaying;
using test::TestRooms;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

// Says its lines in turn, whatever it is asked: one chain at one task.
ScriptedModel::Script Says(std::vector<std::string> lines) {
  auto next = std::make_shared<std::atomic<size_t>>(0);
  return [lines, next](const ChatRequest& request) -> Result<ChatAnswer> {
    size_t i = (*next)++;
    if (i >= lines.size()) return Fail(ErrorCode::kInternal, "asked too often");
    return ChatAnswer{.content = AnswerSaying(lines[i], request.messages[0].content),
                      .finish_reason = "stop"};
  };
}

RunRecord RunMethod(TestRooms& rooms, const std::string& method, int parallel, int iterations) {
  RunConfig config = rooms.Config(method, "none");
  config.epochs = 1;
  config.tasks = {"softmax"};
  config.parallel = parallel;
  config.iterations = iterations;
  config.samples = parallel * iterations;
  config.max_in_flight = 1;  // chains one after the other: the script's order
  return Must(StartRun(config, rooms.View(), rooms.nobody, {}));
}

std::vector<std::string> Statuses(const RunRecord& run) {
  std::vector<std::string> statuses;
  for (const AttemptRecord& attempt : run.attempts) {
    statuses.emplace_back(eval::StatusName(attempt.verdict.status));
  }
  return statuses;
}

TEST(Method, BaseMakesOneAttempt) {
  TestRooms rooms(Says({"PASSED 1.50"}));
  RunRecord run = RunMethod(rooms, "base", 1, 1);
  EXPECT_THAT(Statuses(run), ElementsAre("PASSED"));
  EXPECT_EQ(run.attempts[0].step, "e0/b0/softmax/s0/i0");
  EXPECT_EQ(run.attempts[0].parent, "");
  EXPECT_THAT(run.attempts[0].source, HasSubstr("PASSED 1.50"));
}

TEST(Method, BestOfNAsksIndependentlyAndKeepsTheBest) {
  TestRooms rooms(Says({"INCORRECT_NUMERICAL", "PASSED 0.80", "PASSED 2.00", "COMPILE_ERROR"}));
  RunRecord run = RunMethod(rooms, "best_of_n", 4, 1);
  EXPECT_THAT(Statuses(run),
              ElementsAre("INCORRECT_NUMERICAL", "PASSED", "PASSED", "COMPILE_ERROR"));
  EXPECT_EQ(run.best["softmax"], 2u);
  std::string best = Must(ReadFile(run.folder + "/best/softmax.cu"));
  EXPECT_EQ(best, run.attempts[2].source);
  std::vector<ChatRequest> requests = rooms.model.requests();
  EXPECT_EQ(requests[0].messages[0].content, requests[3].messages[0].content);
  EXPECT_NE(requests[0].seed, requests[1].seed);
}

TEST(Method, RefineShowsTheLastKernelAndTheBest) {
  TestRooms rooms(Says({"COMPILE_ERROR", "PASSED 1.25", "INCORRECT_NUMERICAL", "PASSED 1.40"}));
  RunRecord run = RunMethod(rooms, "refine", 1, 4);
  EXPECT_THAT(Statuses(run),
              ElementsAre("COMPILE_ERROR", "PASSED", "INCORRECT_NUMERICAL", "PASSED"));
  EXPECT_EQ(run.attempts[0].parent, "");
  EXPECT_EQ(run.attempts[1].parent, "e0/b0/softmax/s0/i0");
  EXPECT_EQ(run.attempts[3].parent, "e0/b0/softmax/s0/i2");
  EXPECT_THAT(run.attempts[1].prompt, HasSubstr("expected ';'"));
  EXPECT_THAT(run.attempts[1].prompt, HasSubstr(SourceSaying("COMPILE_ERROR")));
  EXPECT_THAT(run.attempts[3].prompt, HasSubstr("PASSED 1.25"));         // the best
  EXPECT_THAT(run.attempts[3].prompt, HasSubstr("element 3 is wrong"));  // the last
  EXPECT_THAT(run.attempts[3].prompt, Not(HasSubstr("COMPILE_ERROR")));
}

TEST(Method, MalformedCountsAndTheNextSeesItsReasonAndTheLastKernel) {
  TestRooms rooms(Says({"INCORRECT_NUMERICAL", "MALFORMED", "MALFORMED", "PASSED 1.10"}));
  RunRecord run = RunMethod(rooms, "refine", 1, 4);
  EXPECT_THAT(Statuses(run),
              ElementsAre("INCORRECT_NUMERICAL", "MALFORMED", "MALFORMED", "PASSED"));
  EXPECT_EQ(rooms.model.requests().size(), 4u);
  EXPECT_EQ(rooms.evaluator.builds, 2);
  for (int i : {2, 3}) {
    const AttemptRecord& attempt = run.attempts[static_cast<size_t>(i)];
    EXPECT_EQ(attempt.parent, "e0/b0/softmax/s0/i0");
    EXPECT_THAT(attempt.prompt, HasSubstr("No kernel could be taken from your last answer"));
    EXPECT_THAT(attempt.prompt, HasSubstr(run.attempts[1].verdict.feedback));
    EXPECT_THAT(attempt.prompt, HasSubstr(SourceSaying("INCORRECT_NUMERICAL")));
  }
  EXPECT_THAT(run.attempts[1].prompt, Not(HasSubstr("No kernel could be taken")));
}

TEST(Method, MalformedFirstLeavesNothingToShowButItsReason) {
  for (const char* method : {"refine", "metr"}) {
    TestRooms rooms(Says({"MALFORMED", "PASSED 1.10"}));
    RunRecord run = RunMethod(rooms, method, 1, 2);
    EXPECT_THAT(Statuses(run), ElementsAre("MALFORMED", "PASSED")) << method;
    EXPECT_THAT(run.attempts[1].prompt, HasSubstr(run.attempts[0].verdict.feedback)) << method;
    EXPECT_EQ(run.attempts[1].parent, std::string(method) == "metr" ? "baseline" : "") << method;
  }
}

TEST(Method, ChainsSeeOnlyTheirOwnAttempts) {
  TestRooms rooms(Says({"PASSED 1.01", "PASSED 1.02", "PASSED 1.03", "PASSED 1.04"}));
  RunRecord run = RunMethod(rooms, "refine", 2, 2);
  ASSERT_EQ(run.attempts.size(), 4u);
  EXPECT_EQ(run.attempts[3].parent, "e0/b0/softmax/s1/i0");
  EXPECT_THAT(run.attempts[3].prompt, HasSubstr("PASSED 1.03"));
  EXPECT_THAT(run.attempts[3].prompt, Not(HasSubstr("PASSED 1.01")));
  EXPECT_THAT(run.attempts[3].prompt, Not(HasSubstr("PASSED 1.02")));
}

TEST(Method, MetrBeginsWithTheBaselineAndShowsAParentOfItsChain) {
  TestRooms rooms(Says({"INCORRECT_NUMERICAL", "PASSED 9.00", "PASSED 9.50", "PASSED 9.60"}));
  RunRecord run = RunMethod(rooms, "metr", 1, 4);
  EXPECT_EQ(run.attempts[0].parent, "baseline");
  EXPECT_THAT(run.attempts[0].prompt, HasSubstr("the baseline kernel"));
  // None correct yet: the only one that got as far.
  EXPECT_EQ(run.attempts[1].parent, "e0/b0/softmax/s0/i0");
  // From then on a correct one, or the baseline; never the wrong one.
  for (size_t i : {2u, 3u}) EXPECT_NE(run.attempts[i].parent, "e0/b0/softmax/s0/i0");
  int draws = 0;
  for (const StepRow& step : Must(Must(Journal::OpenForReading(run.folder))->Steps())) {
    draws += step.kind == "draw";
  }
  EXPECT_EQ(draws, 4);
}

TEST(Method, MetrShowsTheLastWellFormedKernelAfterMalformed) {
  TestRooms rooms(
      Says({"PASSED 1.00", "PASSED 5.00", "INCORRECT_NUMERICAL", "MALFORMED", "PASSED 1.00"}));
  RunRecord run = RunMethod(rooms, "metr", 1, 5);
  EXPECT_EQ(run.attempts[4].parent, "e0/b0/softmax/s0/i2");
  EXPECT_THAT(run.attempts[4].prompt, HasSubstr("No kernel could be taken"));
}

TEST(Method, RequestsCarryTheConfiguration) {
  TestRooms rooms(Says({"PASSED 1.00"}));
  RunConfig config = rooms.Config("base", "none");
  config.epochs = 1;
  config.tasks = {"softmax"};
  config.temperature = 0.3;
  config.max_tokens = 777;
  config.model = "some-model";
  Must(StartRun(config, rooms.View(), rooms.nobody, {}));
  ChatRequest request = rooms.model.requests().at(0);
  EXPECT_EQ(request.model, "some-model");
  EXPECT_EQ(request.temperature, 0.3);
  EXPECT_EQ(request.max_tokens, 777);
  EXPECT_EQ(request.seed, DeriveSeed(config.seed, "e0/b0/softmax/s0/i0/generate"));
}

}  // namespace
}  // namespace kw
