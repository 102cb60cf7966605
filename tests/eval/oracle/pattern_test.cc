#include "src/eval/oracle/pattern.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace kw::eval {
namespace {

using testing::HasSubstr;

// A right output of distinct values, which a test makes wrong.
class PatternTest : public testing::Test {
 protected:
  void SetUp() override {
    for (int64_t i = 0; i < kRows * kCols; ++i) {
      expected_.push_back(1.0 + std::sin(static_cast<double>(i) * 12.9898) * 0.9);
    }
    got_ = expected_;
  }
  double& At(int64_t row, int64_t col) { return got_[static_cast<size_t>(row * kCols + col)]; }
  double Expected(int64_t row, int64_t col) {
    return expected_[static_cast<size_t>(row * kCols + col)];
  }
  Pattern Find(std::vector<int64_t> shape = {kRows, kCols}) {
    WrongOutput wrong;
    wrong.shape = std::move(shape);
    wrong.got = got_;
    wrong.expected = expected_;
    wrong.axes = {{"rows", kRows}, {"cols", kCols}};
    wrong.close = [](double a, double b) { return std::fabs(a - b) <= 1e-6; };
    for (size_t i = 0; i < got_.size(); ++i) {
      wrong.bad.push_back(wrong.close(got_[i], expected_[i]) ? 0 : 1);
    }
    return FindPattern(wrong);
  }

  static constexpr int64_t kRows = 9, kCols = 33;
  std::vector<double> expected_, got_;
};

TEST_F(PatternTest, SeesTailColumns) {
  for (int64_t row = 0; row < kRows; ++row) At(row, 32) = 0;
  const Pattern pattern = Find();
  EXPECT_EQ(pattern.text, "only column 32 (the last 1 of 33) is wrong in each row; they are 0");
  EXPECT_THAT(pattern.advice, HasSubstr("guard"));
}

TEST_F(PatternTest, SeesRowsBeyondTheFirstBlocks) {
  for (int64_t row = 4; row < kRows; ++row) {
    for (int64_t col = 0; col < kCols; ++col) At(row, col) = std::nan("");
  }
  const Pattern pattern = Find();
  EXPECT_EQ(pattern.text, "only rows 4..8 (the last 5 of 9) are wrong; they are NaN");
  EXPECT_THAT(pattern.advice, HasSubstr("number of blocks"));
}

TEST_F(PatternTest, NamesTheOneRowWhoseColumnsAreMostlyWrong) {
  for (int64_t col = 0; col < kCols; ++col) {
    if (col % 11 != 5) At(4, col) = 50 + static_cast<double>(col * col);
  }
  EXPECT_EQ(Find().text, "only row 4 of 9 is wrong");
}

TEST_F(PatternTest, SeesTheTailOfAFlatOutput) {
  for (size_t i = 256; i < got_.size(); ++i) got_[i] = -5 + static_cast<double>(i % 7);
  EXPECT_THAT(Find({kRows * kCols}).text, HasSubstr("only elements 256..296 (the last 41 of 297)"));
}

TEST_F(PatternTest, SeesAStride) {
  for (int64_t row = 0; row < kRows; ++row) {
    for (int64_t col = 1; col < kCols; col += 4) At(row, col) = 9 + static_cast<double>(col * row);
  }
  EXPECT_THAT(Find().text, HasSubstr("only every 4th of the columns, from 1 on"));
}

TEST_F(PatternTest, NamesAConstantFactor) {
  for (double& value : got_) value *= 33;
  EXPECT_EQ(Find().text,
            "every element is wrong; they are 33 times what is expected (that is cols)");
  got_ = expected_;
  for (double& value : got_) value /= std::sqrt(33.0);
  EXPECT_THAT(Find().text, HasSubstr("1 / sqrt(cols)"));
  got_ = expected_;
  for (double& value : got_) value = -value;
  EXPECT_THAT(Find().text, HasSubstr("the sign is flipped"));
}

TEST_F(PatternTest, SeesAFactorOfEachRow) {
  for (int64_t row = 0; row < kRows; ++row) {
    for (int64_t col = 0; col < kCols; ++col) At(row, col) *= 1.5 + 0.3 * static_cast<double>(row);
  }
  const Pattern pattern = Find();
  EXPECT_THAT(pattern.text, HasSubstr("each row is off by a factor of its own (1.5 to 3.9)"));
  EXPECT_THAT(pattern.advice, HasSubstr("reduction"));
}

TEST_F(PatternTest, SeesShiftsByOne) {
  for (size_t i = 0; i + 1 < got_.size(); ++i) got_[i] = expected_[i + 1];
  EXPECT_THAT(Find().text, HasSubstr("values of the element after them"));
  EXPECT_THAT(Find().advice, HasSubstr("index arithmetic"));
  got_ = expected_;
  for (int64_t row = 1; row < kRows; ++row) {
    for (int64_t col = 0; col < kCols; ++col) At(row, col) = Expected(row - 1, col);
  }
  EXPECT_THAT(Find().text, HasSubstr("values of the row above"));
}

TEST_F(PatternTest, SeesARowThatIsRepeated) {
  for (int64_t row = 1; row < kRows; ++row) {
    for (int64_t col = 0; col < kCols; ++col) At(row, col) = Expected(0, col);
  }
  EXPECT_THAT(Find().text, HasSubstr("every row holds the values of row 0"));
}

TEST_F(PatternTest, SeesATransposition) {
  for (int64_t i = 0; i < kRows * kCols; ++i) {
    got_[static_cast<size_t>(i)] = expected_[static_cast<size_t>(i % kRows * kCols + i / kRows)];
  }
  EXPECT_THAT(Find().text, HasSubstr("transposed"));
}

TEST_F(PatternTest, SeesOneValueEverywhere) {
  for (double& value : got_) value = 7.25;
  EXPECT_THAT(Find().text, HasSubstr("they all hold 7.25"));
}

TEST_F(PatternTest, SaysNothingOfScatteredErrors) {
  for (const size_t i : {3u, 40u, 77u, 150u, 291u}) got_[i] += 0.25 + static_cast<double>(i);
  EXPECT_EQ(Find().text, "");
}

TEST_F(PatternTest, SeesALossOfPrecision) {
  for (size_t i = 0; i < got_.size(); ++i) got_[i] += 1e-3 * std::sin(static_cast<double>(i));
  const Pattern pattern = Find();
  EXPECT_THAT(pattern.text, HasSubstr("close to what is expected (within 0.1"));
  EXPECT_THAT(pattern.advice, HasSubstr("precision"));
}

TEST_F(PatternTest, HandlesASingleValue) {
  expected_ = {1.5};
  got_ = {0};
  EXPECT_EQ(Find({}).text, "the only element is wrong; they are 0");
}

}  // namespace
}  // namespace kw::eval
