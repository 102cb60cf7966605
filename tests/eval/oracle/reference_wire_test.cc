#include "src/eval/oracle/reference_wire.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <thread>

#include "kw/base/clock.h"
#include "kw/base/process.h"

namespace kw::eval {
namespace {

std::vector<ReferenceArgument> SampleArguments() {
  using Kind = ReferenceArgument::Kind;
  return {{Kind::kDoubles, "x", 2, 0, 0, std::string(16, 'a')},
          {Kind::kReal, "eps", 0, 0.5, 0, ""},
          {Kind::kBool, "causal", 0, 0, 1, ""},
          {Kind::kOutputIntegers, "y", 7, 0, 0, ""},
          {Kind::kInteger, "n", 0, 0, -3, ""}};
}

TEST(ReferenceCall, ComesBackAsItWasEncoded) {
  const auto decoded = DecodeReferenceCall(EncodeReferenceCall(SampleArguments()));
  ASSERT_TRUE(decoded);
  const auto expected = SampleArguments();
  ASSERT_EQ(decoded->size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ((*decoded)[i].kind, expected[i].kind);
    EXPECT_EQ((*decoded)[i].name, expected[i].name);
    EXPECT_EQ((*decoded)[i].count, expected[i].count);
    EXPECT_EQ((*decoded)[i].real, expected[i].real);
    EXPECT_EQ((*decoded)[i].integer, expected[i].integer);
    EXPECT_EQ((*decoded)[i].bytes, expected[i].bytes);
  }
}

TEST(ReferenceCall, RefusesEveryPrefixAndATail) {
  const std::string whole = EncodeReferenceCall(SampleArguments());
  for (size_t length = 0; length < whole.size(); ++length) {
    EXPECT_FALSE(DecodeReferenceCall(std::string_view(whole).substr(0, length))) << length;
  }
  EXPECT_FALSE(DecodeReferenceCall(whole + "x"));
}

class FrameTest : public testing::Test {
 protected:
  void SetUp() override {
    IgnoreBrokenPipes();
    ASSERT_EQ(pipe(ends_), 0);
  }
  void TearDown() override {
    close(ends_[0]);
    if (ends_[1] >= 0) close(ends_[1]);
  }
  void CloseWriter() {
    close(ends_[1]);
    ends_[1] = -1;
  }
  int ends_[2] = {-1, -1};
};

TEST_F(FrameTest, CarriesMoreThanAPipeHolds) {
  const std::string payload(1 << 20, 'z');
  std::thread sender([&] { EXPECT_TRUE(SendFrame(ends_[1], payload, {})); });
  const auto taken = TakeFrame(ends_[0], 2 << 20, {});
  sender.join();
  ASSERT_TRUE(taken);
  EXPECT_EQ(*taken, payload);
}

TEST_F(FrameTest, RefusesAFrameBeyondItsLimit) {
  ASSERT_TRUE(SendFrame(ends_[1], "12345", {}));
  EXPECT_EQ(TakeFrame(ends_[0], 4, {}).error().code, ErrorCode::kLimit);
}

TEST_F(FrameTest, SaysThatTheInputEnded) {
  ASSERT_EQ(write(ends_[1], "abc", 3), 3);
  CloseWriter();
  EXPECT_EQ(TakeFrame(ends_[0], 100, {}).error().code, ErrorCode::kNotFound);
}

TEST_F(FrameTest, GivesUpAtItsDeadline) {
  const int64_t now_us = SystemClock().MonotonicMicros();
  EXPECT_EQ(TakeFrame(ends_[0], 100, {now_us + 2000, {}}).error().code, ErrorCode::kTimeout);
}

}  // namespace
}  // namespace kw::eval
