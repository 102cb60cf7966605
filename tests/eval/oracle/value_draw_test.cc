#include "src/eval/oracle/value_draw.h"

#include <gtest/gtest.h>

#include <cmath>

namespace kw::eval {
namespace {

TEST(BitDraw, IsAFunctionOfTheIndexAlone) {
  BitDraw forwards(7, "input/x"), backwards(7, "input/x");
  std::vector<uint64_t> words;
  for (uint64_t i = 0; i < 100; ++i) words.push_back(forwards.At(i));
  for (uint64_t i = 100; i-- > 0;) EXPECT_EQ(backwards.At(i), words[i]);
  EXPECT_EQ(forwards.At(1ULL << 40), backwards.At(1ULL << 40));
}

TEST(BitDraw, DiffersBySeedAndByName) {
  EXPECT_NE(BitDraw(7, "input/x").At(0), BitDraw(8, "input/x").At(0));
  EXPECT_NE(BitDraw(7, "input/x").At(0), BitDraw(7, "input/y").At(0));
}

TEST(UniformFromBits, FillsTheUnitInterval) {
  EXPECT_EQ(UniformFromBits(0), 0);
  EXPECT_LT(UniformFromBits(~0ULL), 1);
  EXPECT_EQ(UniformFromBits(1ULL << 63), 0.5);
}

// Bounds are six standard errors wide: with a fixed seed this either always passes or never.
TEST(NormalFromBits, HasTheMomentsOfAStandardNormal) {
  constexpr int kCount = 200'000;
  BitDraw draw(1, "normal");
  double sum = 0, squares = 0, fourths = 0;
  int beyond_two = 0, beyond_three = 0;
  for (int i = 0; i < kCount; ++i) {
    const double z = NormalFromBits(draw.At(static_cast<uint64_t>(i)));
    sum += z;
    squares += z * z;
    fourths += z * z * z * z;
    beyond_two += std::fabs(z) > 2 ? 1 : 0;
    beyond_three += std::fabs(z) > 3 ? 1 : 0;
  }
  EXPECT_NEAR(sum / kCount, 0, 0.0135);
  EXPECT_NEAR(squares / kCount, 1, 0.019);
  EXPECT_NEAR(fourths / kCount, 3, 0.15);
  EXPECT_NEAR(beyond_two / double{kCount}, 0.0455, 0.0028);
  EXPECT_NEAR(beyond_three / double{kCount}, 0.0027, 0.0007);
}

TEST(NormalFromBits, IsBoundedAndSymmetric) {
  EXPECT_EQ(NormalFromBits(0), 0);
  EXPECT_LT(NormalFromBits(~0ULL >> 1), 4.77);
  EXPECT_GT(NormalFromBits(~0ULL >> 1), 4.7);
  EXPECT_EQ(NormalFromBits(12345ULL << 30), -NormalFromBits((12345ULL << 30) | (1ULL << 63)));
}

}  // namespace
}  // namespace kw::eval
