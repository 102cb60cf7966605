#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "eval/oracle/fake_task.h"
#include "kw/eval/oracle.h"
#include "src/eval/oracle/value_types.h"

namespace kw::eval {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();

Comparison CompareFloats(DType dtype, Tolerance tolerance, const std::vector<double>& got,
                         const std::vector<double>& expected, double scale = 1) {
  Task task;
  task.axes = {VarAxis("n")};
  task.outputs = {TensorOf("y", {"n"}, dtype)};
  task.tolerance[dtype] = tolerance;
  std::string bytes;
  for (const double value : got) AppendRounded(dtype, value, bytes);
  Expected wanted;
  wanted.floats = {expected};
  wanted.integers = {{}};
  if (scale != 1) wanted.absolute_scale = {scale};
  const Case c = CaseOf({{"n", static_cast<int64_t>(got.size())}});
  return *CompareOutputs(task, c, {bytes}, wanted);
}

bool Passes(double got, double expected, Tolerance tolerance = {1e-3, 1e-2},
            DType dtype = DType::kFloat32) {
  return CompareFloats(dtype, tolerance, {got}, {expected}).ok;
}

TEST(CompareOutputs, AddsTheAbsoluteAndTheRelativeTolerance) {
  EXPECT_TRUE(Passes(100.9, 100));
  EXPECT_FALSE(Passes(101.1, 100));
  EXPECT_TRUE(Passes(0.0009, 0));
  EXPECT_FALSE(Passes(0.0011, 0));
}

TEST(CompareOutputs, AlwaysAllowsOneUnitInTheLastPlace) {
  EXPECT_TRUE(Passes(2049, 2047, {0, 0}, DType::kFloat16));  // stored as 2048
  EXPECT_FALSE(Passes(2052, 2047, {0, 0}, DType::kFloat16));
}

TEST(CompareOutputs, LetsNanMeetOnlyNan) {
  EXPECT_TRUE(Passes(NAN, NAN));
  EXPECT_FALSE(Passes(NAN, 1));
  EXPECT_FALSE(Passes(1, NAN));
}

TEST(CompareOutputs, WantsInfinitiesOfTheSameSign) {
  EXPECT_TRUE(Passes(kInf, kInf));
  EXPECT_FALSE(Passes(-kInf, kInf));
  EXPECT_FALSE(Passes(1, kInf));
  EXPECT_FALSE(Passes(kInf, 1));
}

TEST(CompareOutputs, DoesNotJudgeWhatTheDtypeCannotHold) {
  EXPECT_TRUE(Passes(kInf, 70000, {0, 0}, DType::kFloat16));
  EXPECT_TRUE(Passes(65504, 70000, {0, 0}, DType::kFloat16));
  EXPECT_TRUE(Passes(kInf, 65504, {0, 1e-3}, DType::kFloat16));
  EXPECT_FALSE(Passes(kInf, 60000, {0, 1e-3}, DType::kFloat16));
}

TEST(CompareOutputs, ScalesTheAbsoluteToleranceWhereOutputsAreLarger) {
  EXPECT_FALSE(CompareFloats(DType::kFloat32, {1e-3, 0}, {0.005}, {0}).ok);
  EXPECT_TRUE(CompareFloats(DType::kFloat32, {1e-3, 0}, {0.005}, {0}, 9).ok);
}

TEST(CompareOutputs, CountsEveryElement) {
  const Comparison comparison =
      CompareFloats(DType::kFloat32, {0.01, 0}, {1, 2.5, NAN, 4, kInf}, {1, 2, 3, 4, 5});
  EXPECT_FALSE(comparison.ok);
  EXPECT_EQ(comparison.output, "y");
  EXPECT_EQ(comparison.errors.bad, 3);
  EXPECT_EQ(comparison.errors.total, 5);
  EXPECT_EQ(comparison.errors.first_bad, 1);
  EXPECT_EQ(comparison.errors.nan, 1);
  EXPECT_EQ(comparison.errors.inf, 1);
  EXPECT_DOUBLE_EQ(comparison.errors.max_abs, 0.5);
  EXPECT_DOUBLE_EQ(comparison.errors.max_rel, 0.25);
  EXPECT_DOUBLE_EQ(comparison.errors.mean_abs, 0.5 / 3);
  EXPECT_EQ(comparison.at, std::vector<int64_t>{1});
  EXPECT_EQ(comparison.got, 2.5);
  EXPECT_EQ(comparison.expected, 2);
}

TEST(CompareOutputs, WantsIntegersExactly) {
  Task task;
  task.axes = {VarAxis("n")};
  task.outputs = {TensorOf("i", {"n"}, DType::kInt64)};
  Expected expected;
  expected.floats = {{}};
  expected.integers = {{1LL << 60, 2}};
  std::string bytes(16, '\0');
  const std::vector<int64_t> got = {(1LL << 60) + 1, 2};
  std::copy_n(reinterpret_cast<const char*>(got.data()), 16, bytes.begin());
  const Comparison comparison = *CompareOutputs(task, CaseOf({{"n", 2}}), {bytes}, expected);
  EXPECT_EQ(comparison.errors.bad, 1);
}

// idx[rows] chooses along cols of x[rows, cols].
class SelectionTest : public testing::Test {
 protected:
  SelectionTest() {
    task_.axes = {VarAxis("rows"), VarAxis("cols"), VarAxis("k")};
    task_.inputs = {TensorOf("x", {"rows", "cols"})};
    task_.outputs = {TensorOf("idx", {"rows"}, DType::kInt32)};
    task_.outputs[0].selects = "x";
    c_ = CaseOf({{"rows", 2}, {"cols", 8}, {"k", 2}}, "zeros_and_ones");
    x_ = FloatsOf(GenerateInputs(task_, c_)->tensors[0]);
  }
  // A column of `row` whose value is `value`, but not `other`.
  int32_t Column(int row, float value, int32_t other = -1) {
    for (int32_t col = 0; col < 8; ++col) {
      if (x_[static_cast<size_t>(row * 8 + col)] == value && col != other) return col;
    }
    ADD_FAILURE() << "the seed gives no such value";
    return 0;
  }
  bool Judge(const std::vector<int32_t>& got, const std::vector<int64_t>& expected) {
    Expected wanted;
    wanted.floats = {{}};
    wanted.integers = {expected};
    const std::string bytes(reinterpret_cast<const char*>(got.data()), got.size() * 4);
    return CompareOutputs(task_, c_, {bytes}, wanted)->ok;
  }

  Task task_;
  Case c_;
  std::vector<float> x_;
};

TEST_F(SelectionTest, JudgesTheValueThatIsChosen) {
  const int32_t one = Column(0, 1), other_one = Column(0, 1, one), zero = Column(0, 0);
  const int32_t second = Column(1, 1);
  EXPECT_TRUE(Judge({other_one, second}, {one, second}));
  EXPECT_FALSE(Judge({zero, second}, {one, second}));
}

TEST_F(SelectionTest, RefusesIndicesOutOfRange) {
  EXPECT_FALSE(Judge({8, Column(1, 1)}, {Column(0, 1), Column(1, 1)}));
  EXPECT_FALSE(Judge({-1, Column(1, 1)}, {Column(0, 1), Column(1, 1)}));
}

TEST_F(SelectionTest, RefusesToChooseTheSameTwice) {
  task_.outputs[0].shape = {"rows", "k"};
  const int32_t a = Column(0, 1), b = Column(0, 1, a), c = Column(1, 1), d = Column(1, 1, c);
  EXPECT_TRUE(Judge({b, a, c, d}, {a, b, c, d}));
  EXPECT_FALSE(Judge({a, a, c, d}, {a, b, c, d}));
}

TEST(CompareOutputs, RefusesOutputsOfTheWrongSize) {
  Task task;
  task.axes = {VarAxis("n")};
  task.outputs = {TensorOf("y", {"n"})};
  Expected expected;
  expected.floats = {{1, 2}};
  expected.integers = {{}};
  EXPECT_FALSE(CompareOutputs(task, CaseOf({{"n", 2}}), {std::string(4, '\0')}, expected));
  EXPECT_FALSE(CompareOutputs(task, CaseOf({{"n", 3}}), {std::string(12, '\0')}, expected));
  EXPECT_FALSE(CompareOutputs(task, CaseOf({{"n", 2}}), {}, expected));
}

}  // namespace
}  // namespace kw::eval
