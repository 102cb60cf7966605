// From measured errors to a tolerance: the arithmetic, with a reference that is off by what a test
// says.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "eval/oracle/fake_task.h"
#include "kw/eval/calibration.h"
#include "src/eval/oracle/calibrate_source.h"

namespace kw::eval {
namespace {

using testing::HasSubstr;

// DoubleTask's reference, which members compute with an error of `error(case, member)` in units of
// 1 + |value|.
class ErringReference : public FakeReference {
 public:
  Result<Expected> EvaluateOn(const Task& task, const Case& c, const CaseInputs& inputs) override {
    KW_ASSIGN(Expected expected, FakeReference::EvaluateOn(task, c, inputs));
    const auto variant = c.axes.find(kVariantAxis);
    if (variant == c.axes.end()) return expected;
    const auto member = static_cast<size_t>(variant->second) - 1;
    for (double& value : expected.floats[0]) {
      value += error(c, member) * (1 + std::fabs(value));
    }
    if (change) change(c, member, expected);
    expected.floats.emplace_back();
    expected.integers.push_back({overflows});
    return expected;
  }

  std::function<double(const Case&, size_t)> error = [](const Case&, size_t) { return 0; };
  std::function<void(const Case&, size_t, Expected&)> change;
  int64_t overflows = 0;
};

std::vector<Case> TwentyCases() {
  std::vector<Case> cases;
  for (int i = 0; i < 20; ++i) {
    cases.push_back(CaseOf({{"rows", 7}, {"cols", 100}}));
    cases.back().id = "c" + std::to_string(i);
    cases.back().seed = static_cast<uint64_t>(100 + i);
  }
  return cases;
}

int NumberOf(const Case& c) { return std::stoi(c.id.substr(1)); }

class Calibrating : public testing::Test {
 protected:
  ToleranceProposal Propose() {
    const auto calibration = Calibrate(task_, TwentyCases(), reference_, MembersOf(task_, {}));
    EXPECT_TRUE(calibration) << calibration.error().ToString();
    calibration_ = calibration.value_or(Calibration{});
    EXPECT_EQ(calibration_.proposals.size(), 1u);
    return calibration_.proposals.at(0);
  }

  Task task_ = DoubleTask();
  ErringReference reference_;
  Calibration calibration_;
};

TEST(Percentile, IsTheSmallestValueThatTheShareDoesNotExceed) {
  std::vector<double> values;
  for (int i = 20; i >= 1; --i) values.push_back(i);
  EXPECT_EQ(Percentile(values, 0.95), 19);
  EXPECT_EQ(Percentile(values, 1), 20);
  EXPECT_EQ(Percentile(values, 0.5), 10);
  EXPECT_EQ(Percentile({7}, 0.95), 7);
  EXPECT_EQ(Percentile({}, 0.95), 0);
}

TEST_F(Calibrating, ProposesTwiceTheLargestErrorOfTheWorstMember) {
  // The second member is the worst one: 1e-5, 2e-5, ... 2e-4.
  reference_.error = [](const Case& c, size_t member) {
    return (NumberOf(c) + 1) * (member == 1 ? 1e-5 : 1e-6);
  };
  const ToleranceProposal proposal = Propose();
  EXPECT_EQ(proposal.unit, 1);
  EXPECT_NEAR(proposal.p95, 19e-5, 1e-6);
  EXPECT_NEAR(proposal.worst, 20e-5, 1e-6);
  EXPECT_EQ(proposal.worst_case, "c19");
  EXPECT_EQ(proposal.worst_member, "seq+fma");
  EXPECT_TRUE(proposal.raised);
  EXPECT_FALSE(proposal.floored);
  EXPECT_NEAR(proposal.proposed.relative, 4e-4, 1.1e-5);
  EXPECT_EQ(proposal.proposed.absolute, proposal.proposed.relative);
  EXPECT_NEAR(proposal.now_used, 200, 2);  // of 1e-6 + 1e-6 |ref|
  ASSERT_EQ(proposal.cases.size(), 20u);
  EXPECT_NEAR(proposal.cases[9].largest[0], 10e-6, 2e-7);
  EXPECT_NEAR(proposal.cases[9].largest[1], 10e-5, 2e-7);
  EXPECT_EQ(ToleranceText(calibration_),
            "[tolerance]\nfloat32 = 0.00041\n\n[tolerance.relative]\nfloat32 = 0.00041\n");
}

TEST_F(Calibrating, CoversACaseBeyondThat) {
  reference_.error = [](const Case& c, size_t) { return NumberOf(c) == 4 ? 1e-2 : 1e-5; };
  const ToleranceProposal proposal = Propose();
  EXPECT_NEAR(proposal.p95, 1e-5, 1e-6);
  EXPECT_TRUE(proposal.raised);
  EXPECT_EQ(proposal.worst_case, "c4");
  EXPECT_NEAR(proposal.proposed.relative, 2e-2, 2e-3);
}

TEST_F(Calibrating, LeavesOutElementsThatAreIllConditioned) {
  reference_.error = [](const Case& c, size_t) { return NumberOf(c) == 4 ? 1e-2 : 1e-5; };
  reference_.sensitivity = 1e-1;
  const ToleranceProposal proposal = Propose();
  EXPECT_FALSE(proposal.raised);
  EXPECT_NEAR(proposal.proposed.relative, 1.5e-5, 2e-6);
  EXPECT_LT(proposal.worst, 2e-5);
}

TEST_F(Calibrating, CountsAtLeastAUnitInTheLastPlace) {
  reference_.error = [](const Case&, size_t) { return 4e-8; };
  const ToleranceProposal proposal = Propose();
  EXPECT_TRUE(proposal.floored);
  EXPECT_EQ(proposal.proposed.relative, 1.8e-7);
  EXPECT_LT(proposal.now_used, 0.1);
}

TEST_F(Calibrating, ListsWhatAMemberCannotHold) {
  reference_.error = [](const Case&, size_t) { return 1e-5; };
  reference_.change = [](const Case& c, size_t member, Expected& expected) {
    if (NumberOf(c) == 3 && member == 2) {
      expected.floats[0][5] = std::numeric_limits<double>::infinity();
    }
  };
  const ToleranceProposal proposal = Propose();
  ASSERT_EQ(calibration_.unheld.size(), 1u);
  EXPECT_EQ(calibration_.unheld[0].c.id, "c3");
  EXPECT_EQ(calibration_.unheld[0].member, "pair");
  EXPECT_THAT(calibration_.unheld[0].what, HasSubstr("1 of 700 elements differ, the first is inf"));
  EXPECT_NEAR(proposal.worst, 1e-5, 1e-6);
}

TEST_F(Calibrating, LeavesOutAMemberWhoseResultsOverflowOnTheWay) {
  reference_.overflows = 9;
  reference_.error = [](const Case& c, size_t member) {
    return NumberOf(c) == 3 && member == 2 ? 0.9 : 1e-5;
  };
  const ToleranceProposal proposal = Propose();
  ASSERT_EQ(calibration_.unheld.size(), 1u);
  EXPECT_THAT(calibration_.unheld[0].what, HasSubstr("overflow (9 of them)"));
  EXPECT_TRUE(std::isnan(proposal.cases[3].largest[2]));
  EXPECT_NEAR(proposal.worst, 1e-5, 1e-6);
  EXPECT_LT(proposal.proposed.relative, 3e-5);
}

TEST_F(Calibrating, OnlyLooksAtHalfArithmeticUnlessTheTaskAllowsIt) {
  EXPECT_EQ(MembersOf(task_, {}).back().name, "fast");
  task_.inputs[0].dtype = DType::kBFloat16;
  ASSERT_EQ(MembersOf(task_, {}).back().name, "half");
  EXPECT_EQ(MembersOf(task_, {}).back().narrow, DType::kBFloat16);
  EXPECT_FALSE(MembersOf(task_, {}).back().counts);
  task_.half_accumulators = true;
  EXPECT_TRUE(MembersOf(task_, {}).back().counts);
}

TEST_F(Calibrating, TakesFactorsOf16BitInputsAsTensorCoresDo) {
  task_.inputs[0].dtype = DType::kFloat16;
  const std::vector<CalibrationMember> members = MembersOf(task_, {});
  const CalibrationMember& mma = members[members.size() - 2];
  ASSERT_EQ(mma.name, "mma");
  EXPECT_TRUE(mma.counts && mma.narrow_factors);
  EXPECT_EQ(mma.narrow, DType::kFloat16);
}

TEST_F(Calibrating, ProposesNothingBeyondTheRuleWhereNoImplementationErrs) {
  reference_.error = [](const Case&, size_t) { return 0; };
  const ToleranceProposal proposal = Propose();
  EXPECT_TRUE(proposal.exact);
  EXPECT_LT(proposal.proposed.relative, 0x1p-24);
}

TEST(ExpectedDigest, ForgetsWhatIsBelowSixDigits) {
  FakeReference reference;
  const std::vector<Case> cases = TwentyCases();
  const std::string digest = *ExpectedDigest(DoubleTask(), cases, reference);
  class Off : public FakeReference {
   public:
    explicit Off(double factor) : factor_(factor) {}
    Result<Expected> EvaluateOn(const Task& t, const Case& c, const CaseInputs& i) override {
      KW_ASSIGN(Expected expected, FakeReference::EvaluateOn(t, c, i));
      expected.floats[0][3] *= factor_;
      return expected;
    }
    double factor_;
  };
  Off slightly(1 + 1e-14), clearly(1 + 1e-4);
  EXPECT_EQ(*ExpectedDigest(DoubleTask(), cases, slightly), digest);
  EXPECT_NE(*ExpectedDigest(DoubleTask(), cases, clearly), digest);
}

}  // namespace
}  // namespace kw::eval
