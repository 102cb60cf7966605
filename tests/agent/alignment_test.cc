#include "src/agent/alignment.h"

#include <gtest/gtest.h>

namespace kw {
namespace {

AttemptRecord PassedWith(double speedup) {
  AttemptRecord record;
  record.verdict.status = eval::Status::kPassed;
  record.verdict.speedup = speedup;
  return record;
}
AttemptRecord WrongOne() {
  AttemptRecord record;
  record.verdict.status = eval::Status::kIncorrectNumerical;
  record.verdict.stage = "oracle";
  return record;
}

constexpr std::nullopt_t kUnknown = std::nullopt;

TEST(Alignment, PairsCountByWhetherTheSatisfyingKernelIsBetter) {
  AttemptRecord fast = PassedWith(2), slow = PassedWith(1), wrong = WrongOne();
  // fast > slow > wrong; two satisfy, one does not.
  Tally tally = CountPairs({{&fast, true, true}, {&slow, true, false}, {&wrong, true, true}});
  EXPECT_EQ(tally.aligned, 1);     // fast (yes) over slow (no)
  EXPECT_EQ(tally.misaligned, 1);  // slow (no) over wrong (yes)
  EXPECT_EQ(tally.unknown, 0);
}

TEST(Alignment, TiesAndUnknownsDecideNothing) {
  AttemptRecord a = PassedWith(1.0), b = PassedWith(1.02), wrong = WrongOne(),
                wrong_too = WrongOne();
  Tally tally = CountPairs({{&a, true, true}, {&b, true, false}});
  EXPECT_EQ(tally.aligned + tally.misaligned, 0);
  tally = CountPairs({{&wrong, true, true}, {&wrong_too, true, false}});
  EXPECT_EQ(tally.aligned + tally.misaligned, 0);
  tally = CountPairs({{&a, true, kUnknown}, {&wrong, true, false}, {&wrong_too, true, kUnknown}});
  EXPECT_EQ(tally.aligned + tally.misaligned, 0);
  EXPECT_EQ(tally.unknown, 2);
}

TEST(Alignment, PairsOfTwoOlderKernelsWereCountedBefore) {
  AttemptRecord fresh = PassedWith(2), baseline = PassedWith(1), earlier = WrongOne();
  Tally tally =
      CountPairs({{&fresh, true, true}, {&earlier, false, false}, {&baseline, false, false}});
  EXPECT_EQ(tally.aligned, 2);
  tally = CountPairs({{&earlier, false, false}, {&baseline, false, true}});
  EXPECT_EQ(tally.aligned, 0);
}

TEST(Alignment, RulesAreKeptFromTheRateAndTheNumberOfPairs) {
  EXPECT_EQ(StateOf(2, 0, 3, 0.7), "undecided");
  EXPECT_EQ(StateOf(0, 2, 3, 0.7), "undecided");
  EXPECT_EQ(StateOf(3, 0, 3, 0.7), "kept");
  EXPECT_EQ(StateOf(2, 1, 3, 0.7), "dropped");  // 0.667
  EXPECT_EQ(StateOf(7, 3, 3, 0.7), "kept");     // exactly 0.70
  EXPECT_EQ(StateOf(69, 31, 3, 0.7), "dropped");
  EXPECT_EQ(StateOf(0, 0, 0, 0.7), "kept");
}

Rule Old(int64_t id, const std::string& text, const std::string& state, int64_t aligned) {
  Rule rule;
  rule.id = id;
  rule.text = text;
  rule.state = state;
  rule.aligned = aligned;
  return rule;
}

TEST(Merge, OldRulesKeepTheirWordsAndCounts) {
  auto result = ResolveMerge({Old(5, "Guard the tail.", "kept", 9)}, {"Check the last index."},
                             {{"Guard tails and check indices.", {1, 2}}}, 25);
  ASSERT_EQ(result.size(), 1u);
  EXPECT_EQ(result[0].rule.id, 5);
  EXPECT_EQ(result[0].rule.text, "Guard the tail.");
  EXPECT_EQ(result[0].rule.aligned, 9);
  EXPECT_FALSE(result[0].align);
  EXPECT_FALSE(result[0].changed);
}

TEST(Merge, OfSeveralOldRulesTheBestProvenStays) {
  auto result = ResolveMerge({Old(1, "a", "undecided", 1), Old(2, "b", "kept", 8)}, {},
                             {{"a and b", {1, 2}}}, 25);
  ASSERT_EQ(result.size(), 2u);
  EXPECT_EQ(result[0].rule.state, "dropped");
  EXPECT_TRUE(result[0].changed);
  EXPECT_FALSE(result[0].align);
  EXPECT_EQ(result[1].rule.state, "kept");
}

TEST(Merge, FreshRulesAreNewAndAligned) {
  auto result = ResolveMerge({}, {"a", "b", "c"}, {{"a or b", {1, 2}}, {"c", {3}}}, 25);
  ASSERT_EQ(result.size(), 2u);
  EXPECT_EQ(result[0].rule.id, 0);
  EXPECT_EQ(result[0].rule.text, "a or b");
  EXPECT_EQ(result[0].rule.state, "undecided");
  EXPECT_TRUE(result[0].align && result[0].changed);
  EXPECT_EQ(result[0].fresh, 0);
  EXPECT_EQ(result[1].fresh, 2);
}

TEST(Merge, WhatIsNotNamedStaysWhenOldAndGoesWhenFresh) {
  auto result = ResolveMerge({Old(1, "old", "undecided", 1)}, {"a", "b"}, {{"b", {3}}}, 25);
  ASSERT_EQ(result.size(), 2u);
  EXPECT_EQ(result[0].rule.id, 1);
  EXPECT_TRUE(result[0].align);
  EXPECT_EQ(result[1].rule.text, "b");
}

TEST(Merge, PlainStringsAreFoundByTheirWords) {
  auto result = ResolveMerge({Old(1, "Guard the tail.", "kept", 4)}, {"Use shuffles"},
                             {{"guard  the tail", {}}, {"Use shuffles.", {}}}, 25);
  ASSERT_EQ(result.size(), 2u);
  EXPECT_EQ(result[0].rule.id, 1);
  EXPECT_EQ(result[1].rule.text, "Use shuffles.");
  EXPECT_EQ(result[1].fresh, 0);
}

TEST(Merge, FreshRulesAreLimitedAndNeverTwice) {
  auto result =
      ResolveMerge({}, {"a", "b", "c"}, {{"a", {1}}, {"A.", {2}}, {"b", {1}}, {"c", {3}}}, 1);
  ASSERT_EQ(result.size(), 1u);
  EXPECT_EQ(result[0].rule.text, "a");
}

}  // namespace
}  // namespace kw
