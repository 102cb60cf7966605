#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "eval/oracle/fake_task.h"
#include "kw/eval/oracle.h"

namespace kw::eval {
namespace {

using testing::HasSubstr;
using testing::Not;

class RunOracleTest : public testing::Test {
 protected:
  OracleReport Run() {
    const auto report = RunOracle(task_, *PlanCases(task_, 1, 16), session_, reference_, options_);
    EXPECT_TRUE(report) << (report ? "" : report.error().ToString());
    return report ? *report : OracleReport{};
  }
  void ChangeOutput(std::function<void(std::vector<float>&, const CallRequest&)> change) {
    session_.fault = [change](CallOutcome& outcome, const CallRequest& request) {
      std::vector<float> values = FloatsOf(outcome.outputs[0]);
      change(values, request);
      outcome.outputs[0] = BytesOf(values);
    };
  }

  Task task_ = DoubleTask();
  FakeSession session_;
  FakeReference reference_;
  OracleOptions options_;
};

TEST_F(RunOracleTest, PassesARightKernel) {
  const OracleReport report = Run();
  EXPECT_TRUE(report.ok) << report.feedback;
  EXPECT_EQ(report.status, Status::kPassed);
  EXPECT_EQ(report.hazards, "none");
  EXPECT_TRUE(report.bitwise);
  EXPECT_EQ(report.cases.size(), 16u);
  EXPECT_FALSE(report.failing);
}

TEST_F(RunOracleTest, RunsEachCaseTwiceInOtherPlaces) {
  Run();
  std::vector<CallRequest> fresh;
  for (const CallRequest& request : session_.requests) {
    if (!request.reuse_buffers) fresh.push_back(request);
  }
  ASSERT_EQ(fresh.size(), 32u);
  for (size_t i = 0; i < 32; i += 2) {
    EXPECT_NE(fresh[i].seed, fresh[i + 1].seed);
    EXPECT_EQ(fresh[i].arguments[0].bytes, fresh[i + 1].arguments[0].bytes);
  }
}

TEST_F(RunOracleTest, RunsOrdinaryCasesOnceMoreOnAlmostTheSameInputsInTheSameBuffers) {
  Run();
  size_t again = 0;
  for (size_t i = 1; i < session_.requests.size(); ++i) {
    if (!session_.requests[i].reuse_buffers) continue;
    ++again;
    const std::string& before = session_.requests[i - 1].arguments[0].bytes;
    const std::string& now = session_.requests[i].arguments[0].bytes;
    ASSERT_EQ(before.size(), now.size());
    EXPECT_NE(before, now);
    size_t differing = 0;
    for (size_t at = 0; at < now.size(); at += 4) {
      differing += before.compare(at, 4, now, at, 4) == 0 ? 0 : 1;
    }
    EXPECT_LE(differing, 16u);
  }
  EXPECT_GE(again, 2u);
}

TEST_F(RunOracleTest, SeesAKernelThatRecognisesItsInputsByASample) {
  std::map<std::string, std::string> known;  // by size and first element
  session_.fault = [&](CallOutcome& outcome, const CallRequest& request) {
    const std::string& bytes = request.arguments[0].bytes;
    const std::string key = std::to_string(bytes.size()) + bytes.substr(0, 4);
    outcome.outputs[0] = known.emplace(key, outcome.outputs[0]).first->second;
  };
  const OracleReport report = Run();
  EXPECT_FALSE(report.ok);
  EXPECT_EQ(report.reason, "numerical");
  ASSERT_TRUE(report.failing);
  EXPECT_EQ(report.failing->group, kSwappedGroup);
  EXPECT_EQ(report.cases.back().c.id, report.failing->id);
  EXPECT_EQ(report.failing_inputs_hash, GenerateInputs(task_, *report.failing)->hash);
  EXPECT_THAT(report.feedback, HasSubstr("compute the result anew in every call"));
}

TEST_F(RunOracleTest, StopsAtTheFirstWrongCaseAndSaysWhatIsWrong) {
  ChangeOutput([](std::vector<float>& values, const CallRequest& request) {
    const int64_t cols = request.arguments.back().integer;
    if (cols % 32 == 0) return;
    for (size_t i = 0; i < values.size(); ++i) {
      const auto col = static_cast<int64_t>(i) % cols;
      if (col >= cols / 32 * 32) values[i] = -777;
    }
  });
  const OracleReport report = Run();
  EXPECT_FALSE(report.ok);
  EXPECT_EQ(report.status, Status::kIncorrectNumerical);
  EXPECT_EQ(report.reason, "numerical");
  ASSERT_TRUE(report.failing);
  EXPECT_FALSE(report.cases.back().ok);
  EXPECT_EQ(report.cases.back().c.id, report.failing->id);
  EXPECT_EQ(report.failing_inputs_hash, GenerateInputs(task_, *report.failing)->hash);
  EXPECT_GT(report.comparison.errors.bad, 0);
  EXPECT_THAT(report.feedback, HasSubstr("Wrong result in case " + report.failing->id));
  EXPECT_THAT(report.feedback, HasSubstr("First wrong: y["));
  EXPECT_THAT(report.feedback, HasSubstr("-777"));
}

TEST_F(RunOracleTest, NotesBitsThatDifferAndJudgesThemOnlyWhereTheTaskDoes) {
  ChangeOutput([calls = 0](std::vector<float>& values, const CallRequest&) mutable {
    if (++calls % 2 == 0) values[0] *= 1.0000002f;
  });
  const OracleReport noted = Run();
  EXPECT_TRUE(noted.ok) << noted.feedback;
  EXPECT_FALSE(noted.bitwise);
  task_.bitwise = true;
  const OracleReport failed = Run();
  EXPECT_FALSE(failed.ok);
  EXPECT_EQ(failed.reason, "not_deterministic");
}

TEST_F(RunOracleTest, SaysWhenOnlyTheSecondRunIsWrong) {
  ChangeOutput([calls = 0](std::vector<float>& values, const CallRequest&) mutable {
    if (++calls == 2) values[0] += 1;
  });
  const OracleReport report = Run();
  EXPECT_EQ(report.reason, "numerical");
  EXPECT_THAT(report.feedback, HasSubstr("The first of two runs"));
}

TEST_F(RunOracleTest, FailsAnOutputThatWasNeverWritten) {
  session_.fault = [](CallOutcome& outcome, const CallRequest&) {
    outcome.output_written = {false};
    outcome.message = "work on the default stream had not run";
  };
  const OracleReport report = Run();
  EXPECT_EQ(report.status, Status::kIncorrectNumerical);
  EXPECT_EQ(report.reason, "output_not_written");
  EXPECT_THAT(report.feedback, HasSubstr("'y'"));
  EXPECT_THAT(report.feedback, HasSubstr("default stream"));
}

TEST_F(RunOracleTest, HoldsNoIllConditionedElementAgainstAKernel) {
  ChangeOutput([](std::vector<float>& values, const CallRequest&) { values[0] += 0.01f; });
  EXPECT_FALSE(Run().ok);
  reference_.sensitivity = 0.002;
  EXPECT_TRUE(Run().ok);
  reference_.sensitivity = 0.001;
  EXPECT_FALSE(Run().ok);
}

TEST_F(RunOracleTest, RejectsAHazardEvenWhenTheNumbersAreRight) {
  session_.fault = [](CallOutcome& outcome, const CallRequest&) {
    outcome.hazards.push_back({.kind = "shared_race", .text = "tile is read before the barrier"});
  };
  const OracleReport report = Run();
  EXPECT_EQ(report.status, Status::kRejected);
  EXPECT_EQ(report.reason, "shared_race");
  EXPECT_EQ(report.hazards, "found");
  EXPECT_THAT(report.feedback, Not(HasSubstr("result is wrong")));
}

TEST_F(RunOracleTest, NamesTheHazardFirstWhenTheNumbersAreWrongToo) {
  session_.fault = [](CallOutcome& outcome, const CallRequest&) {
    outcome.hazards.push_back({.kind = "shared_race", .text = "tile is read before the barrier"});
    outcome.outputs[0].assign(outcome.outputs[0].size(), '\0');
  };
  const OracleReport report = Run();
  EXPECT_EQ(report.reason, "shared_race");
  EXPECT_LT(report.feedback.find("tile is read"), report.feedback.find("result is wrong"));
  EXPECT_GT(report.comparison.errors.bad, 0);
}

TEST_F(RunOracleTest, DoesNotAskTheReferenceAfterAFault) {
  session_.fault = [](CallOutcome& outcome, const CallRequest&) {
    outcome.status = CallOutcome::Status::kDeviceFault;
    outcome.outputs.clear();
    outcome.output_written.clear();
    outcome.hazards.push_back({.kind = "misaligned", .text = "float4 at an odd address"});
  };
  const OracleReport report = Run();
  EXPECT_EQ(report.reason, "misaligned");
  EXPECT_EQ(reference_.evaluations, 0);
  EXPECT_EQ(session_.requests.size(), 1u);
}

TEST_F(RunOracleTest, ShowsWhatTheKernelPrintedWhenItFails) {
  session_.fault = [](CallOutcome& outcome, const CallRequest&) {
    outcome.printed = "sum = -1\n";
    outcome.outputs[0].assign(outcome.outputs[0].size(), '\x55');
  };
  EXPECT_THAT(Run().feedback, HasSubstr("The kernel printed: sum = -1"));
}

TEST_F(RunOracleTest, HandsOnAFaultOfTheTaskFolder) {
  reference_.error = Error{ErrorCode::kInvalid, "reference.cpp: it crashed", ""};
  const auto report = RunOracle(task_, *PlanCases(task_, 1, 4), session_, reference_, options_);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::kInvalid);
}

TEST_F(RunOracleTest, StopsWhenCancelled) {
  int asked = 0;
  options_.cancelled = [&] { return ++asked > 3; };
  const auto report = RunOracle(task_, *PlanCases(task_, 1, 16), session_, reference_, options_);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::kCancelled);
  EXPECT_EQ(session_.requests.size(), 7u) << "three cases twice, the first one swapped too";
}

TEST_F(RunOracleTest, GivesTheSameReportTwice) {
  ChangeOutput([](std::vector<float>& values, const CallRequest&) { values.back() += 3; });
  const OracleReport first = Run();
  const OracleReport second = Run();
  EXPECT_EQ(first.feedback, second.feedback);
  EXPECT_EQ(first.failing_inputs_hash, second.failing_inputs_hash);
}

}  // namespace
}  // namespace kw::eval
