#include "src/agent/sample_plan.h"

#include <gtest/gtest.h>

namespace kw {
namespace {

using Given = std::optional<int>;
constexpr std::nullopt_t kNone = std::nullopt;

void ExpectPlan(const std::string& method, Given s, Given p, Given i, int samples, int parallel,
                int iterations) {
  auto plan = PlanSamples(method, s, p, i);
  ASSERT_TRUE(plan) << method << ": " << plan.error().ToString();
  EXPECT_EQ(plan->samples, samples) << method;
  EXPECT_EQ(plan->parallel, parallel) << method;
  EXPECT_EQ(plan->iterations, iterations) << method;
}

TEST(SamplePlan, BaseMakesOneAttempt) {
  ExpectPlan("base", kNone, kNone, kNone, 1, 1, 1);
  ExpectPlan("base", 1, 1, 1, 1, 1, 1);
  EXPECT_FALSE(PlanSamples("base", 2, kNone, kNone));
}

TEST(SamplePlan, BestOfNIsAllParallel) {
  ExpectPlan("best_of_n", 8, kNone, kNone, 8, 8, 1);
  ExpectPlan("best_of_n", kNone, 3, kNone, 3, 3, 1);
  ExpectPlan("best_of_n", kNone, kNone, kNone, 4, 4, 1);
  EXPECT_FALSE(PlanSamples("best_of_n", kNone, kNone, 3));
  EXPECT_FALSE(PlanSamples("best_of_n", 8, 4, kNone));
}

TEST(SamplePlan, ChainsFillInWhatIsNotGiven) {
  for (const char* method : {"refine", "metr"}) {
    ExpectPlan(method, 6, kNone, kNone, 6, 1, 6);
    ExpectPlan(method, 6, 2, kNone, 6, 2, 3);
    ExpectPlan(method, 6, kNone, 2, 6, 3, 2);
    ExpectPlan(method, kNone, 2, 5, 10, 2, 5);
    ExpectPlan(method, kNone, kNone, 5, 5, 1, 5);
    ExpectPlan(method, kNone, 2, kNone, 8, 2, 4);
    ExpectPlan(method, kNone, kNone, kNone, 4, 1, 4);
    ExpectPlan(method, 6, 2, 3, 6, 2, 3);
  }
}

TEST(SamplePlan, ThreeThatDisagreeAreAnError) {
  auto plan = PlanSamples("refine", 6, 2, 2);
  ASSERT_FALSE(plan);
  EXPECT_NE(plan.error().message.find("2 x 2"), std::string::npos);
  EXPECT_FALSE(PlanSamples("metr", 7, 2, kNone));
  EXPECT_FALSE(PlanSamples("metr", kNone, 1'000'000, 1'000'000));
}

}  // namespace
}  // namespace kw
