#include <gtest/gtest.h>

#include "kw/eval/timing.h"

namespace kw::eval {
namespace {

TEST(CompareSpeed, WithinFivePercentAndOverlappingIsATie) {
  EXPECT_EQ(0, CompareSpeed({100, 95, 105, ""}, {104, 99, 109, ""}));
}

TEST(CompareSpeed, BeyondFivePercentIsDecided) {
  EXPECT_EQ(1, CompareSpeed({100, 90, 120, ""}, {110, 95, 130, ""}));
  EXPECT_EQ(-1, CompareSpeed({110, 95, 130, ""}, {100, 90, 120, ""}));
}

TEST(CompareSpeed, DisjointIntervalsAreDecidedHoweverClose) {
  EXPECT_EQ(1, CompareSpeed({100, 99.9, 100.1, ""}, {101, 100.9, 101.1, ""}));
}

TEST(CompareSpeed, IsAntisymmetric) {
  const TimeEstimate times[] = {
      {1, 0.9, 1.1, ""}, {1.04, 1, 1.1, ""}, {1.04, 1.03, 1.05, ""}, {2, 1, 3, ""}, {1, 1, 1, ""}};
  for (const auto& a : times) {
    for (const auto& b : times) EXPECT_EQ(CompareSpeed(a, b), -CompareSpeed(b, a));
  }
}

TEST(GeometricMean, OfNothingIsZero) { EXPECT_EQ(0, GeometricMean({})); }

TEST(GeometricMean, MultipliesOut) {
  EXPECT_NEAR(2, GeometricMean({1, 4}), 1e-12);
  EXPECT_NEAR(1, GeometricMean({0.5, 2}), 1e-12);
}

}  // namespace
}  // namespace kw::eval
