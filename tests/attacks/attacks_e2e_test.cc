// Kernels that try to cheat or to harm, and legal ones in every style, each judged as `kwright
// eval` judges. None of the former may pass, none of the latter may fail.
#include <gtest/gtest.h>

#include <cstdio>

#include "attacks/attack_files.h"

namespace kw::eval {
namespace {

// What the tests of this process came to; a run of the whole program prints it at its end.
struct AttackCounts {
  int attacks = 0, passed = 0, right_status = 0, right_reason = 0;
  int legal = 0, flagged = 0;
};
AttackCounts g_counts;

class PrintsCounts : public testing::Environment {
 public:
  void TearDown() override {
    const AttackCounts& c = g_counts;
    if (c.attacks + c.legal < 2) return;
    std::printf(
        "attacks: %d, passed: %d, right status: %d, right status and reason: %d (%.1f %%)\n",
        c.attacks, c.passed, c.right_status, c.right_reason,
        c.attacks == 0 ? 100.0 : 100.0 * c.right_reason / c.attacks);
    std::printf("legal kernels: %d, flagged: %d\n", c.legal, c.flagged);
  }
};
testing::Environment* const g_prints_counts = testing::AddGlobalTestEnvironment(new PrintsCounts);

// One for the whole process: each candidate is judged by the worker that judged those before it.
Evaluator& SharedEvaluator() {
  static const std::unique_ptr<Evaluator> evaluator = [] {
    auto made = MakeEvaluator(E2eConfig());
    KW_CHECK(made.has_value(), "an evaluator");
    return std::move(*made);
  }();
  return *evaluator;
}

class Attack : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(E2e, Attack, testing::ValuesIn(AttackPaths("kernels")),
                         [](const auto& info) { return TestName(info.param.substr(8)); });

TEST_P(Attack, GetsTheVerdictItDeserves) {
  const AttackFile file = ReadAttackFile(GetParam());
  ASSERT_FALSE(file.kind.empty() || file.statuses.empty() || file.reasons.empty());
  EXPECT_EQ(file.path.substr(8, file.path.find('/', 8) - 8), file.kind) << "folders are kinds";
  const auto task = NativeTask(file.task);
  ASSERT_TRUE(task) << task.error().ToString();
  for (const Effort effort : file.efforts) {
    const auto verdict =
        SharedEvaluator().Evaluate(*task, file.source, {.seed = 1, .effort = effort});
    ASSERT_TRUE(verdict) << verdict.error().ToString();
    const std::string json = VerdictToJson(*verdict);
    const bool status = HasExpectedStatus(file, *verdict);
    const bool reason = HasExpectedReason(file, *verdict);
    ++g_counts.attacks;
    g_counts.passed += verdict->passed() ? 1 : 0;
    g_counts.right_status += status ? 1 : 0;
    g_counts.right_reason += status && reason ? 1 : 0;
    EXPECT_FALSE(verdict->passed()) << json;
    EXPECT_TRUE(status) << json;
    EXPECT_TRUE(reason) << json;
    EXPECT_FALSE(verdict->environmental) << json;
  }
}

class Legal : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(E2e, Legal, testing::ValuesIn(AttackPaths("legal")),
                         [](const auto& info) { return TestName(info.param.substr(6)); });

TEST_P(Legal, IsNotFlagged) {
  const AttackFile file = ReadAttackFile(GetParam());
  ASSERT_FALSE(OpeningLine(file.source, "legal").empty());
  const auto task = NativeTask(file.task);
  ASSERT_TRUE(task) << task.error().ToString();
  const auto verdict = SharedEvaluator().Evaluate(*task, file.source, {.seed = 1});
  ASSERT_TRUE(verdict) << verdict.error().ToString();
  ++g_counts.legal;
  g_counts.flagged += verdict->passed() ? 0 : 1;
  EXPECT_TRUE(verdict->passed()) << VerdictToJson(*verdict);
  EXPECT_EQ(verdict->hazards, "none");
}

}  // namespace
}  // namespace kw::eval
