// The texts that a mock endpoint says on its own.
#include "src/llm/mock/mock_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "kw/base.h"

namespace kw::mock {
namespace {

TEST(CannedKernel, HasExactlyTheSizeAskedFor) {
  for (const size_t bytes :
       {1u, 100u, 1000u, 1500u, 2000u, 2001u, 2010u, 2090u, 2096u, 8192u, 65'536u, 1'000'000u}) {
    const std::string text = CannedKernel(bytes);
    // A character may lie across the cut where the text is too short for a kernel.
    EXPECT_LE(text.size(), bytes);
    EXPECT_GE(text.size() + 3, bytes);
    EXPECT_EQ(ToValidUtf8(text), text);
    if (bytes < 2000) continue;
    EXPECT_EQ(text.size(), bytes);
    EXPECT_TRUE(text.ends_with("}\n```\n"));
  }
}

TEST(CannedKernel, SaysNoLineTwiceInARow) {
  const std::string text = CannedKernel(200'000);
  const std::vector<std::string_view> lines = Lines(text);
  for (size_t i = 1; i < lines.size(); ++i) {
    if (lines[i].empty()) continue;
    EXPECT_NE(lines[i], lines[i - 1]);
  }
  std::map<std::string_view, int> signatures;
  for (const std::string_view line : lines) {
    if (!line.starts_with("__device__")) continue;
    EXPECT_EQ(++signatures[line], 1) << line;
  }
  EXPECT_GT(signatures.size(), 500u);
}

TEST(MockText, GoesRoundFromItsLoop) {
  MockText text = RunawayText("begin:", "abc");
  EXPECT_FALSE(text.size < 1'000'000'000);
  EXPECT_TRUE(text.CutTo(100'000));
  const std::string whole = text.ToString();
  ASSERT_EQ(whole.size(), 100'000u);
  EXPECT_TRUE(whole.starts_with("begin:abcabc"));
  for (size_t i = 6; i < whole.size(); ++i) ASSERT_EQ(whole[i], "abc"[(i - 6) % 3]) << i;
  for (const size_t i : {0u, 7u, 50'000u, 99'999u}) EXPECT_EQ(text.At(i), whole[i]);
}

TEST(MockText, IsCutAtCharacters) {
  MockText text = MockText::Whole("aö日🚀");
  EXPECT_EQ(text.ChunkEnd(0, 1), 1u);
  EXPECT_EQ(text.ChunkEnd(1, 1), 3u);
  EXPECT_EQ(text.ChunkEnd(3, 1), 6u);
  EXPECT_EQ(text.ChunkEnd(6, 1), 10u);
  EXPECT_EQ(text.ChunkEnd(6, 100), 10u);
  EXPECT_FALSE(text.CutTo(10));
  EXPECT_TRUE(text.CutTo(9));
  EXPECT_EQ(text.ToString(), "aö日");
  EXPECT_TRUE(text.CutTo(2));
  EXPECT_EQ(text.ToString(), "a");
}

TEST(MockText, EscapesAsJsonWants) {
  std::string escaped;
  AppendJsonEscaped(std::string_view("a\"b\\c\n\r\t\x01\x1f ö\0", 14), escaped);
  EXPECT_EQ(escaped, R"(a\"b\\c\n\r\t\u0001\u001f ö\u0000)");
}

}  // namespace
}  // namespace kw::mock
