#include "kw/base/random.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

namespace kw {
namespace {

// Known answers published with Random123 for philox4x32, 10 rounds.
TEST(Philox, GivesThePublishedKnownAnswers) {
  using Words = std::array<uint32_t, 4>;
  EXPECT_EQ(Philox4x32({0, 0, 0, 0}, {0, 0}),
            (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(Philox4x32({~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}),
            (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(Philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Philox, BlocksSideBySideAreThoseOneByOne) {
  const std::array<uint32_t, 2> key = {0xa4093822, 0x299f31d0};
  // The low word of the counter runs over within these blocks.
  const uint64_t first = 0x2'ffff'fff8;
  std::array<uint64_t, 2 * kPhiloxBlocks> numbers{};
  Philox4x32Blocks(first, key, numbers);
  for (size_t i = 0; i < kPhiloxBlocks; ++i) {
    const uint64_t counter = first + i;
    const auto words = Philox4x32(
        {static_cast<uint32_t>(counter), static_cast<uint32_t>(counter >> 32), 0, 0}, key);
    EXPECT_EQ(numbers[2 * i], uint64_t{words[1]} << 32 | words[0]);
    EXPECT_EQ(numbers[2 * i + 1], uint64_t{words[3]} << 32 | words[2]);
  }
}

TEST(Random, RepeatsForASeedAndDiffersBetweenSeeds) {
  Random a(7), b(7), c(8);
  const uint64_t first = a.Next64();
  EXPECT_EQ(first, b.Next64());
  EXPECT_NE(first, c.Next64());
}

TEST(Random, BelowStaysBelowAndReachesEveryValue) {
  Random random(1);
  std::array<int, 5> seen{};
  for (int i = 0; i < 1000; ++i) ++seen.at(random.Below(5));
  for (int count : seen) EXPECT_GT(count, 100);
}

TEST(Random, UniformLiesInTheUnitIntervalWithMeanOneHalf) {
  Random random(3);
  double sum = 0;
  for (int i = 0; i < 10'000; ++i) {
    const double u = random.Uniform();
    ASSERT_GE(u, 0.0);
    ASSERT_LT(u, 1.0);
    sum += u;
  }
  EXPECT_NEAR(sum / 10'000, 0.5, 0.02);
}

}  // namespace
}  // namespace kw
