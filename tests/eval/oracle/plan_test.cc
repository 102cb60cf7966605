#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "eval/oracle/fake_task.h"
#include "kw/eval/oracle.h"

namespace kw::eval {
namespace {

std::vector<Case> Plan(const Task& task, uint64_t seed, int count) {
  Result<std::vector<Case>> cases = PlanCases(task, seed, count);
  EXPECT_TRUE(cases);
  return cases ? *cases : std::vector<Case>{};
}

std::set<int64_t> SizesOf(const std::vector<Case>& cases, const std::string& axis) {
  std::set<int64_t> sizes;
  for (const Case& c : cases) sizes.insert(c.axes.at(axis));
  return sizes;
}

bool SameCases(const std::vector<Case>& a, const std::vector<Case>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Case& x, const Case& y) {
    return x.id == y.id && x.seed == y.seed && x.axes == y.axes && x.group == y.group &&
           x.scalars == y.scalars;
  });
}

TEST(PlanCases, CoversEverySizeAndEveryGroup) {
  const auto cases = Plan(DoubleTask(), 1, 16);
  ASSERT_EQ(cases.size(), 16u);
  EXPECT_THAT(SizesOf(cases, "rows"), testing::IsSupersetOf({1, 3, 7}));
  EXPECT_THAT(SizesOf(cases, "cols"), testing::IsSupersetOf({1, 31, 32, 33, 100}));
  std::set<std::string> groups;
  for (const Case& c : cases) groups.insert(c.group);
  EXPECT_EQ(groups.size(), ValueGroups(DoubleTask()).size());
  EXPECT_EQ(cases[0].group, "original");
}

// Each pair of listed sizes of two axes that some shape within the caps can have.
TEST(PlanCases, CoversEveryPairOfSizesWhereTheBudgetReaches) {
  Task task = DoubleTask();
  task.axes = {VarAxis("rows", {1, 2, 3, 7}), VarAxis("cols", {1, 31, 32, 33, 100}),
               VarAxis("depth", {1, 4, 5})};
  task.inputs[0].shape = task.outputs[0].shape = {"rows", "cols", "depth"};
  const auto pairs_of = [&](int count) {
    std::set<std::pair<std::string, std::string>> pairs;
    for (const Case& c : Plan(task, 1, count)) {
      const std::string rows = std::to_string(c.axes.at("rows")),
                        cols = std::to_string(c.axes.at("cols")),
                        depth = std::to_string(c.axes.at("depth"));
      if (c.axes.at("rows") > 7 || c.axes.at("cols") > 100) continue;
      pairs.insert({"rows " + rows, "cols " + cols});
      pairs.insert({"rows " + rows, "depth " + depth});
      pairs.insert({"cols " + cols, "depth " + depth});
    }
    std::set<std::pair<std::string, std::string>> listed;
    const auto add = [&](const char* a, const Axis& first, const char* b, const Axis& second) {
      for (const int64_t x : first.sizes) {
        for (const int64_t y : second.sizes) {
          std::pair<std::string, std::string> pair = {a + std::to_string(x), b + std::to_string(y)};
          if (pairs.contains(pair)) listed.insert(std::move(pair));
        }
      }
    };
    add("rows ", task.axes[0], "cols ", task.axes[1]);
    add("rows ", task.axes[0], "depth ", task.axes[2]);
    add("cols ", task.axes[1], "depth ", task.axes[2]);
    return listed.size();
  };
  // No fewer than 20 shapes have the 20 pairs of rows and cols.
  EXPECT_EQ(pairs_of(32), 4 * 5 + 4 * 3 + 5 * 3);
  EXPECT_LT(pairs_of(12), 4 * 5 + 4 * 3 + 5 * 3);
}

TEST(PlanCases, IsAFunctionOfTaskAndSeed) {
  EXPECT_TRUE(SameCases(Plan(DoubleTask(), 1, 16), Plan(DoubleTask(), 1, 16)));
  EXPECT_FALSE(SameCases(Plan(DoubleTask(), 1, 16), Plan(DoubleTask(), 2, 16)));
}

TEST(PlanCases, GivesEveryCaseItsOwnSeedAndName) {
  std::set<uint64_t> seeds;
  std::set<std::string> ids;
  for (const Case& c : Plan(DoubleTask(), 1, 128)) {
    seeds.insert(c.seed);
    ids.insert(c.id);
  }
  EXPECT_EQ(seeds.size(), 128u);
  EXPECT_EQ(ids.size(), 128u);
}

TEST(PlanCases, FallsBackToBoundariesWhereTheTaskNamesNoSizes) {
  Task task = DoubleTask();
  task.axes = {VarAxis("rows"), VarAxis("cols")};
  const auto cases = Plan(task, 1, 32);
  EXPECT_THAT(SizesOf(cases, "cols"), testing::IsSupersetOf({1, 31, 32, 33, 1025}));
}

TEST(PlanCases, KeepsTensorsAndWorkSmall) {
  Task task = DoubleTask();
  task.axes = {VarAxis("rows", {1, 5000}), VarAxis("cols", {1, 5000, 65536})};
  task.cost_flops = "100*rows*cols";
  const auto cases = Plan(task, 3, 32);
  for (const Case& c : cases) {
    EXPECT_LE(c.axes.at("rows") * c.axes.at("cols"), 60'000);
  }
  // The large sizes are still met, each with a small one.
  EXPECT_TRUE(SizesOf(cases, "rows").contains(5000));
  EXPECT_TRUE(SizesOf(cases, "cols").contains(5000));
}

TEST(PlanCases, ObeysConstraints) {
  Task task = DoubleTask();
  task.axes = {VarAxis("rows"), VarAxis("cols")};
  task.constraints = {"cols % 16 == 0", "rows < cols"};
  for (const Case& c : Plan(task, 5, 32)) {
    EXPECT_EQ(c.axes.at("cols") % 16, 0);
    EXPECT_LT(c.axes.at("rows"), c.axes.at("cols"));
  }
}

TEST(PlanCases, SolvesEqualities) {
  Task task = DoubleTask();
  task.axes = {VarAxis("rows", {1, 3, 7}), VarAxis("cols", {2, 6, 14})};
  task.constraints = {"cols == 2 * rows"};
  const auto cases = Plan(task, 5, 16);
  for (const Case& c : cases) EXPECT_EQ(c.axes.at("cols"), 2 * c.axes.at("rows"));
  EXPECT_GE(SizesOf(cases, "rows").size(), 3u);
}

TEST(PlanCases, SaysThatNoShapeSatisfiesTheConstraints) {
  Task task = DoubleTask();
  task.constraints = {"rows > 10 and rows < 5"};
  const auto cases = PlanCases(task, 1, 16);
  ASSERT_FALSE(cases);
  EXPECT_EQ(cases.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(cases.error().message, testing::HasSubstr("rows > 10"));
}

TEST(PlanCases, TakesLargeConstAxesAsTheyAre) {
  Task task = DoubleTask();
  task.axes = {VarAxis("rows", {1, 2}), {.name = "cols", .is_var = false, .value = 200'000}};
  const auto cases = PlanCases(task, 1, 4);
  ASSERT_TRUE(cases);
  EXPECT_EQ(cases->size(), 4u);
}

TEST(PlanCases, WorksForATaskWithoutVarAxes) {
  Task task = DoubleTask();
  task.axes = {{.name = "rows", .value = 4}, {.name = "cols", .value = 5}};
  EXPECT_EQ(PlanCases(task, 1, 16)->size(), 16u);
}

TEST(PlanCases, MeetsSmallWorkloads) {
  Task task = DoubleTask();
  task.workloads = {{.uuid = "a", .axes = {{"rows", 11}, {"cols", 47}}},
                    {.uuid = "b", .axes = {{"rows", 4096}, {"cols", 4096}}}};
  const auto cases = Plan(task, 1, 16);
  EXPECT_TRUE(SizesOf(cases, "cols").contains(47));
  EXPECT_FALSE(SizesOf(cases, "cols").contains(4096));
}

TEST(PlanCases, DrawsScalarsFromTheirValuesOrRange) {
  Task task = DoubleTask();
  task.inputs.push_back(ScalarOf("eps"));
  task.inputs[1].values = {0.25, 0.5};
  task.inputs.push_back(ScalarOf("window", DType::kInt32));
  task.inputs[2].range = {3, 5};
  std::set<double> eps, window;
  for (const Case& c : Plan(task, 1, 64)) {
    eps.insert(c.scalars.at("eps"));
    window.insert(c.scalars.at("window"));
  }
  EXPECT_EQ(eps, (std::set<double>{0.25, 0.5}));
  EXPECT_EQ(window, (std::set<double>{3, 4, 5}));
}

TEST(PlanCases, UsesOneGroupWhereGroupsMeanNothing) {
  Task task = DoubleTask();
  task.inputs = {TensorOf("x", {"rows", "cols"}, DType::kInt32)};
  for (const Case& c : Plan(task, 1, 16)) EXPECT_EQ(c.group, "original");
}

TEST(WorkloadCase, TakesTheWorkloadsScalarsAndFreshInputs) {
  Task task = DoubleTask();
  task.inputs.push_back(ScalarOf("eps"));
  const Workload workload{
      .uuid = "0123456789", .axes = {{"rows", 2}, {"cols", 3}}, .scalars = {{"eps", 0.125}}};
  const Case c = WorkloadCase(task, workload, 1);
  EXPECT_EQ(c.scalars.at("eps"), 0.125);
  EXPECT_EQ(c.axes, workload.axes);
  EXPECT_NE(c.seed, WorkloadCase(task, workload, 2).seed);
}

TEST(FuzzSeed, DependsOnRunAndTask) {
  Task other = DoubleTask();
  other.hash = "another";
  EXPECT_NE(FuzzSeed(1, DoubleTask()), FuzzSeed(2, DoubleTask()));
  EXPECT_NE(FuzzSeed(1, DoubleTask()), FuzzSeed(1, other));
}

}  // namespace
}  // namespace kw::eval
