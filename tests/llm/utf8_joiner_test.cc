#include "utf8_joiner.h"

#include <gtest/gtest.h>

#include "kw/base.h"

namespace kw::llm {
namespace {

std::string Joined(const std::string& text, size_t piece) {
  Utf8Joiner joiner;
  std::string joined;
  for (size_t at = 0; at < text.size(); at += piece) {
    joined += joiner.Feed(std::string_view(text).substr(at, piece));
    EXPECT_TRUE(IsValidUtf8(joined));
  }
  joined += joiner.Finish();
  return joined;
}

TEST(Utf8Joiner, JoinsCharactersHoweverTheyAreCut) {
  const std::string text = "a\u00e9\u20ac\U0001F600z";
  for (size_t piece : {1, 2, 3, 4, 5, 100}) EXPECT_EQ(Joined(text, piece), text) << piece;
}

TEST(Utf8Joiner, ReplacesWhatIsNoCharacter) {
  const std::string replaced = "\xEF\xBF\xBD";
  for (size_t piece : {1, 2, 100}) {
    EXPECT_EQ(Joined("a\xff"
                     "b",
                     piece),
              "a" + replaced + "b");
    EXPECT_EQ(Joined("a\xe2\x82", piece), "a" + replaced);
    EXPECT_EQ(Joined("\xe2\x82"
                     "b",
                     piece),
              replaced + "b");
    EXPECT_EQ(Joined("\xc0\xaf", piece), replaced + replaced) << "an overlong form";
    EXPECT_EQ(Joined("\xed\xa0\x80", piece), replaced + replaced + replaced) << "a surrogate";
  }
}

TEST(Utf8Joiner, MarkedBytesAreValidAndComeBack) {
  Random random(3);
  for (int round = 0; round < 2000; ++round) {
    std::string bytes;
    for (uint64_t i = random.Below(12); i > 0; --i) {
      bytes += random.Chance(0.5) ? static_cast<char>(random.Below(256)) : 'a';
    }
    const std::string marked = MarkBrokenBytes(bytes);
    EXPECT_TRUE(IsValidUtf8(marked));
    EXPECT_EQ(RestoreBrokenBytes(marked), bytes);
    EXPECT_EQ(IsValidUtf8(bytes), ToValidUtf8(bytes) == bytes);
  }
}

}  // namespace
}  // namespace kw::llm
