#include "words.h"

#include <gmock/gmock.h>

namespace kw::memory {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(SplitWords, CutsAtWhateverIsNoLetterOrDigit) {
  EXPECT_THAT(SplitWords("__shared__ float4 tile[32]; // a-b"),
              ElementsAre("shared", "float4", "tile", "32", "a", "b"));
  EXPECT_THAT(SplitWords(" \n\t+-*/"), IsEmpty());
  EXPECT_THAT(SplitWords(""), IsEmpty());
}

TEST(SplitWords, KeepsLettersBeyondAsciiWhole) {
  EXPECT_THAT(SplitWords("größe 行列"), ElementsAre("größe", "行列"));
}

TEST(SplitCamelCase, CutsBeforeACapitalAfterASmallLetter) {
  EXPECT_THAT(SplitCamelCase("blockDim"), ElementsAre("block", "Dim"));
  EXPECT_THAT(SplitCamelCase("cudaMemsetAsync"), ElementsAre("cuda", "Memset", "Async"));
  EXPECT_THAT(SplitCamelCase("WARP"), ElementsAre("WARP"));
  EXPECT_THAT(SplitCamelCase(""), IsEmpty());
}

TEST(IsStopWord, KnowsCommonWordsAndNoTechnicalOnes) {
  EXPECT_TRUE(IsStopWord("the"));
  EXPECT_TRUE(IsStopWord("a"));
  EXPECT_TRUE(IsStopWord("your"));
  EXPECT_FALSE(IsStopWord("warp"));
  EXPECT_FALSE(IsStopWord("before"));
}

}  // namespace
}  // namespace kw::memory
