#include "src/eval/oracle/value_types.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

namespace kw::eval {
namespace {

constexpr SmallFloat kHalf{5, 10, true};
constexpr SmallFloat kBrain{8, 7, true};
constexpr SmallFloat kE4M3{4, 3, false};
constexpr SmallFloat kE5M2{5, 2, true};

bool SameBits(double a, double b) {
  return std::bit_cast<uint64_t>(a) == std::bit_cast<uint64_t>(b);
}

TEST(SmallFloat, DecodesEveryHalfAsTheCompilerDoes) {
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    const auto half = std::bit_cast<_Float16>(static_cast<uint16_t>(bits));
    const double decoded = DecodeSmallFloat(kHalf, static_cast<uint16_t>(bits));
    if (std::isnan(decoded)) {
      ASSERT_TRUE(std::isnan(static_cast<double>(half))) << bits;
    } else {
      ASSERT_TRUE(SameBits(decoded, static_cast<double>(half))) << bits;
    }
  }
}

// Every half, every midpoint between two, and the doubles just beside the midpoints.
TEST(SmallFloat, RoundsToHalfAsTheCompilerDoes) {
  const auto check = [](double value) {
    for (const double signed_value : {value, -value}) {
      const auto expected = std::bit_cast<uint16_t>(static_cast<_Float16>(signed_value));
      ASSERT_EQ(EncodeSmallFloat(kHalf, signed_value), expected) << signed_value;
    }
  };
  for (uint16_t bits = 0; bits < 0x7c00; ++bits) {
    const double value = DecodeSmallFloat(kHalf, bits);
    const double next = bits == 0x7bff ? 65536.0 : DecodeSmallFloat(kHalf, bits + 1);
    const double middle = (value + next) / 2;
    check(value);
    check(middle);
    check(std::nextafter(middle, 0));
    check(std::nextafter(middle, 1e9));
  }
  check(1e300);
  check(1e-300);
  check(std::numeric_limits<double>::infinity());
  check(std::numeric_limits<double>::denorm_min());
  EXPECT_TRUE(std::isnan(DecodeSmallFloat(kHalf, EncodeSmallFloat(kHalf, std::nan("")))));
}

TEST(SmallFloat, RoundsToBfloat16AsTheTopOfAFloat) {
  for (uint32_t top = 0; top < 0x7f80; ++top) {
    for (const uint32_t low : {0x0000U, 0x7fffU, 0x8000U, 0x8001U, 0xffffU}) {
      const auto value = std::bit_cast<float>((top << 16) | low);
      const uint32_t up = low > 0x8000 || (low == 0x8000 && (top & 1) != 0) ? 1 : 0;
      ASSERT_EQ(EncodeSmallFloat(kBrain, value), top + up) << top << " " << low;
    }
  }
}

TEST(SmallFloat, KeepsEveryValueOfEveryFormat) {
  for (const SmallFloat& format : {kHalf, kBrain, kE4M3, kE5M2}) {
    const uint32_t count = 1U << (1 + format.exponent_bits + format.mantissa_bits);
    for (uint32_t bits = 0; bits < count; ++bits) {
      const double value = DecodeSmallFloat(format, static_cast<uint16_t>(bits));
      if (std::isnan(value)) continue;
      ASSERT_EQ(EncodeSmallFloat(format, value), bits);
    }
  }
}

TEST(SmallFloat, KnowsTheLimitsOfTheEightBitFormats) {
  EXPECT_EQ(LargestFinite(DType::kFloat8E4M3), 448);
  EXPECT_EQ(LargestFinite(DType::kFloat8E5M2), 57344);
  EXPECT_EQ(LargestFinite(DType::kFloat16), 65504);
  EXPECT_EQ(DecodeSmallFloat(kE4M3, 0x7e), 448);
  EXPECT_TRUE(std::isnan(DecodeSmallFloat(kE4M3, 0x7f)));
  EXPECT_TRUE(std::isnan(DecodeSmallFloat(kE4M3, EncodeSmallFloat(kE4M3, 1000))));
  EXPECT_TRUE(std::isinf(DecodeSmallFloat(kE5M2, EncodeSmallFloat(kE5M2, 1e6))));
  EXPECT_EQ(DecodeSmallFloat(kE4M3, EncodeSmallFloat(kE4M3, 0x1p-9)), 0x1p-9);
}

TEST(UnitInLastPlace, IsTheDistanceToTheNextNumber) {
  EXPECT_EQ(UnitInLastPlace(DType::kFloat32, 1.0), 0x1p-23);
  EXPECT_EQ(UnitInLastPlace(DType::kFloat32, -1.9999), 0x1p-23);
  EXPECT_EQ(UnitInLastPlace(DType::kFloat32, 2.0), 0x1p-22);
  EXPECT_EQ(UnitInLastPlace(DType::kFloat32, 0.0), 0x1p-149);
  EXPECT_EQ(UnitInLastPlace(DType::kFloat16, 1.0), 0x1p-10);
  EXPECT_EQ(UnitInLastPlace(DType::kFloat16, 1e9), 32);
  EXPECT_EQ(UnitInLastPlace(DType::kFloat64, 1.0), 0x1p-52);
}

TEST(AppendRounded, WidensBackToTheRoundedValue) {
  for (const DType dtype : {DType::kFloat64, DType::kFloat32, DType::kFloat16, DType::kBFloat16,
                            DType::kFloat8E4M3, DType::kFloat8E5M2}) {
    std::string bytes;
    for (const double value : {0.1, -3.7, 0.0, 100.0}) AppendRounded(dtype, value, bytes);
    EXPECT_EQ(bytes.size(), 4u * static_cast<size_t>(DTypeBytes(dtype)));
    const std::vector<double> widened = WidenFloats(dtype, bytes);
    ASSERT_EQ(widened.size(), 4u);
    EXPECT_EQ(widened[0], RoundedTo(dtype, 0.1));
    EXPECT_EQ(widened[1], RoundedTo(dtype, -3.7));
  }
}

TEST(AppendRounded, KeepsIntegersOfEveryWidth) {
  for (const DType dtype : {DType::kInt64, DType::kInt32, DType::kInt16, DType::kInt8}) {
    std::string bytes;
    for (const double value : {-100.0, 0.0, 99.0}) AppendRounded(dtype, value, bytes);
    EXPECT_EQ(WidenIntegers(dtype, bytes), (std::vector<int64_t>{-100, 0, 99}));
  }
  std::string bytes;
  for (const double value : {0.0, 200.0}) AppendRounded(DType::kUInt8, value, bytes);
  EXPECT_EQ(WidenIntegers(DType::kUInt8, bytes), (std::vector<int64_t>{0, 200}));
}

}  // namespace
}  // namespace kw::eval
