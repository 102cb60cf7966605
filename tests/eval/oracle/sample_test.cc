// What some blocks of a large launch stored, and shapes that stand in for larger ones.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "eval/oracle/fake_task.h"
#include "src/eval/oracle/slice.h"

namespace kw::eval {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<uint64_t> Points(const std::vector<Box>& boxes, const std::vector<int64_t>& sizes) {
  std::vector<uint64_t> points;
  for (const Box& box : boxes) {
    const auto walk = [&](const auto& self, size_t axis, uint64_t point) -> void {
      if (axis == box.size()) return points.push_back(point);
      for (const int64_t i : box[axis]) {
        self(self, axis + 1, point * static_cast<uint64_t>(sizes[axis]) + static_cast<uint64_t>(i));
      }
    };
    walk(walk, 0, 0);
  }
  std::sort(points.begin(), points.end());
  return points;
}

TEST(Boxes, HoldEachPointOnce) {
  const std::vector<int64_t> sizes = {4, 6, 5};
  std::vector<uint64_t> points;
  for (uint64_t point = 0; point < 120; ++point) {
    if (point * 2654435761u % 7 < 3) points.push_back(point);
  }
  EXPECT_EQ(Points(BoxesOf(points, sizes), sizes), points);
  EXPECT_TRUE(BoxesOf({}, sizes).empty());
}

TEST(Boxes, AreAsFewAsTheTilesThatBlocksStore) {
  const std::vector<int64_t> sizes = {100, 100};
  std::vector<uint64_t> points;
  for (uint64_t row = 0; row < 100; ++row) {
    for (uint64_t column = 0; column < 100; ++column) {
      const bool first = row < 16 && column < 16, other = row / 16 == 3 && column / 16 == 5;
      if (first || other) points.push_back(row * 100 + column);
    }
  }
  const std::vector<Box> boxes = BoxesOf(points, sizes);
  ASSERT_EQ(boxes.size(), 2u);
  EXPECT_EQ(boxes[0][0].size(), 16u);
  EXPECT_EQ(boxes[0][1].size(), 16u);
  // All of one axis: a single box.
  std::vector<uint64_t> row;
  for (uint64_t column = 0; column < 100; ++column) row.push_back(300 + column);
  EXPECT_EQ(BoxesOf(row, sizes).size(), 1u);
}

TEST(Slices, TakeIndicesAlongNamedAxes) {
  const std::string bytes = "abcdefghijkl";  // 2 x 3 x 2
  const std::map<std::string, int64_t> axes = {{"x", 2}, {"y", 3}, {"z", 2}};
  EXPECT_EQ(SliceBytes({"x", "y", "z"}, axes, 1, bytes, {{"y", {0, 2}}}), "abefghkl");
  EXPECT_EQ(SliceBytes({"x", "y", "z"}, axes, 1, bytes, {{"x", {1}}, {"z", {1}}}), "hjl");
  EXPECT_EQ(SliceBytes({"x", "y", "z"}, axes, 1, bytes, {}), bytes);
  EXPECT_EQ(SliceBytes({"x", "y"}, axes, 2, bytes, {{"y", {1}}}), "cdij");
}

// 64 rows of 100, of which some were stored.
struct Sampled {
  Sampled() {
    inputs = *GenerateInputs(task, c);
    values = FloatsOf(inputs.tensors[0]);
    for (float& value : values) value *= 2;
    for (size_t i = 0; i < values.size(); ++i) {
      if (!Stored(i)) values[i] = NAN;
    }
  }
  static bool Stored(size_t i) { return i / 100 == 3 || (i / 100 == 60 && i % 100 < 50); }
  Result<SampleCheck> Check() {
    return CheckSample(task, c, inputs, {BytesOf(values)},
                       {{{300 * 4, 400 * 4}, {6000 * 4, 6050 * 4}}}, reference);
  }
  Task task = DoubleTask();
  Case c = CaseOf({{"rows", 64}, {"cols", 100}});
  CaseInputs inputs;
  std::vector<float> values;
  FakeReference reference;
};

TEST(Sample, IsCheckedElementByElementAndTheRestIsNot) {
  Sampled sampled;
  const auto check = sampled.Check();
  ASSERT_TRUE(check) << check.error().ToString();
  EXPECT_EQ(check->unchecked, "");
  EXPECT_EQ(check->elements, 150);
  EXPECT_TRUE(check->comparison.ok);
}

TEST(Sample, NamesTheWrongElementAsThatOfTheWholeOutput) {
  Sampled sampled;
  sampled.values[6007] += 1;
  const auto check = sampled.Check();
  ASSERT_TRUE(check) << check.error().ToString();
  EXPECT_FALSE(check->comparison.ok);
  EXPECT_EQ(check->comparison.errors.bad, 1);
  EXPECT_EQ(check->comparison.errors.first_bad, 6007);
  EXPECT_THAT(check->comparison.at, ElementsAre(60, 7));
}

// A reference whose every element needs all of the input.
class SumReference : public FakeReference {
 public:
  Result<Expected> EvaluateOn(const Task& task, const Case& c, const CaseInputs& inputs) override {
    KW_ASSIGN(Expected expected, FakeReference::EvaluateOn(task, c, inputs));
    double sum = 0;
    for (const double value : expected.floats[0]) sum += value;
    for (double& value : expected.floats[0]) value += sum;
    return expected;
  }
};

TEST(Sample, SaysWhenNoPartCanBeComputedAlone) {
  Sampled sampled;
  SumReference reference;
  const auto check = CheckSample(sampled.task, sampled.c, sampled.inputs, {BytesOf(sampled.values)},
                                 {{{1200, 1600}}}, reference);
  ASSERT_TRUE(check) << check.error().ToString();
  EXPECT_THAT(check->unchecked, HasSubstr("no axis of it is independent"));
  const auto empty = CheckSample(sampled.task, sampled.c, sampled.inputs, {BytesOf(sampled.values)},
                                 {{}}, sampled.reference);
  ASSERT_TRUE(empty) << empty.error().ToString();
  EXPECT_THAT(empty->unchecked, HasSubstr("no element"));
}

TEST(ScaledCase, KeepsTheRemaindersOfItsSizes) {
  Task task = DoubleTask();
  EXPECT_TRUE(FitsInFull(task, {{"rows", 1000}, {"cols", 1000}}));
  const Case large = CaseOf({{"rows", 100'003}, {"cols", 4099}});
  EXPECT_FALSE(FitsInFull(task, large.axes));
  const std::optional<Case> scaled = ScaledCase(task, large);
  ASSERT_TRUE(scaled);
  EXPECT_TRUE(FitsInFull(task, scaled->axes));
  EXPECT_EQ(scaled->axes.at("rows") % 128, 100'003 % 128);
  EXPECT_EQ(scaled->axes.at("cols") % 128, 4099 % 128);
  EXPECT_GT(scaled->axes.at("rows"), 10'000);
  EXPECT_EQ(scaled->seed, large.seed);
}

TEST(ScaledCase, RespectsConstraintsAndTheStatedCost) {
  Task task = DoubleTask();
  task.cost_flops = "rows*cols*cols";
  task.constraints = {"rows % 256 == 0"};
  const std::optional<Case> scaled = ScaledCase(task, CaseOf({{"rows", 2048}, {"cols", 2048}}));
  ASSERT_TRUE(scaled);
  EXPECT_EQ(scaled->axes.at("rows") % 256, 0);
  EXPECT_TRUE(FitsInFull(task, scaled->axes));
  task.constraints = {"rows == 2048", "cols == 2048"};
  EXPECT_FALSE(ScaledCase(task, CaseOf({{"rows", 2048}, {"cols", 2048}})));
}

}  // namespace
}  // namespace kw::eval
