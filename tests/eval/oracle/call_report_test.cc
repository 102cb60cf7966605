#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "eval/oracle/fake_task.h"
#include "kw/eval/oracle.h"

namespace kw::eval {
namespace {

using testing::HasSubstr;
using CallStatus = CallOutcome::Status;

Hazard HazardOf(std::string kind, std::string text, int line = 0) {
  Hazard hazard;
  hazard.kind = std::move(kind);
  hazard.file = "/somewhere/kernel.cu";
  hazard.line = line;
  hazard.text = std::move(text);
  return hazard;
}

OracleReport Report(CallStatus status, std::vector<Hazard> hazards = {}, std::string message = "") {
  CallOutcome outcome;
  outcome.status = status;
  outcome.hazards = std::move(hazards);
  outcome.message = std::move(message);
  const auto report = ReportOfCall(outcome, CaseOf({{"n", 33}}));
  EXPECT_TRUE(report);
  return report.value_or(OracleReport{});
}

TEST(ReportOfCall, IsNothingForACallThatIsWell) {
  EXPECT_FALSE(ReportOfCall(CallOutcome{}, CaseOf({{"n", 1}})));
}

TEST(ReportOfCall, MapsEveryStatus) {
  const auto expect = [](CallStatus status, Status verdict, std::string_view reason) {
    const OracleReport report = Report(status, {}, "what happened");
    EXPECT_EQ(report.status, verdict) << reason;
    EXPECT_EQ(report.reason, reason);
    EXPECT_FALSE(report.ok);
    EXPECT_THAT(report.feedback, HasSubstr("what happened"));
    EXPECT_THAT(report.feedback, HasSubstr("c03 (n=33"));
    EXPECT_EQ(report.hazards, "unchecked");
    EXPECT_EQ(report.environmental, status == CallStatus::kWallLimit);
    EXPECT_TRUE(report.failing);
  };
  expect(CallStatus::kGuestCrashed, Status::kRuntimeError, "host_crash");
  expect(CallStatus::kGuestExited, Status::kRuntimeError, "host_exit");
  expect(CallStatus::kHostLimit, Status::kTimeout, "host_cpu");
  expect(CallStatus::kHostMemory, Status::kRuntimeError, "host_memory");
  expect(CallStatus::kDeviceMemory, Status::kRuntimeError, "device_memory");
  expect(CallStatus::kDeviceLimit, Status::kTimeout, "instruction_budget");
  expect(CallStatus::kDeviceFault, Status::kRuntimeError, "device_fault");
  expect(CallStatus::kLaunchFailed, Status::kRuntimeError, "launch_failed");
  expect(CallStatus::kUnsupported, Status::kUnsupported, "unsupported");
  expect(CallStatus::kProtocol, Status::kRejected, "protocol");
  expect(CallStatus::kWallLimit, Status::kTimeout, "wall_limit");
}

TEST(ReportOfCall, NamesTheFaultThatEndedTheContext) {
  const OracleReport report =
      Report(CallStatus::kDeviceFault,
             {HazardOf("shared_race", "a race on tile"),
              HazardOf("out_of_bounds", "read 1 element past the end of x", 12)});
  EXPECT_EQ(report.status, Status::kRuntimeError);
  EXPECT_EQ(report.reason, "out_of_bounds");
  EXPECT_EQ(report.hazards, "found");
  EXPECT_THAT(report.feedback, HasSubstr("kernel.cu:12: read 1 element past the end of x"));
  EXPECT_LT(report.feedback.find("past the end"), report.feedback.find("a race on tile"));
}

TEST(ReportOfCall, SaysTheSameThingOnce) {
  const OracleReport report =
      Report(CallStatus::kDeviceFault, {HazardOf("out_of_bounds", "reads past the end of x")},
             "cudaErrorIllegalAddress: out_of_bounds: reads past the end of x");
  EXPECT_EQ(report.feedback.find("past the end"), report.feedback.rfind("past the end"));
}

TEST(ReportOfCall, RejectsWhatHardwareRunsPastInSilence) {
  for (const char* kind : {"shared_race", "uninitialised", "barrier_divergence", "input_written",
                           "shuffle_mask", "some_new_kind"}) {
    const OracleReport report = Report(CallStatus::kOk, {HazardOf(kind, "text")});
    EXPECT_EQ(report.status, Status::kRejected) << kind;
    EXPECT_EQ(report.reason, kind);
  }
}

TEST(ReportOfCall, TakesAnOutOfBoundsAccessForAFaultHoweverTheCallEnded) {
  const OracleReport report = Report(CallStatus::kOk, {HazardOf("out_of_bounds", "text")});
  EXPECT_EQ(report.status, Status::kRuntimeError);
  EXPECT_EQ(report.reason, "out_of_bounds");
}

TEST(ReportOfCall, RejectsAResultFromTheHost) {
  CallOutcome outcome;
  outcome.result_from_host = true;
  const auto report = ReportOfCall(outcome, CaseOf({{"n", 33}}));
  ASSERT_TRUE(report);
  EXPECT_EQ(report->status, Status::kRejected);
  EXPECT_EQ(report->reason, "host_result");
}

TEST(ReportOfCall, ShowsAFewHazardsAndCountsTheRest) {
  std::vector<Hazard> hazards;
  for (int i = 0; i < 10; ++i) {
    hazards.push_back(HazardOf("shared_race", "race number " + std::to_string(i)));
  }
  hazards.push_back(hazards[0]);
  const OracleReport report = Report(CallStatus::kOk, hazards);
  EXPECT_THAT(report.feedback, HasSubstr("race number 2"));
  EXPECT_THAT(report.feedback, testing::Not(HasSubstr("race number 3")));
  EXPECT_THAT(report.feedback, HasSubstr("... and 7 more"));
}

}  // namespace
}  // namespace kw::eval
