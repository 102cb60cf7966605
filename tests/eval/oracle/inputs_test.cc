#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "eval/oracle/fake_task.h"
#include "kw/eval/oracle.h"
#include "src/eval/oracle/value_types.h"

namespace kw::eval {
namespace {

using testing::Each;
using testing::HasSubstr;

std::vector<float> Values(const std::string& group, Tensor tensor = TensorOf("x", {"n"}),
                          int64_t n = 1000) {
  Task task;
  task.axes = {VarAxis("n")};
  task.inputs = {std::move(tensor)};
  return FloatsOf(GenerateInputs(task, CaseOf({{"n", n}}, group))->tensors[0]);
}

std::vector<int64_t> Integers(Tensor tensor, std::map<std::string, int64_t> axes) {
  Task task;
  for (const auto& [name, size] : axes) task.axes.push_back(VarAxis(name));
  const DType dtype = tensor.dtype;
  task.inputs = {std::move(tensor)};
  return WidenIntegers(dtype, GenerateInputs(task, CaseOf(std::move(axes)))->tensors[0]);
}

// The bytes that a stored replay must bring back: a change here breaks every replay.
std::vector<std::string> AllGroups() {
  Task task;
  task.groups = {std::string(kTinyGroup), std::string(kLargestGroup), std::string(kNonfiniteGroup)};
  return ValueGroups(task);
}

TEST(GenerateInputs, DrawsTheSameBytesForEver) {
  Task task = DoubleTask();
  task.inputs.push_back(TensorOf("h", {"cols"}, DType::kFloat16));
  task.inputs.push_back(TensorOf("i", {"rows"}, DType::kInt32));
  const Case c = CaseOf({{"rows", 3}, {"cols", 33}});
  EXPECT_EQ(GenerateInputs(task, c)->hash, "2723db71f687bc234d208b80d84f9c33");
}

TEST(GenerateInputs, DependsOnSeedGroupAndName) {
  const Task task = DoubleTask();
  const Case c = CaseOf({{"rows", 3}, {"cols", 33}});
  Case other_seed = c;
  other_seed.seed = 8;
  Case other_group = c;
  other_group.group = "x3";
  const std::string hash = GenerateInputs(task, c)->hash;
  EXPECT_EQ(GenerateInputs(task, c)->hash, hash);
  EXPECT_NE(GenerateInputs(task, other_seed)->hash, hash);
  EXPECT_NE(GenerateInputs(task, other_group)->hash, hash);
  Task renamed = task;
  renamed.inputs[0].name = "z";
  EXPECT_NE(GenerateInputs(renamed, c)->tensors[0], GenerateInputs(task, c)->tensors[0]);
}

TEST(GenerateInputs, HashesScalars) {
  Task task = DoubleTask();
  task.inputs.push_back(ScalarOf("eps"));
  Case c = CaseOf({{"rows", 3}, {"cols", 33}});
  EXPECT_FALSE(GenerateInputs(task, c));
  c.scalars["eps"] = 1e-5;
  const std::string hash = GenerateInputs(task, c)->hash;
  c.scalars["eps"] = 1e-6;
  EXPECT_NE(GenerateInputs(task, c)->hash, hash);
}

TEST(GenerateInputs, ScalesTheSameDraws) {
  const auto original = Values("original"), three = Values("x3"), small = Values("x0.01");
  for (size_t i = 0; i < original.size(); ++i) {
    EXPECT_NEAR(three[i], 3 * original[i], 1e-5);
    EXPECT_NEAR(small[i], 0.01 * original[i], 1e-7);
  }
}

// Whoever divides by a row's length or sum is to meet a row without either.
TEST(GenerateInputs, MakesEveryFourthRowOfZerosAndOnesAllZeros) {
  constexpr size_t kRows = 40, kCols = 64;
  Task task = DoubleTask();
  for (const bool bounded : {false, true}) {
    if (bounded) task.inputs[0].range = {-2, 2};
    std::set<size_t> firsts;
    for (uint64_t seed = 0; seed < 60; ++seed) {
      Case c = CaseOf({{"rows", kRows}, {"cols", kCols}}, "zeros_and_ones");
      c.seed = seed;
      const std::vector<float> values = FloatsOf(GenerateInputs(task, c)->tensors[0]);
      std::vector<size_t> zeros;
      for (size_t row = 0; row < kRows; ++row) {
        const auto begin = values.begin() + static_cast<int64_t>(row * kCols);
        if (std::all_of(begin, begin + kCols, [](float x) { return x == 0; })) zeros.push_back(row);
      }
      ASSERT_EQ(zeros.size(), kRows / 4);
      EXPECT_EQ(zeros[1] - zeros[0], 4u);
      firsts.insert(zeros[0]);
    }
    EXPECT_EQ(firsts.size(), 4u);
  }
}

TEST(GenerateInputs, MakesEachGroupWhatItsNameSays) {
  EXPECT_THAT(Values("negative"), Each(testing::Lt(0)));
  const auto bits = Values("zeros_and_ones");
  EXPECT_THAT(bits, Each(testing::AnyOf(0, 1)));
  EXPECT_NEAR(static_cast<double>(std::count(bits.begin(), bits.end(), 1)), 500, 100);
  const auto constant = Values("constant");
  EXPECT_THAT(constant, Each(constant[0]));
  EXPECT_NE(constant[0], 0);
  const auto ramp = Values("ramp");
  for (size_t i = 1; i < 251; ++i) EXPECT_EQ(ramp[i] - ramp[i - 1], 1.0f / 64);
  const auto outlier = Values("outlier");
  EXPECT_EQ(
      std::count_if(outlier.begin(), outlier.end(), [](float value) { return value == 1e4f; }), 1);
}

TEST(GenerateInputs, PutsEveryOtherRowOfNegativesFarBelowZero) {
  const auto inputs = GenerateInputs(DoubleTask(), CaseOf({{"rows", 4}, {"cols", 9}}, "negative"));
  const std::vector<float> x = FloatsOf(inputs->tensors[0]);
  for (size_t i = 0; i < x.size(); ++i) {
    EXPECT_LT(x[i], 0);
    EXPECT_EQ(x[i] <= -112, (x[i % 18] <= -112)) << i;
  }
  EXPECT_NE(x[0] <= -112, x[9] <= -112);
}

TEST(GenerateInputs, PutsTheOutlierIntoOneInputAndIntoEachInSomeCase) {
  Task task;
  task.axes = {VarAxis("n")};
  task.inputs = {TensorOf("a", {"n"}), TensorOf("b", {"n"})};
  int in_a = 0, in_b = 0;
  Case c = CaseOf({{"n", 50}}, "outlier");
  for (c.seed = 0; c.seed < 40; ++c.seed) {
    const CaseInputs inputs = *GenerateInputs(task, c);
    const auto has = [](const std::vector<float>& values) {
      return std::any_of(values.begin(), values.end(),
                         [](float value) { return std::abs(value) > 100; });
    };
    const bool a = has(FloatsOf(inputs.tensors[0])), b = has(FloatsOf(inputs.tensors[1]));
    EXPECT_NE(a, b);
    in_a += a ? 1 : 0;
    in_b += b ? 1 : 0;
  }
  EXPECT_GT(in_a, 5);
  EXPECT_GT(in_b, 5);
}

TEST(GenerateInputs, HasGroupsThatATaskAdmits) {
  EXPECT_EQ(AllGroups().size(), ValueGroups(DoubleTask()).size() + 3);
  for (const DType dtype : {DType::kFloat64, DType::kFloat32, DType::kFloat16, DType::kBFloat16}) {
    Task task;
    task.axes = {VarAxis("n")};
    task.inputs = {TensorOf("x", {"n"}, dtype)};
    const auto draw = [&](std::string_view group) {
      const Case c = CaseOf({{"n", 2000}}, std::string(group));
      return WidenFloats(dtype, GenerateInputs(task, c)->tensors[0]);
    };
    const auto share = [](const std::vector<double>& values, auto test) {
      return static_cast<double>(std::count_if(values.begin(), values.end(), test)) /
             static_cast<double>(values.size());
    };
    const double normal = SmallestNormal(dtype), largest = LargestFinite(dtype);
    EXPECT_GT(share(draw(kTinyGroup), [&](double v) { return v != 0 && std::fabs(v) < normal; }),
              0.9);
    const std::vector<double> large = draw(kLargestGroup);
    EXPECT_NEAR(share(large, [&](double v) { return v == largest; }), 1.0 / 16, 0.03);
    EXPECT_NEAR(share(large, [&](double v) { return v == -largest; }), 1.0 / 16, 0.03);
    EXPECT_EQ(share(large, [](double v) { return std::isfinite(v); }), 1.0);
    const std::vector<double> odd = draw(kNonfiniteGroup);
    EXPECT_NEAR(share(odd, [](double v) { return std::isnan(v); }), 1.0 / 24, 0.03);
    EXPECT_GT(share(odd, [](double v) { return std::isinf(v) && v > 0; }), 0.01);
    EXPECT_GT(share(odd, [](double v) { return std::isinf(v) && v < 0; }), 0.01);
  }
}

TEST(GenerateInputs, RefusesAnUnknownGroup) {
  const auto made = GenerateInputs(DoubleTask(), CaseOf({{"rows", 1}, {"cols", 1}}, "outlyer"));
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().message, HasSubstr("outlier"));
}

TEST(GenerateInputs, KeepsAHardDomainInEveryGroupAndDtype) {
  for (const DType dtype : {DType::kFloat32, DType::kFloat16, DType::kBFloat16}) {
    for (const std::string& group : AllGroups()) {
      Task task;
      task.axes = {VarAxis("n")};
      task.inputs = {TensorOf("x", {"n"}, dtype)};
      task.inputs[0].range = {-0.1, 0.3};
      const auto values =
          WidenFloats(dtype, GenerateInputs(task, CaseOf({{"n", 2000}}, group))->tensors[0]);
      EXPECT_GE(*std::min_element(values.begin(), values.end()), -0.1) << group;
      EXPECT_LE(*std::max_element(values.begin(), values.end()), 0.3) << group;
    }
  }
}

TEST(GenerateInputs, KeepsPositiveInputsPositive) {
  Tensor tensor = TensorOf("x", {"n"});
  tensor.kind = InputKind::kPositive;
  for (const std::string& group : AllGroups()) {
    EXPECT_THAT(Values(group, tensor), Each(testing::Gt(0))) << group;
  }
}

TEST(GenerateInputs, StaysFiniteInEveryDtypeAndGroup) {
  for (const DType dtype :
       {DType::kFloat16, DType::kBFloat16, DType::kFloat8E4M3, DType::kFloat8E5M2}) {
    for (const std::string& group : AllGroups()) {
      if (group == kNonfiniteGroup) continue;
      Task task;
      task.axes = {VarAxis("n")};
      task.inputs = {TensorOf("x", {"n"}, dtype)};
      const auto inputs = GenerateInputs(task, CaseOf({{"n", 500}}, group));
      for (const double value : WidenFloats(dtype, inputs->tensors[0])) {
        ASSERT_TRUE(std::isfinite(value));
      }
    }
  }
}

TEST(GenerateInputs, DrawsIndicesOfTheirAxis) {
  Tensor tensor = TensorOf("i", {"n"}, DType::kInt64);
  tensor.kind = InputKind::kIndex;
  tensor.index_of = "m";
  const auto values = Integers(tensor, {{"n", 1000}, {"m", 10}});
  EXPECT_THAT(values, Each(testing::AllOf(testing::Ge(0), testing::Lt(10))));
  EXPECT_EQ(std::set<int64_t>(values.begin(), values.end()).size(), 10u);
}

TEST(GenerateInputs, DrawsUniqueIndicesRowByRow) {
  Tensor tensor = TensorOf("i", {"rows", "k"}, DType::kInt32);
  tensor.kind = InputKind::kIndex;
  tensor.index_of = "m";
  tensor.unique = true;
  const auto values = Integers(tensor, {{"rows", 5}, {"k", 7}, {"m", 9}});
  for (size_t row = 0; row < 5; ++row) {
    const std::set<int64_t> chosen(values.begin() + static_cast<long>(row * 7),
                                   values.begin() + static_cast<long>(row * 7 + 7));
    EXPECT_EQ(chosen.size(), 7u);
  }
  Task task;
  task.axes = {VarAxis("rows"), VarAxis("k"), VarAxis("m")};
  task.inputs = {tensor};
  EXPECT_FALSE(GenerateInputs(task, CaseOf({{"rows", 1}, {"k", 9}, {"m", 7}})));
}

TEST(GenerateInputs, DrawsPermutations) {
  Tensor tensor = TensorOf("p", {"n"}, DType::kInt64);
  tensor.kind = InputKind::kPermutation;
  tensor.index_of = "n";
  auto values = Integers(tensor, {{"n", 100}});
  EXPECT_FALSE(std::is_sorted(values.begin(), values.end()));
  std::sort(values.begin(), values.end());
  for (int64_t i = 0; i < 100; ++i) EXPECT_EQ(values[static_cast<size_t>(i)], i);
}

TEST(GenerateInputs, DrawsIndptrsThatEndAtTheirTotal) {
  Tensor tensor = TensorOf("indptr", {"n"}, DType::kInt32);
  tensor.kind = InputKind::kIndptr;
  tensor.indptr_total = "total";
  const auto values = Integers(tensor, {{"n", 9}, {"total", 50}});
  EXPECT_EQ(values.front(), 0);
  EXPECT_EQ(values.back(), 50);
  EXPECT_TRUE(std::is_sorted(values.begin(), values.end()));
}

// What a timed call costs must not depend on the seed, and empty pieces must be met all the same.
TEST(GenerateInputs, CutsEvenlyForOrdinaryValuesAndAnyhowForOthers) {
  constexpr int64_t kPieces = 16, kTotal = 1600;
  Task task = DoubleTask();
  task.axes = {VarAxis("n"), VarAxis("total")};
  task.inputs = {TensorOf("x", {"total"}), TensorOf("indptr", {"n"}, DType::kInt32)};
  task.inputs[1].kind = InputKind::kIndptr;
  task.inputs[1].indptr_total = "total";
  const auto lengths = [&](const std::string& group, uint64_t seed) {
    Case c = CaseOf({{"n", kPieces + 1}, {"total", kTotal}}, group);
    c.seed = seed;
    const auto cuts = WidenIntegers(DType::kInt32, GenerateInputs(task, c)->tensors[1]);
    EXPECT_EQ(cuts.front(), 0);
    EXPECT_EQ(cuts.back(), kTotal);
    std::vector<int64_t> pieces;
    for (size_t i = 1; i < cuts.size(); ++i) pieces.push_back(cuts[i] - cuts[i - 1]);
    return pieces;
  };
  std::set<std::vector<int64_t>> all;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    for (const int64_t length : lengths("original", seed)) {
      EXPECT_GE(length, kTotal / kPieces / 2 - 1);
      EXPECT_LE(length, kTotal / kPieces * 3 / 2 + 1);
    }
    EXPECT_EQ(lengths("original", seed), lengths(std::string(kSwappedGroup), seed));
    const auto other = lengths("ramp", seed);
    EXPECT_GT(*std::max_element(other.begin(), other.end()), kTotal / kPieces * 3 / 2 + 1);
    all.insert(lengths("original", seed));
  }
  EXPECT_EQ(all.size(), 20u);
}

TEST(MakeCall, FollowsThePrototype) {
  Task task = DoubleTask();
  task.inputs.push_back(ScalarOf("eps", DType::kFloat16));
  task.axes.push_back({.name = "width", .is_var = false, .value = 4});
  Case c = CaseOf({{"rows", 3}, {"cols", 33}});
  c.scalars["eps"] = 0.1;
  const CallRequest request = *MakeCall(task, c, *GenerateInputs(task, c));
  ASSERT_EQ(request.arguments.size(), 5u);
  EXPECT_EQ(request.arguments[0].bytes.size(), 3u * 33 * 4);
  EXPECT_EQ(request.arguments[1].real, RoundedTo(DType::kFloat16, 0.1));
  EXPECT_EQ(request.arguments[2].output_bytes, 3u * 33 * 4);
  EXPECT_EQ(request.arguments[3].integer, 3);
  EXPECT_EQ(request.arguments[4].integer, 33);
}

TEST(MakeCall, AllowsMoreInstructionsWhereThereIsMoreToDo) {
  Task task = DoubleTask();
  const auto budget = [&](int64_t rows) {
    const Case c = CaseOf({{"rows", rows}, {"cols", 10}});
    return (*MakeCall(task, c, *GenerateInputs(task, c))).lane_instruction_budget;
  };
  EXPECT_EQ(budget(1000), 2'000'000'000u);  // nothing says how much there is to do
  task.cost_flops = "100*rows*cols";
  EXPECT_EQ(budget(1), 2'001'000'000u);
  EXPECT_EQ(budget(1000), 3'000'000'000u);
  EXPECT_EQ(budget(100'000), 8'000'000'000u);
}

}  // namespace
}  // namespace kw::eval
