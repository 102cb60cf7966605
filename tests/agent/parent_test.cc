#include "src/agent/parent.h"

#include <gtest/gtest.h>

#include <map>

namespace kw {
namespace {

AttemptRecord Attempt(eval::Status status, const std::string& stage, double speedup = 0) {
  AttemptRecord record;
  record.verdict.status = status;
  record.verdict.stage = stage;
  record.verdict.speedup = speedup;
  return record;
}
AttemptRecord Passed(double speedup) { return Attempt(eval::Status::kPassed, "timing", speedup); }
AttemptRecord Wrong() { return Attempt(eval::Status::kIncorrectNumerical, "oracle"); }
AttemptRecord NotBuilt() { return Attempt(eval::Status::kCompileError, "build"); }
AttemptRecord Malformed() { return Attempt(eval::Status::kMalformed, "extract"); }

constexpr int kDraws = 20'000;

std::map<int, double> Frequencies(const std::vector<AttemptRecord>& chain, bool has_baseline) {
  std::map<int, double> frequency;
  for (int seed = 0; seed < kDraws; ++seed) {
    frequency[SampleParent(chain, has_baseline, static_cast<uint64_t>(seed)).index] += 1.0 / kDraws;
  }
  return frequency;
}

TEST(Parent, CorrectOnesAreDrawnInProportionToSpeedup) {
  auto frequency = Frequencies({Passed(3), Wrong(), Passed(0.5), Malformed()}, true);
  EXPECT_NEAR(frequency[0], 3 / 4.5, 0.02);
  EXPECT_NEAR(frequency[2], 0.5 / 4.5, 0.02);
  EXPECT_NEAR(frequency[Parent::kBaseline], 1 / 4.5, 0.02);
  EXPECT_EQ(frequency.size(), 3u);
}

TEST(Parent, WhileNoneIsCorrectTheFurthestAreDrawnEvenly) {
  auto frequency = Frequencies({NotBuilt(), Wrong(), Malformed(), Wrong()}, true);
  EXPECT_NEAR(frequency[1], 0.5, 0.02);
  EXPECT_NEAR(frequency[3], 0.5, 0.02);
  EXPECT_EQ(frequency.size(), 2u);
}

TEST(Parent, TheBaselineIsParentZero) {
  EXPECT_EQ(SampleParent({}, true, 1).index, Parent::kBaseline);
  EXPECT_EQ(SampleParent({Malformed()}, true, 1).index, Parent::kBaseline);
  EXPECT_EQ(SampleParent({}, false, 1).index, Parent::kNone);
  EXPECT_EQ(SampleParent({Passed(0.1)}, false, 1).index, 0);
}

TEST(Parent, WhatCouldNotBeJudgedIsNoParent) {
  AttemptRecord unsupported = Attempt(eval::Status::kUnsupported, "oracle");
  AttemptRecord environmental = Attempt(eval::Status::kTimeout, "timing");
  environmental.verdict.environmental = true;
  auto frequency = Frequencies({unsupported, NotBuilt(), environmental}, true);
  EXPECT_EQ(frequency.size(), 1u);
  EXPECT_EQ(frequency.begin()->first, 1);
}

TEST(Parent, TheSameSeedDrawsTheSame) {
  std::vector<AttemptRecord> chain = {Passed(1), Passed(1), Passed(1)};
  for (uint64_t seed = 0; seed < 50; ++seed) {
    EXPECT_EQ(SampleParent(chain, true, seed).index, SampleParent(chain, true, seed).index);
  }
}

}  // namespace
}  // namespace kw
