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

TEST(RunToJson, HoldsEpochsAndBest) {
  const Json json = *ParseJson(RunToJson(TwoTasks()), "run");
  EXPECT_EQ(json["epochs"][0]["epoch"], 1);
  EXPECT_EQ(json["best"][1]["kernel"], "runs/demo/best/softmax.cu");
}

}  // namespace
}  // namespace kw
