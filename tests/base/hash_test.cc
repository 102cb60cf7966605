#include "kw/base/hash.h"

#include <gtest/gtest.h>

namespace kw {
namespace {

TEST(ContentHash, IsXxh3OfTheBytes) {
  EXPECT_EQ(ContentHash(""), "99aa06d3014798d86001c324468d497f");
  EXPECT_NE(ContentHash("a"), ContentHash("b"));
  EXPECT_EQ(ContentHash("softmax").size(), 32u);
}

TEST(Hasher, KnowsWhereAPartEnds) {
  EXPECT_NE(Hasher().Add("ab").Add("c").Hex(), Hasher().Add("a").Add("bc").Hex());
  EXPECT_NE(Hasher().Add("a").Hex(), Hasher().Add("a").Add("").Hex());
  EXPECT_EQ(Hasher().Add("a").Add(7).Hex(), Hasher().Add("a").Add(7).Hex());
}

TEST(DeriveSeed, DependsOnSeedAndPurpose) {
  EXPECT_EQ(DeriveSeed(1, "e0/b0/draw"), DeriveSeed(1, "e0/b0/draw"));
  EXPECT_NE(DeriveSeed(1, "e0/b0/draw"), DeriveSeed(2, "e0/b0/draw"));
  EXPECT_NE(DeriveSeed(1, "e0/b0/draw"), DeriveSeed(1, "e0/b1/draw"));
}

}  // namespace
}  // namespace kw
