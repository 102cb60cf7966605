// The number that references are calibrated with: the same sums in float32 as kernels would make.
#include "src/eval/oracle/calibrate_number.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace kw_calibration {
namespace {

class CalibrateNumber : public testing::Test {
 protected:
  void TearDown() override {
    member = {};
    overflows = 0;
  }
  static void Choose(Order order, bool fused = false) {
    member = {};
    member.order = order;
    member.fused = fused;
  }
  static void ChooseHalf() {
    member = {};
    member.mantissa_bits = 10;
    member.least_exponent = -14;
    member.largest = 65504;
  }
  static float SumOf(const std::vector<float>& terms) {
    Number sum = 0;
    for (const float term : terms) sum += term;
    return sum.Read();
  }
};

// 2^24, where the spacing becomes 2, and seven ones.
const std::vector<float> kOnesOnALargeTerm = {16777216, 1, 1, 1, 1, 1, 1, 1};

TEST_F(CalibrateNumber, AddsInTheOrderOfTheMember) {
  Choose(Order::kSequential);
  EXPECT_EQ(SumOf(kOnesOnALargeTerm), 16777216.0F);
  // ((2^24 + 1) + (1 + 1)) + ((1 + 1) + (1 + 1))
  Choose(Order::kPairwise);
  EXPECT_EQ(SumOf(kOnesOnALargeTerm), 16777222.0F);
  Choose(Order::kKahan);
  EXPECT_EQ(SumOf(kOnesOnALargeTerm), 16777224.0F);
}

TEST_F(CalibrateNumber, ReadsAPairwiseSumAtAnyTime) {
  Choose(Order::kPairwise);
  Number sum = 100;
  for (int i = 1; i <= 300'000; ++i) {
    sum += 1;
    // Exact in any order: what is read is every term, however many levels are pending.
    if (i % 997 != 0 && i < 299'990) continue;
    EXPECT_EQ(sum.Read(), static_cast<float>(100 + i));
  }
  sum = 5;
  sum += 2;
  EXPECT_EQ(sum.Read(), 7.0F);
}

TEST_F(CalibrateNumber, KeepsASumWithItsElement) {
  // As a product of matrices that adds up in its output, two sums at once.
  for (const auto& [order, wanted] :
       {std::pair{Order::kSequential, 16777216.0F}, std::pair{Order::kPairwise, 16777222.0F},
        std::pair{Order::kKahan, 16777224.0F}}) {
    Choose(order);
    std::vector<Number> out(2);
    for (const float term : kOnesOnALargeTerm) {
      for (Number& element : out) element += Number(term) * 1;
    }
    EXPECT_EQ(out[0].Read(), wanted);
    EXPECT_EQ(Number(out[1]).Read(), wanted);
  }
}

TEST_F(CalibrateNumber, ADifferenceIsSummedAlike) {
  Choose(Order::kKahan);
  Number sum = 0;
  for (const float term : kOnesOnALargeTerm) sum -= term;
  EXPECT_EQ(sum.Read(), -16777224.0F);
  sum += sum;
  EXPECT_EQ(sum.Read(), -33554448.0F);
}

TEST_F(CalibrateNumber, FusesAProductThatIsAddedAtOnce) {
  const Number a = 1 + 0x1p-12;  // a * a = 1 + 2^-11 + 2^-24: the last part is rounded away
  for (const Order order : {Order::kSequential, Order::kPairwise}) {
    Choose(order, /*fused=*/false);
    Number sum = 0;
    sum += -1 - 0x1p-11;
    sum += a * a;
    EXPECT_EQ(sum.Read(), 0.0F);
    EXPECT_EQ((a * a - (1 + 0x1p-11)).Read(), 0.0F);
    Choose(order, /*fused=*/true);
    sum = 0;
    sum += -1 - 0x1p-11;
    sum += a * a;
    EXPECT_EQ(sum.Read(), 0x1p-24F);
    EXPECT_EQ((a * a - (1 + 0x1p-11)).Read(), 0x1p-24F);
    EXPECT_EQ(((1 + 0x1p-11) - a * a).Read(), -0x1p-24F);
    // Kept in between, it is rounded.
    Number kept = 0;
    kept = a * a;
    EXPECT_EQ((kept - (1 + 0x1p-11)).Read(), 0.0F);
  }
}

TEST_F(CalibrateNumber, AKahanSumFusesAProductWithWhatWasLost) {
  for (const bool fused : {false, true}) {
    Choose(Order::kKahan, fused);
    Number sum = 16777216;
    sum += 1;  // lost, and kept aside
    sum += Number(1 + 0x1p-12) * (1 + 0x1p-12);
    // 1 + (1 + 2^-11 + 2^-24): above 2 by too little for the sum, either way.
    EXPECT_EQ(sum.Read(), 16777218.0F);
  }
}

TEST_F(CalibrateNumber, RoundsEveryResult) {
  const Number third = Number(1) / 3;
  EXPECT_EQ(third.Read(), 1.0F / 3.0F);
  EXPECT_EQ((Number(16777216) + 1).Read(), 16777216.0F);
  EXPECT_EQ(Number(0.1).Read(), 0.1F);
  EXPECT_EQ(std::exp(Number(1)).Read(), std::exp(1.0F));
  EXPECT_EQ(static_cast<int64_t>(Number(-2.75)), -2);
  constexpr Number kScale = 0.5;
  constexpr Number kTwice = kScale * 2 + 1;
  EXPECT_EQ(kTwice.Read(), 2.0F);
}

TEST_F(CalibrateNumber, StandsWhereADoubleMayStand) {
  using namespace std;  // NOLINT: as references do
  const Number x = -0.5;
  EXPECT_EQ(std::max(0.0, x).Read(), 0.0F);
  EXPECT_EQ(std::min(x, 2).Read(), -0.5F);
  EXPECT_EQ(std::clamp(x, -0.25, 1.0).Read(), -0.25F);
  EXPECT_EQ(std::max(x, Number(3)).Read(), 3.0F);
  EXPECT_EQ(fabs(x).Read(), 0.5F);
  EXPECT_EQ(::exp(x).Read(), exp(x).Read());
  EXPECT_EQ((x < 0 ? 2 * x : 0).Read(), -1.0F);
  EXPECT_TRUE(isnan(std::numeric_limits<Number>::quiet_NaN()));
  EXPECT_TRUE(x > -std::numeric_limits<Number>::infinity());
  std::vector<Number> values = {3, 1, 2};
  std::sort(values.begin(), values.end());
  EXPECT_EQ(values[0].Read(), 1.0F);
}

TEST_F(CalibrateNumber, RoundsToANarrowFormatAndCountsWhatItDoesNotHold) {
  ChooseHalf();
  EXPECT_EQ((Number(2048) + 1).Read(), 2048.0F);
  EXPECT_EQ((Number(2048) + 3).Read(), 2052.0F);
  EXPECT_EQ((Number(0x1p-14) / 2048).Read(), 0.0F);  // half a unit of the smallest, to even
  EXPECT_EQ((Number(0x1p-14) / 1024).Read(), 0x1p-24F);
  EXPECT_EQ(overflows, 0);
  EXPECT_EQ((Number(65504) + 15).Read(), 65504.0F);
  EXPECT_EQ(overflows, 0);
  EXPECT_TRUE(std::isinf(Number(300) * 300));
  EXPECT_EQ(overflows, 1);
}

TEST_F(CalibrateNumber, CountsAnOverflowOnlyWhereTheOperandsAreFinite) {
  EXPECT_TRUE(std::isinf(Number(1e30) * 1e30));
  EXPECT_EQ(overflows, 1);
  const Number infinity = std::numeric_limits<Number>::infinity();
  EXPECT_TRUE(std::isinf(infinity + 1));
  EXPECT_TRUE(std::isinf(Number(1) / 0));
  EXPECT_EQ(overflows, 1);
  EXPECT_TRUE(std::isinf(std::exp(Number(100))));
  EXPECT_EQ(overflows, 2);
}

TEST_F(CalibrateNumber, BlursFunctionsByAFewUnitsAndStaysAFunction) {
  member.math_ulps = 2;
  bool any = false;
  for (int i = 1; i < 100; ++i) {
    const Number x = 0.01 * i;
    const float exact = std::exp(x.Read()), blurred = std::exp(x).Read();
    EXPECT_LE(std::fabs(blurred - exact), 2 * 0x1p-22F);
    EXPECT_EQ(blurred, std::exp(x).Read());
    any = any || blurred != exact;
  }
  EXPECT_TRUE(any);
  EXPECT_EQ(std::exp(Number(0)).Read(), 1.0F);
}

// exp by a power of two: what is lost of x * log2(e) grows with x.
TEST_F(CalibrateNumber, ErrsAsFastIntrinsicsDo) {
  member.fast = true;
  double worst_exp = 0, worst_log = 0;
  for (int i = 1; i < 1000; ++i) {
    const double x = -0.02 * i;
    const double exact = std::exp(static_cast<double>(static_cast<float>(x)));
    worst_exp = std::fmax(worst_exp, std::fabs(std::exp(Number(x)).Read() / exact - 1));
    const double one = 1 + 0.0005 * i;
    const double log = std::log(static_cast<double>(static_cast<float>(one)));
    worst_log = std::fmax(worst_log, std::fabs(std::log(Number(one)).Read() - log));
  }
  EXPECT_GT(worst_exp, 4e-7);
  EXPECT_LT(worst_exp, 2e-6);
  EXPECT_GT(worst_log, 0.7 * 0x1p-23);
  EXPECT_LT(worst_log, 0x1p-22);
  EXPECT_EQ(std::exp(Number(0)).Read(), 1.0F);
  EXPECT_EQ(std::log(Number(1)).Read(), 0.0F);
}

TEST_F(CalibrateNumber, NarrowsOnlyWhatIsMultipliedByANarrowFactorAndSummed) {
  member = {Order::kSequential, true, 0, false, 10, -14, 65504, true};
  const Number third = 1.0 / 3;
  const float narrow = 0x1.554p-2F;  // 1/3 as a float16
  Number sum = 0;
  sum += third * Number(1);
  EXPECT_EQ(sum.Read(), narrow);
  EXPECT_EQ((third * Number(1)).Read(), third.Read());
  Number square = 0;
  square += third * third;
  EXPECT_EQ(square.Read(), third.Read() * third.Read());
  EXPECT_EQ((third + Number(1)).Read(), third.Read() + 1);
}

}  // namespace
}  // namespace kw_calibration
