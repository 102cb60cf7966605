#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "eval/oracle/fake_task.h"
#include "kw/eval/oracle.h"

namespace kw::eval {
namespace {

using testing::HasSubstr;
using testing::Not;

// Fails as `fails` says, by as much as `worst` says.
class ShrinkTest : public testing::Test {
 protected:
  OracleReport ReportOf(const Case& c) {
    OracleReport report;
    report.ok = !fails_(c);
    report.cases = {{c, report.ok}};
    if (report.ok) return report;
    report.status = Status::kIncorrectNumerical;
    report.reason = reason_(c);
    report.failing = c;
    report.comparison.ok = false;
    report.comparison.worst = worst_(c);
    report.feedback = "wrong in case " + c.id;
    return report;
  }
  OracleReport Shrink(const std::map<std::string, int64_t>& axes,
                      const std::string& group = "original") {
    Case c;
    c.id = "c03";
    c.seed = 77;
    c.axes = axes;
    c.group = group;
    OracleReport seen = ReportOf(c);
    seen.comparison.pattern = "only the tail is wrong";
    seen.comparison.advice = "look at the tail";
    seen.cases.insert(seen.cases.begin(), 3, {Case{}, true});
    auto shrunk = ShrinkFailure(task_, seen, [&](const Case& tried) -> Result<OracleReport> {
      ++runs_;
      EXPECT_EQ(tried.seed, 77u);
      EXPECT_TRUE(*SatisfiesConstraints(task_, *task_.AllAxes(tried.axes)));
      return ReportOf(tried);
    });
    EXPECT_TRUE(shrunk) << (shrunk ? "" : shrunk.error().ToString());
    return shrunk ? *shrunk : OracleReport{};
  }
  using Sizes = std::map<std::string, int64_t>;
  static Case OrdinaryCase(const Sizes& axes) {
    Case c;
    c.id = "c00";
    c.axes = axes;
    c.group = "original";
    return c;
  }

  Task task_ = DoubleTask();
  std::function<bool(const Case&)> fails_;
  std::function<std::string(const Case&)> reason_ = [](const Case&) { return "numerical"; };
  std::function<double(const Case&)> worst_ = [](const Case&) { return 1e6; };
  int runs_ = 0;
};

TEST_F(ShrinkTest, FindsTheSmallestSizesThatFail) {
  fails_ = [](const Case& c) { return c.axes.at("cols") > 32 && c.axes.at("rows") >= 3; };
  const OracleReport shrunk = Shrink({{"rows", 97}, {"cols", 1000}});
  ASSERT_TRUE(shrunk.failing);
  EXPECT_EQ(shrunk.failing->axes, (Sizes{{"rows", 3}, {"cols", 33}}));
  EXPECT_EQ(shrunk.failing->id, "c03-small");
  EXPECT_EQ(shrunk.cases.size(), 4u);  // as seen
  EXPECT_LE(runs_, 40);
}

TEST_F(ShrinkTest, TellsWhereItWasSeenFirstAndWhatThatShowed) {
  fails_ = [](const Case& c) { return c.axes.at("cols") > 32; };
  const OracleReport shrunk = Shrink({{"rows", 97}, {"cols", 1000}});
  EXPECT_THAT(shrunk.feedback, HasSubstr("wrong in case c03-small"));
  EXPECT_THAT(shrunk.feedback, HasSubstr("First seen in case c03 (cols=1000, rows=97;"));
  EXPECT_THAT(shrunk.feedback, HasSubstr("only the tail is wrong"));
  EXPECT_THAT(shrunk.feedback, HasSubstr("Usually: look at the tail."));
  EXPECT_THAT(shrunk.feedback, HasSubstr("3 cases passed before this one."));
}

TEST_F(ShrinkTest, KeepsValuesThatMatterAndTakesOrdinaryOnesWhereTheyDoNot) {
  fails_ = [](const Case&) { return true; };
  EXPECT_EQ(Shrink({{"rows", 7}, {"cols", 9}}, "negative").failing->group, "original");
  fails_ = [](const Case& c) { return c.group == "negative"; };
  const OracleReport shrunk = Shrink({{"rows", 7}, {"cols", 9}}, "negative");
  EXPECT_EQ(shrunk.failing->group, "negative");
  EXPECT_EQ(shrunk.failing->axes, (Sizes{{"rows", 1}, {"cols", 1}}));
}

TEST_F(ShrinkTest, ObeysConstraints) {
  task_.constraints = {"cols % 8 == 0", "rows == cols // 8"};
  fails_ = [](const Case& c) { return c.axes.at("cols") > 100; };
  const OracleReport shrunk = Shrink({{"rows", 128}, {"cols", 1024}});
  EXPECT_EQ(shrunk.failing->axes, (Sizes{{"rows", 13}, {"cols", 104}}));
}

TEST_F(ShrinkTest, LeavesAFailureThatTheCaseAloneDoesNotShow) {
  bool first = true;
  fails_ = [&](const Case&) { return std::exchange(first, false); };
  const OracleReport same = Shrink({{"rows", 97}, {"cols", 1000}});
  EXPECT_EQ(same.failing->id, "c03");
  EXPECT_EQ(same.feedback, "wrong in case c03");
  EXPECT_EQ(runs_, 1);
}

TEST_F(ShrinkTest, TakesNoOtherFaultForTheSame) {
  fails_ = [](const Case&) { return true; };
  reason_ = [](const Case& c) { return c.axes.at("cols") < 40 ? "shared_race" : "numerical"; };
  EXPECT_EQ(Shrink({{"rows", 1}, {"cols", 1000}}).failing->axes.at("cols"), 40);
}

TEST_F(ShrinkTest, TakesNoErrorThatIsHardlyOne) {
  fails_ = [](const Case&) { return true; };
  worst_ = [](const Case& c) { return 1 + 0.01 * static_cast<double>(c.axes.at("cols")); };
  // Seen: 11 times what is allowed; half of that is the least.
  EXPECT_EQ(Shrink({{"rows", 1}, {"cols", 1000}}).failing->axes.at("cols"), 450);
}

TEST_F(ShrinkTest, LeavesWhatIsNotOfOneCase) {
  fails_ = [](const Case&) { return true; };
  Case c = OrdinaryCase({{"rows", 9}, {"cols", 9}});
  c.calls_before = 50;
  const auto run = [&](const Case&) -> Result<OracleReport> {
    ++runs_;
    return OracleReport{};
  };
  EXPECT_EQ(ShrinkFailure(task_, ReportOf(c), run)->failing->axes, c.axes);
  c.calls_before = 0;
  OracleReport timeout = ReportOf(c);
  timeout.status = Status::kTimeout;
  EXPECT_EQ(ShrinkFailure(task_, timeout, run)->failing->axes, c.axes);
  EXPECT_EQ(runs_, 0);
}

TEST_F(ShrinkTest, ShowsWhatWasSeenWhereTheMachineWasTooBusy) {
  fails_ = [](const Case&) { return true; };
  const Case c = OrdinaryCase({{"rows", 500}, {"cols", 500}});
  const auto shrunk = ShrinkFailure(task_, ReportOf(c), [&](const Case& tried) {
    OracleReport report = ReportOf(tried);
    report.environmental = ++runs_ == 2;
    return Result<OracleReport>(report);
  });
  EXPECT_EQ(runs_, 2);
  EXPECT_EQ(shrunk->failing->axes, c.axes);
  EXPECT_EQ(shrunk->failing->id, c.id);
}

// A failure at a timed shape comes with no cases before it.
TEST_F(ShrinkTest, TellsOfNoCasesWhereNoneCameBefore) {
  fails_ = [](const Case&) { return true; };
  OracleReport seen = ReportOf(OrdinaryCase({{"rows", 9}, {"cols", 9}}));
  seen.cases.clear();
  const auto shrunk = ShrinkFailure(
      task_, seen, [&](const Case& tried) { return Result<OracleReport>(ReportOf(tried)); });
  EXPECT_EQ(shrunk->failing->id, "c00-small");
  EXPECT_EQ(shrunk->feedback.find("passed before"), std::string::npos) << shrunk->feedback;
}

TEST_F(ShrinkTest, EndsWithARunThatTimesOut) {
  fails_ = [](const Case&) { return true; };
  const Case c = OrdinaryCase({{"rows", 500}, {"cols", 500}});
  const auto shrunk = ShrinkFailure(task_, ReportOf(c), [&](const Case& tried) {
    OracleReport report = ReportOf(tried);
    if (++runs_ == 3) report.status = Status::kTimeout;
    return Result<OracleReport>(report);
  });
  ASSERT_TRUE(shrunk);
  EXPECT_EQ(runs_, 3);
  EXPECT_EQ(shrunk->failing->axes, (Sizes{{"rows", 500}, {"cols", 1}}));
}

}  // namespace
}  // namespace kw::eval
