#include "kw/base/text.h"

#include <gtest/gtest.h>

namespace kw {
namespace {

TEST(Split, KeepsEmptyParts) {
  EXPECT_EQ(Split("a,,b", ',').size(), 3u);
  EXPECT_EQ(Split("", ',').size(), 1u);
}

TEST(Lines, DropsLineEndsAndCountsALastLineWithoutOne) {
  const auto lines = Lines("a\r\nb\n\nc");
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_EQ(lines[0], "a");
  EXPECT_EQ(lines[3], "c");
  EXPECT_TRUE(Lines("").empty());
}

TEST(Shorten, CutsAtACharacterBoundary) {
  EXPECT_EQ(Shorten("kernel", 6), "kernel");
  EXPECT_EQ(Shorten("kernels", 6), "ker\u2026");
  EXPECT_EQ(Shorten("\u00e9\u00e9\u00e9\u00e9", 6), "\u00e9\u2026");
}

TEST(ToValidUtf8, ReplacesWhatIsNoCharacterAndKeepsTheRest) {
  EXPECT_EQ(ToValidUtf8("a\xff\x62"), "a\uFFFDb");
  EXPECT_EQ(ToValidUtf8("\u00e9\u20ac\U0001F600"), "\u00e9\u20ac\U0001F600");
  EXPECT_EQ(ToValidUtf8("\xed\xa0\x80"), "\uFFFD\uFFFD\uFFFD");  // a surrogate
  EXPECT_EQ(ToValidUtf8("\xc0\xaf"), "\uFFFD\uFFFD");            // an overlong slash
  EXPECT_EQ(ToValidUtf8("\xe2\x82"), "\uFFFD\uFFFD");            // cut off
}

TEST(UnknownName, NamesTheNearestOrListsTheKnown) {
  const std::vector<std::string> known = {"softmax", "rmsnorm"};
  EXPECT_EQ(UnknownName("task", "sofmax", known),
            "unknown task 'sofmax' (did you mean 'softmax'?)");
  EXPECT_EQ(UnknownName("task", "conv2d", known),
            "unknown task 'conv2d' (known: softmax, rmsnorm)");
}

}  // namespace
}  // namespace kw
