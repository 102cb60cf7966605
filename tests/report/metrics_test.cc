#include <gtest/gtest.h>

#include "kw/report.h"

namespace kw {
namespace {

TEST(FastP, CountsCorrectKernelsBeyondP) {
  const std::vector<double> speedups = {0, 0.8, 1.2, 2.5};
  EXPECT_DOUBLE_EQ(FastP(speedups, 0), 0.75);
  EXPECT_DOUBLE_EQ(FastP(speedups, 1), 0.5);
  EXPECT_DOUBLE_EQ(FastP(speedups, 2), 0.25);
  EXPECT_DOUBLE_EQ(FastP({}, 1), 0);
}

TEST(PassAtK, MatchesTheCountOfSubsets) {
  EXPECT_DOUBLE_EQ(PassAtK(4, 1, 1), 0.25);
  EXPECT_DOUBLE_EQ(PassAtK(4, 1, 4), 1);
  EXPECT_NEAR(PassAtK(5, 2, 2), 1 - 3.0 / 10, 1e-12);  // C(3,2)/C(5,2)
  EXPECT_DOUBLE_EQ(PassAtK(4, 0, 2), 0);
}

TEST(WinAtP, LetsACorrectKernelBeatAnIncorrectOne) {
  EXPECT_DOUBLE_EQ(WinAtP({1, 2, 0}, {0, 1.5, 0}, 1), 2.0 / 3);
  EXPECT_DOUBLE_EQ(WinAtP({1, 2, 0}, {0, 1.5, 0}, 2), 1.0 / 3);
}

}  // namespace
}  // namespace kw
