#include "src/eval/worker/base64.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace kw::eval {
namespace {

TEST(Base64, KnowsTheVectorsOfTheRfc) {
  EXPECT_EQ(EncodeBase64(""), "");
  EXPECT_EQ(EncodeBase64("f"), "Zg==");
  EXPECT_EQ(EncodeBase64("fo"), "Zm8=");
  EXPECT_EQ(EncodeBase64("foo"), "Zm9v");
  EXPECT_EQ(EncodeBase64("foobar"), "Zm9vYmFy");
}

TEST(Base64, RoundTripsAllBytes) {
  EXPECT_TRUE(rc::check(
      [](const std::string& bytes) { RC_ASSERT(*DecodeBase64(EncodeBase64(bytes)) == bytes); }));
}

TEST(Base64, RefusesWhatIsNone) {
  for (const char* text :
       {"A", "AB", "ABC", "AB=C", "A===", "====", "A B=", "AB\n=", "Zh==", "Zm9="}) {
    EXPECT_FALSE(DecodeBase64(text)) << text;
  }
}

}  // namespace
}  // namespace kw::eval
