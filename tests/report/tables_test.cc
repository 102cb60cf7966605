#include <gtest/gtest.h>

#include "kw/base/json.h"
#include "kw/report.h"

namespace kw {
namespace {

RunRecord TwoTasks() {
  RunRecord run;
  run.name = "demo";
  run.folder = "runs/demo";
  run.state = "finished";
  run.epochs.push_back({.epoch = 0,
                        .tasks = 2,
                        .correct = 1,
                        .fast_1 = 1,
                        .attempts = 4,
                        .attempts_correct = 1,
                        .speedup = 1.5,
                        .memory_items = 3,
                        .model_calls = 6});
  AttemptRecord right, wrong;
  right.verdict.status = eval::Status::kPassed;
  right.verdict.speedup = 1.5;
  wrong.verdict.status = eval::Status::kIncorrectNumerical;
  run.attempts = {right, wrong};
  run.best = {{"gelu", 1}, {"softmax", 0}};
  return run;
}

TEST(EpochTable, ShowsEpochsFromOneAndAlignsColumns) {
  EXPECT_EQ(EpochTable(TwoTasks()),
            "  epoch  correct  fast_1  speedup  attempts correct  memory items  rules  model calls"
            "  cost\n"
            "  1          1/2     1/2    1.50x               1/4             3      0            6"
            "    $0\n");
}

TEST(BestTable, SaysWhereAPassedKernelLies) {
  EXPECT_EQ(BestTable(TwoTasks()),
            "  task                 verdict  speedup                     kernel\n"
            "  gelu     INCORRECT_NUMERICAL        -                          -\n"
            "  softmax               PASSED    1.50x  runs/demo/best/softmax.cu\n");
}

TEST(BestTable, NamesTheAuthorWhereThereAreSeveral) {
  RunRecord run = TwoTasks();
  run.attempts[0].author = "a/big";
  run.attempts[1].author = "b/small";
  EXPECT_EQ(BestTable(run),
            "  task                 verdict  speedup   author                     kernel\n"
            "  gelu     INCORRECT_NUMERICAL        -  b/small                          -\n"
            "  softmax               PASSED    1.50x    a/big  runs/demo/best/softmax.cu\n");
}

TEST(UsageTable, ShowsRolesAndOnlyWhatTheyUsed) {
  RunRecord run = TwoTasks();
  EXPECT_EQ(UsageTable(run), "");
  run.usage[ModelRole::kAuthor] = {.calls = 4, .prompt_tokens = 400, .completion_tokens = 90};
  EXPECT_EQ(UsageTable(run), "") << "the other tables say as much";
  run.usage[ModelRole::kJudge] = {.calls = 12,
                                  .prompt_tokens = 30,
                                  .completion_tokens = 5,
                                  .cached_tokens = 20,
                                  .cost_usd = 0.5,
                                  .models = {"j-1", "j-2"}};
  EXPECT_EQ(UsageTable(run),
            "  role    calls  prompt tokens  cached  answer tokens     cost     model\n"
            "  author      4            400       0             90       $0          \n"
            "  judge      12             30      20              5  $0.5000  j-1, j-2\n");
}

TEST(UsageLine, SaysWhatTheGuardSavedWhereItStoppedAnything) {
  Usage usage = {.calls = 1, .prompt_tokens = 30, .completion_tokens = 5};
  EXPECT_EQ(UsageLine(usage), "1 model call, 30 + 5 tokens, $0");
  usage = {.calls = 12,
           .prompt_tokens = 3400,
           .completion_tokens = 560,
           .cached_tokens = 100,
           .estimated_calls = 1,
           .cost_usd = 0.0123,
           .stopped_answers = 2,
           .saved_tokens = 900};
  EXPECT_EQ(UsageLine(usage),
            "12 model calls, 3400 + 560 tokens (in part estimated), $0.0123; 100 tokens of the "
            "prompts were cached; the guard stopped 2 answers, about 900 tokens saved");
}

TEST(RunToJson, HoldsUsageByRoleAndTheAuthorOfEachAttempt) {
  RunRecord run = TwoTasks();
  run.usage[ModelRole::kEmbedder] = {.calls = 2, .cost_usd = 0.25, .models = {"e"}};
  run.epochs[0].usage = run.usage;
  run.attempts[0].author = "a/big";
  run.attempts[0].answered_by = "big-2026";
  const Json json = *ParseJson(RunToJson(run, /*with_attempts=*/true), "run");
  EXPECT_EQ(json["usage"]["embedder"]["cost_usd"], 0.25);
  EXPECT_EQ(json["usage"]["embedder"]["models"], Json::array({"e"}));
  EXPECT_EQ(json["epochs"][0]["usage"], json["usage"]);
  EXPECT_EQ(json["attempt_list"][0]["author"], "a/big");
  EXPECT_EQ(json["best"][1]["answered_by"], "big-2026");
  EXPECT_FALSE(ParseJson(RunToJson(run), "run")->contains("attempt_list"));
}

TEST(RunToJson, HoldsEpochsAndBest) {
  const Json json = *ParseJson(RunToJson(TwoTasks()), "run");
  EXPECT_EQ(json["epochs"][0]["epoch"], 1);
  EXPECT_EQ(json["best"][1]["kernel"], "runs/demo/best/softmax.cu");
}

}  // namespace
}  // namespace kw
