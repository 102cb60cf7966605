#include "src/eval/check/findings.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace kw::eval {
namespace {

using Status = CheckReport::Status;
using Ended = CallOutcome::Status;

Hazard HazardAt(int line) {
  Hazard hazard;
  hazard.kind = "out_of_bounds";
  hazard.kernel = "k(float*)";
  hazard.file = "kernel.cu";
  hazard.line = line;
  hazard.text = "4 bytes past the end of cudaMalloc 2 (4000 bytes) at kernel.cu:3";
  return hazard;
}

CallFailure FailureOf(const std::string& call) {
  CallFailure failure;
  failure.call = call;
  failure.error = "cudaErrorInvalidValue";
  return failure;
}

CallOutcome Exited(int code) {
  CallOutcome outcome;
  outcome.status = Ended::kGuestExited;
  outcome.program.exit_code = code;
  return outcome;
}

class FindingsTest : public testing::Test {
 protected:
  // The report of runs with the seeds 1, 2, ...
  CheckReport ReportOf(const std::vector<CallOutcome>& outcomes,
                       std::vector<std::string> buffers = {}) {
    Findings findings(request_, sheet_, built_, std::move(buffers));
    uint64_t seed = 0;
    for (const CallOutcome& outcome : outcomes) findings.Add(++seed, outcome, {});
    return findings.Take();
  }
  CheckRequest request_{.name = "vec.cu"};
  DeviceSheet sheet_;
  BuildOutcome built_;
};

TEST_F(FindingsTest, NothingFoundIsClean) {
  EXPECT_EQ(ReportOf({Exited(0), Exited(0)}).status, Status::kClean);
}

TEST_F(FindingsTest, AHazardIsToldOnceAndCountsItsSeeds) {
  CallOutcome both = Exited(0), one = Exited(0);
  both.hazards = {HazardAt(3), HazardAt(9)};
  one.hazards = {HazardAt(9)};
  const CheckReport report = ReportOf({both, one});
  EXPECT_EQ(report.status, Status::kFindings);
  ASSERT_EQ(report.hazards.size(), 2u);
  EXPECT_EQ(report.hazards[0].seeds, 1);
  EXPECT_EQ(report.hazards[1].seeds, 2);
  EXPECT_EQ(report.hazards[0].hazard.file, "vec.cu");
}

TEST_F(FindingsTest, BuffersOfLaunchesHaveTheUsersNames) {
  CallOutcome outcome = Exited(0);
  outcome.hazards = {HazardAt(3)};
  outcome.program.allocations = {{"cudaMalloc 1", 4, 0, true}, {"cudaMalloc 2", 4000, 0, true}};
  const CheckReport report = ReportOf({outcome}, {"argument 1", "argument 2, f32[1000]"});
  EXPECT_EQ(report.hazards[0].hazard.text,
            "4 bytes past the end of argument 2, f32[1000] (4000 bytes) at vec.cu:3");
}

TEST_F(FindingsTest, OnlyErrorsThatNobodyLookedAtCountAndEveryRefusedLaunch) {
  CallOutcome outcome = Exited(0);
  CallFailure seen = FailureOf("cudaMalloc"), launch = FailureOf("a kernel launch");
  seen.looked_at = launch.looked_at = true;
  launch.launch = true;
  outcome.program.failures = {seen, FailureOf("cudaMemcpy"), launch};
  const CheckReport report = ReportOf({outcome, outcome});
  ASSERT_EQ(report.calls.size(), 2u);
  EXPECT_EQ(report.calls[0].failure.call, "cudaMemcpy");
  EXPECT_EQ(report.calls[0].seeds, 2);
  EXPECT_TRUE(report.calls[1].failure.launch);
}

TEST_F(FindingsTest, WhoGivesUpAtOnceHasSeenTheError) {
  CallOutcome outcome = Exited(1);
  outcome.program.failures = {FailureOf("cudaMemcpy")};
  outcome.program.failures[0].last = true;
  const CheckReport report = ReportOf({outcome});
  EXPECT_TRUE(report.calls.empty());
  EXPECT_NE(report.crash.find("exit status 1"), std::string::npos) << report.crash;
}

TEST_F(FindingsTest, OnlyAProgramThatCameToItsEndLeaks) {
  CallOutcome done = Exited(0), failed = Exited(1);
  done.program.allocations = {{"cudaMalloc 1", 4, 0, true}, {"cudaMalloc 2", 512, 0, false}};
  failed.program.allocations = done.program.allocations;
  const CheckReport report = ReportOf({done});
  ASSERT_EQ(report.leaks.size(), 1u);
  EXPECT_EQ(report.leaks[0].name, "cudaMalloc 2");
  EXPECT_EQ(report.leaks[0].bytes, 512u);
  EXPECT_TRUE(ReportOf({failed}).leaks.empty());
}

TEST_F(FindingsTest, WhatCannotBeRunIsNoFinding) {
  CallOutcome outcome;
  outcome.status = Ended::kUnsupported;
  outcome.message = "the emulator does not have cudaGraphLaunch";
  const CheckReport report = ReportOf({outcome});
  EXPECT_EQ(report.status, Status::kNotRun);
  EXPECT_EQ(report.problem, outcome.message);
}

TEST(SourceName, TakesThePlaceOfTheBuildersOwn) {
  EXPECT_EQ(WithSourceName("kernel.cu:3: error in kernel.cu, my_kernel.cu, kernel.cuh", "a.cu"),
            "a.cu:3: error in a.cu, my_kernel.cu, kernel.cuh");
}

}  // namespace
}  // namespace kw::eval
