#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "eval/oracle/fake_task.h"
#include "kw/eval/oracle.h"

namespace kw::eval {
namespace {

using testing::HasSubstr;

class EnduranceTest : public testing::Test {
 protected:
  OracleReport Run(uint64_t seed = 5) {
    options_.seed = seed;
    const auto cases = EnduranceCases(task_, seed);
    const auto report = RunEndurance(task_, cases, session_, reference_, options_);
    EXPECT_TRUE(report) << (report ? "" : report.error().ToString());
    return report ? *report : OracleReport{};
  }
  // From call `first` of the session on nothing is right.
  void StopAt(size_t first) {
    session_.fault = [this, first](CallOutcome& outcome, const CallRequest&) {
      if (session_.requests.size() >= first)
        outcome.outputs[0].assign(outcome.outputs[0].size(), 0);
    };
  }

  Task task_ = DoubleTask();
  FakeSession session_;
  FakeReference reference_;
  EnduranceOptions options_;
};

TEST_F(EnduranceTest, PassesAKernelThatGoesOnAfterHundredsOfCalls) {
  EXPECT_TRUE(Run().ok);
  EXPECT_GE(session_.requests.size(), 300u);
  EXPECT_LE(session_.requests.size(), 400u);
  std::set<std::string> inputs;
  std::set<uint64_t> seeds;
  bool reused = false, fresh = false;
  for (const CallRequest& request : session_.requests) {
    inputs.insert(request.arguments[0].bytes);
    seeds.insert(request.seed);
    (request.reuse_buffers ? reused : fresh) = true;
  }
  EXPECT_EQ(inputs.size(), 16u);
  EXPECT_EQ(seeds.size(), session_.requests.size());
  EXPECT_TRUE(reused && fresh);
  EXPECT_LE(reference_.evaluations, 32) << "each case's outputs are computed once or twice";
}

TEST_F(EnduranceTest, AKeptWorkspaceIsNoLeak) {
  session_.fault = [this](CallOutcome& outcome, const CallRequest&) {
    outcome.kept_allocations = session_.requests.size() < 40 ? 1 : 3;
    outcome.kept_bytes = outcome.kept_allocations * 4096;
  };
  EXPECT_TRUE(Run().ok);
}

TEST_F(EnduranceTest, WhatGrowsWithEveryCallIsALeak) {
  session_.fault = [this](CallOutcome& outcome, const CallRequest&) {
    outcome.kept_allocations = session_.requests.size();
    outcome.kept_bytes = outcome.kept_allocations * 4096;
  };
  const OracleReport report = Run();
  EXPECT_FALSE(report.ok);
  EXPECT_EQ(report.status, Status::kRejected);
  EXPECT_EQ(report.reason, "leak");
  EXPECT_THAT(report.feedback, HasSubstr("about 4096 bytes a call"));
}

TEST_F(EnduranceTest, SaysAtWhichCallItStopped) {
  StopAt(201);
  options_.calls_before = 40;
  const OracleReport report = Run();
  EXPECT_FALSE(report.ok);
  EXPECT_EQ(report.status, Status::kIncorrectNumerical);
  EXPECT_EQ(report.reason, "numerical");
  EXPECT_THAT(report.feedback,
              HasSubstr("This was call 241 of the candidate; the 240 calls before"));
  ASSERT_TRUE(report.failing);
  EXPECT_EQ(report.failing->calls_before, 240);
  EXPECT_EQ(report.failing_inputs_hash, GenerateInputs(task_, *report.failing)->hash);
  EXPECT_EQ(session_.requests.size(), 201u);
}

TEST_F(EnduranceTest, SeesWorkThatIsLeftOutAndCallsThatFail) {
  session_.fault = [this](CallOutcome& outcome, const CallRequest&) {
    if (session_.requests.size() > 100) outcome.output_written = {false};
  };
  EXPECT_EQ(Run().reason, "output_not_written");
  session_.fault = [](CallOutcome& outcome, const CallRequest&) {
    outcome.hazards.push_back({.kind = "shared_race", .text = "a race"});
  };
  EXPECT_EQ(Run().reason, "shared_race");
}

TEST_F(EnduranceTest, HoldsDifferentBitsAgainstNobody) {
  session_.fault = [this](CallOutcome& outcome, const CallRequest&) {
    std::vector<float> values = FloatsOf(outcome.outputs[0]);
    if (session_.requests.size() % 3 == 0) values[0] *= 1.0000002f;
    outcome.outputs[0] = BytesOf(values);
  };
  EXPECT_TRUE(Run().ok);
}

TEST_F(EnduranceTest, MakesFewerCallsOfAKernelThatTakesMany) {
  const auto calls_at = [this](uint64_t lanes) {
    session_.requests.clear();
    session_.fault = [lanes](CallOutcome& outcome, const CallRequest&) {
      outcome.launches.emplace_back().counters.lane_instructions = lanes;
    };
    EXPECT_TRUE(Run().ok);
    return session_.requests.size();
  };
  EXPECT_GE(calls_at(10'000), 300u);
  EXPECT_EQ(calls_at(1'000'000), 101u);
  EXPECT_EQ(calls_at(500'000'000), 80u);
}

TEST_F(EnduranceTest, GoesOnWithTheCasesThatAreCheap) {
  const auto is_cheap = [](const CallRequest& request) {
    return request.arguments[0].bytes.size() < 100 * sizeof(float);
  };
  session_.fault = [&](CallOutcome& outcome, const CallRequest& request) {
    const uint64_t lanes = is_cheap(request) ? 1'000 : 2'000'000;
    outcome.launches.emplace_back().counters.lane_instructions = lanes;
  };
  EXPECT_TRUE(Run().ok);
  ASSERT_GE(session_.requests.size(), 300u);
  for (size_t i = 16; i < session_.requests.size(); ++i) {
    EXPECT_TRUE(is_cheap(session_.requests[i])) << "call " << i;
  }
}

TEST_F(EnduranceTest, FollowsFromTheSeed) {
  Run(5);
  const auto first = session_.requests;
  session_.requests.clear();
  Run(5);
  ASSERT_EQ(session_.requests.size(), first.size());
  for (size_t i = 0; i < first.size(); ++i) {
    EXPECT_EQ(session_.requests[i].seed, first[i].seed);
    EXPECT_EQ(session_.requests[i].arguments[0].bytes, first[i].arguments[0].bytes);
  }
  session_.requests.clear();
  Run(6);
  EXPECT_NE(session_.requests[0].seed, first[0].seed);
}

TEST_F(EnduranceTest, MakesAsManyCallsAsItIsTold) {
  options_.calls = 7;
  EXPECT_TRUE(Run().ok);
  EXPECT_EQ(session_.requests.size(), 7u);
}

TEST_F(EnduranceTest, StopsWhenCancelled) {
  options_.cancelled = [] { return true; };
  const auto report = RunEndurance(task_, EnduranceCases(task_, 5), session_, reference_, options_);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::kCancelled);
}

TEST_F(EnduranceTest, TakesSmallShapesThatAreNotTrivial) {
  const std::vector<Case> cases = EnduranceCases(task_, 5);
  ASSERT_EQ(cases.size(), 16u);
  std::set<std::map<std::string, int64_t>> shapes;
  std::set<uint64_t> seeds;
  for (const Case& c : cases) {
    EXPECT_EQ(c.group, "original");
    EXPECT_GE(c.axes.at("rows") * c.axes.at("cols") * 2, 64);
    EXPECT_LE(c.axes.at("rows") * c.axes.at("cols"), 300);
    shapes.insert(c.axes);
    seeds.insert(c.seed);
  }
  EXPECT_EQ(shapes.size(), 8u);
  EXPECT_EQ(seeds.size(), 16u);
}

}  // namespace
}  // namespace kw::eval
