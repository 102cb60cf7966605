#include "src/agent/budget.h"

#include <gmock/gmock.h>

#include <atomic>
#include <thread>
#include <vector>

namespace kw {
namespace {

using ::testing::HasSubstr;

TEST(Budget, LetsEverythingThroughWithoutCaps) {
  Budget budget({}, {.calls = 1'000'000, .tokens = 1'000'000'000, .cost_usd = 1e6});
  EXPECT_TRUE(budget.Take({.calls = 1, .tokens = 1'000'000, .cost_usd = 1e6}));
}

TEST(Budget, RefusesACallThatCouldPassACapAndNamesItsKey) {
  const Amount call = {.calls = 1, .tokens = 600, .cost_usd = 0.6};
  const Amount spent = {.calls = 3, .tokens = 500, .cost_usd = 0.5};
  Budget calls({.calls = 3}, spent), tokens({.tokens = 1000}, spent), cost({.cost_usd = 1}, spent);
  EXPECT_THAT(calls.Take(call).error().message, HasSubstr("run.max_calls is 3"));
  EXPECT_THAT(tokens.Take(call).error().message, HasSubstr("run.max_total_tokens is 1000"));
  EXPECT_THAT(cost.Take(call).error().message, HasSubstr("run.max_cost_usd is 1"));
  EXPECT_EQ(cost.Take(call).error().code, ErrorCode::kLimit);
  EXPECT_TRUE(cost.Take({.calls = 1, .tokens = 600, .cost_usd = 0.5})) << "up to the cap is within";
}

TEST(Budget, WhatACallDidNotUseIsThereAgain) {
  Budget budget({.tokens = 1000}, {});
  const Amount most = {.calls = 1, .tokens = 900};
  for (int i = 0; i < 9; ++i) {
    ASSERT_TRUE(budget.Take(most)) << i;
    budget.Settle(most, {.calls = 1, .tokens = 10});
  }
  EXPECT_TRUE(budget.Take({.calls = 1, .tokens = 910}));
}

TEST(Budget, ARoleMayHaveACapOfItsOwnBelowTheRuns) {
  Budget budget({.calls = 10}, {});
  budget.CapRole(ModelRole::kJudge, "model.judge", {.calls = 2}, {.calls = 1});
  const Amount call = {.calls = 1};
  ASSERT_TRUE(budget.Take(call, ModelRole::kJudge));
  budget.Settle(call, call, ModelRole::kJudge);
  const auto refused = budget.Take(call, ModelRole::kJudge);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kLimit);
  EXPECT_THAT(refused.error().message, HasSubstr("2 calls were made, and model.judge.max_calls"));
  for (int i = 0; i < 9; ++i) {
    ASSERT_TRUE(budget.Take(call, ModelRole::kAuthor)) << "the others go on";
    budget.Settle(call, call, ModelRole::kAuthor);
  }
  EXPECT_THAT(budget.Take(call, ModelRole::kAuthor).error().message, HasSubstr("run.max_calls"));
}

// A role's call that cannot fit is refused at once, whatever calls of others are under way.
TEST(Budget, ARoleIsNotKeptWaitingForTheCallsOfOthers) {
  Budget budget({.tokens = 1000}, {});
  budget.CapRole(ModelRole::kMerger, "model.merger", {.tokens = 50}, {});
  ASSERT_TRUE(budget.Take({.calls = 1, .tokens = 100}, ModelRole::kAuthor));
  EXPECT_THAT(budget.Take({.calls = 1, .tokens = 60}, ModelRole::kMerger).error().message,
              HasSubstr("model.merger.max_total_tokens is 50"));
}

// Each call may cost 100 and costs 40: one after the other there is room for (1000 - 100) / 40.
TEST(Budget, CallsUnderWayAreWaitedForAndTheCapIsNeverPassed) {
  const Amount most = {.calls = 1, .tokens = 100}, used = {.calls = 1, .tokens = 40};
  Budget budget({.tokens = 1000}, {});
  std::atomic<int64_t> spent{0}, refused{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 16; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 10; ++i) {
        if (!budget.Take(most)) {
          ++refused;
          continue;
        }
        std::this_thread::yield();
        spent += used.tokens;
        budget.Settle(most, used);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(spent, 920);
  EXPECT_EQ(refused, 160 - 23);
}

}  // namespace
}  // namespace kw
