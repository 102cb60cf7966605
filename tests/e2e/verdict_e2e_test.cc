// Whole verdicts over real processes: nvcc, worker, emulator, guest, reference. Each kernel in
// tests/e2e/kernels/TASK/ says in its first line what its verdict must be.
#include <gtest/gtest.h>

#include "e2e/evaluation.h"

namespace kw::eval {
namespace {

class KernelVerdict : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(E2e, KernelVerdict, testing::ValuesIn(Kernels("kernels")),
                         [](const auto& info) { return TestName(info.param); });

TEST_P(KernelVerdict, IsAsItsFirstLineSays) {
  const std::string source =
      *ReadFile(std::string(KW_SOURCE_DIR) + "/tests/e2e/kernels/" + GetParam());
  const std::vector<std::string> expected = FirstLineWords(source, "expect");
  const auto task = NativeTask(GetParam().substr(0, GetParam().find('/')));
  ASSERT_TRUE(task) << task.error().ToString();
  const auto verdict = JudgeExpecting(*task, source, expected);
  ASSERT_TRUE(verdict);
  const std::string json = VerdictToJson(*verdict);
  EXPECT_GT(verdict->feedback.size(), 20u) << "the author must learn something: " << json;
  EXPECT_EQ(verdict->feedback.find(KW_BINARY_DIR), std::string::npos) << json;
  const auto again = VerdictFromJson(json);
  ASSERT_TRUE(again) << again.error().ToString();
  if (verdict->passed()) {
    EXPECT_EQ(verdict->hazards, "none");
    EXPECT_GT(verdict->speedup, 0);
  }
  ::testing::Test::RecordProperty("feedback", verdict->feedback);
}

std::vector<std::string> TaskNames() {
  const auto library = TaskLibrary::Open(std::string(KW_SOURCE_DIR) + "/data/tasks");
  return library ? library->Names() : std::vector<std::string>();
}

class BaselineVerdict : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(E2e, BaselineVerdict, testing::ValuesIn(TaskNames()),
                         [](const auto& info) { return TestName(info.param); });

TEST_P(BaselineVerdict, PassesAtSpeedupOne) {
  const auto task = NativeTask(GetParam());
  ASSERT_TRUE(task) << task.error().ToString();
  const auto evaluator = MakeEvaluator(E2eConfig());
  ASSERT_TRUE(evaluator) << evaluator.error().ToString();
  const auto verdict = (*evaluator)->Evaluate(*task, task->baseline_cu, {.seed = 2});
  ASSERT_TRUE(verdict) << verdict.error().ToString();
  EXPECT_TRUE(verdict->passed()) << VerdictToJson(*verdict);
  EXPECT_NEAR(verdict->speedup, 1.0, 0.05);
  EXPECT_EQ(verdict->cases.size(), static_cast<size_t>(CaseCount(Effort::kStandard)));
  for (const WorkloadTime& workload : verdict->workloads) {
    EXPECT_GT(workload.roofline, 0);
    EXPECT_LE(workload.roofline, 1);
  }
}

}  // namespace
}  // namespace kw::eval
