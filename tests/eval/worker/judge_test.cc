#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <set>

#include "eval/worker/fake_rooms.h"
#include "kw/base/file.h"
#include "kw/base/hash.h"
#include "src/eval/worker/baseline_times.h"

namespace kw::eval {
namespace {

class JudgeTest : public testing::Test {
 protected:
  JudgeTest() {
    rooms_.device = &device_;
    rooms_.builder = &builder_;
    rooms_.reference = &reference_;
    rooms_.cache = scratch_.path();
    rooms_.replays = scratch_.path() + "/replays";
    job_.task = *CopyTask();
    job_.candidate_source = "the candidate";
    job_.candidate_hash = ContentHash(job_.candidate_source);
    job_.object_path = "/nowhere/object.so";
    job_.seed = 3;
    KeepBaseline(R"({"w0": 10.0})");
  }
  void KeepBaseline(const std::string& json) {
    ASSERT_TRUE(MakeDirectories(scratch_.path() + "/baselines"));
    ASSERT_TRUE(WriteFileAtomic(BaselineCachePath(job_.task, rooms_), json));
  }
  Verdict Judge() {
    stages_.clear();
    auto verdict =
        JudgeCandidate(job_, rooms_, [&](const std::string& s) { stages_.push_back(s); });
    EXPECT_TRUE(verdict) << verdict.error().ToString();
    // Each verdict that a judge gives can be written and read again.
    const auto again = VerdictFromJson(VerdictToJson(*verdict));
    EXPECT_TRUE(again) << again.error().ToString();
    return std::move(*verdict);
  }

  const ScratchDirectory scratch_ = *ScratchDirectory::Make("judge");
  FakeDevice device_;
  Builder builder_ = *Builder::Make({.cache = scratch_.path() + "/build"});
  CopyReference reference_;
  JudgeRooms rooms_;
  JudgeJob job_;
  std::vector<std::string> stages_;
};

TEST_F(JudgeTest, ACorrectCandidatePasses) {
  const Verdict v = Judge();
  EXPECT_EQ(v.status, Status::kPassed);
  EXPECT_EQ(v.reason, "passed");
  EXPECT_EQ(v.stage, "timing");
  EXPECT_EQ(v.hazards, "none");
  EXPECT_EQ(v.cases.size(), static_cast<size_t>(CaseCount(Effort::kStandard)));
  ASSERT_EQ(v.workloads.size(), 1u);
  EXPECT_NEAR(v.speedup, 10.0 / v.workloads[0].time.us, 1e-9);
  EXPECT_TRUE(v.replay_id.empty());
  EXPECT_EQ(stages_, (std::vector<std::string>{"load", "oracle", "timing", "endurance"}));
  for (const char* said : {"Modelled", "Fake GPU", "n=4096", "baseline", "roofline"}) {
    EXPECT_NE(v.feedback.find(said), v.feedback.npos) << said << " in " << v.feedback;
  }
}

TEST_F(JudgeTest, TheVerdictDependsOnNothingElse) {
  EXPECT_EQ(VerdictToJson(Judge()), VerdictToJson(Judge()));
}

TEST_F(JudgeTest, AWrongNumberFailsAtTheOracleAndCanBeReplayed) {
  device_.meddle = [](int, const CallRequest&, CallOutcome& outcome) {
    outcome.outputs[0][outcome.outputs[0].size() - 1] ^= 0x40;
  };
  const Verdict v = Judge();
  EXPECT_EQ(v.status, Status::kIncorrectNumerical);
  EXPECT_EQ(v.stage, "oracle");
  EXPECT_FALSE(v.feedback.empty());
  ASSERT_TRUE(v.failing);
  EXPECT_GT(v.errors.bad, 0);
  ASSERT_FALSE(v.replay_id.empty());
  const auto replay = LoadReplay(rooms_.replays, v.replay_id);
  ASSERT_TRUE(replay) << replay.error().ToString();
  EXPECT_EQ(replay->candidate_source, job_.candidate_source);
  EXPECT_EQ(replay->inputs_hash, GenerateInputs(job_.task, *v.failing)->hash);

  // The same case alone: the same failure; repaired: passed, without any timing.
  job_.only_case = v.failing;
  EXPECT_EQ(Judge().status, Status::kIncorrectNumerical);
  device_.meddle = nullptr;
  const Verdict repaired = Judge();
  EXPECT_EQ(repaired.status, Status::kPassed);
  EXPECT_TRUE(repaired.workloads.empty());
}

TEST_F(JudgeTest, WrongOnlyOnTheTimedWorkloadFailsAtTiming) {
  device_.meddle = [](int, const CallRequest& request, CallOutcome& outcome) {
    if (request.arguments[0].bytes.size() == 4096 * 4) outcome.outputs[0][3] ^= 0x40;
  };
  // The oracle may try the workload's shape itself: then it fails there.
  const Verdict v = Judge();
  EXPECT_EQ(v.status, Status::kIncorrectNumerical);
  ASSERT_TRUE(v.failing);
  EXPECT_EQ(v.failing->axes.at("n"), 4096);
  EXPECT_FALSE(v.replay_id.empty());
  EXPECT_EQ(v.speedup, 0);
}

TEST_F(JudgeTest, AKernelThatStopsAfterManyCallsFailsAtItsEnduranceAndCanBeReplayed) {
  device_.meddle = [](int call, const CallRequest&, CallOutcome& outcome) {
    if (call >= 150) outcome.outputs[0][outcome.outputs[0].size() - 1] ^= 0x40;
  };
  for (const Effort effort : {Effort::kQuick, Effort::kStandard}) {
    job_.effort = effort;
    const Verdict v = Judge();
    EXPECT_EQ(v.status, Status::kIncorrectNumerical);
    EXPECT_EQ(v.stage, "endurance");
    EXPECT_NE(v.feedback.find("This was call 151 of the candidate"), v.feedback.npos) << v.feedback;
    ASSERT_TRUE(v.failing);
    EXPECT_EQ(v.failing->calls_before, 150);
    EXPECT_EQ(v.cases.back().c.id, v.failing->id);
    ASSERT_FALSE(v.replay_id.empty());
    const auto replay = LoadReplay(rooms_.replays, v.replay_id);
    ASSERT_TRUE(replay) << replay.error().ToString();
    EXPECT_EQ(replay->c.calls_before, 150);
  }
  // As many calls of the case alone: the same failure; repaired: passed, and it says of how many.
  const Verdict first = Judge();
  job_.only_case = first.failing;
  const Verdict again = Judge();
  EXPECT_EQ(again.status, Status::kIncorrectNumerical);
  EXPECT_EQ(again.failing->calls_before, 150);
  ASSERT_EQ(again.cases.size(), 1u);
  EXPECT_FALSE(again.cases[0].ok);
  device_.meddle = nullptr;
  const Verdict repaired = Judge();
  EXPECT_EQ(repaired.status, Status::kPassed);
  EXPECT_NE(repaired.feedback.find("151 calls of it are right now"), repaired.feedback.npos);
}

TEST_F(JudgeTest, AnObjectThatCannotBeLoadedSaysWhy) {
  device_.load_error = "undefined symbol: cublasSgemm";
  Verdict v = Judge();
  EXPECT_EQ(v.status, Status::kRuntimeError);
  EXPECT_EQ(v.stage, "load");
  EXPECT_EQ(v.reason, "load_failed");
  EXPECT_EQ(v.feedback, device_.load_error);
  device_.unsupported = true;
  v = Judge();
  EXPECT_EQ(v.status, Status::kUnsupported);
  EXPECT_EQ(v.reason, "unsupported");
}

TEST_F(JudgeTest, ACrashIsARuntimeError) {
  device_.meddle = [](int call, const CallRequest&, CallOutcome& outcome) {
    if (call < 3) return;
    outcome.status = CallOutcome::Status::kGuestCrashed;
    outcome.message = "Segmentation fault";
  };
  const Verdict v = Judge();
  EXPECT_EQ(v.status, Status::kRuntimeError);
  EXPECT_EQ(v.stage, "oracle");
  EXPECT_FALSE(v.environmental);
}

TEST_F(JudgeTest, AnEndlessKernelIsATimeout) {
  device_.meddle = [](int, const CallRequest&, CallOutcome& outcome) {
    outcome.status = CallOutcome::Status::kDeviceLimit;
    outcome.message = "loops at line 7";
  };
  const Verdict v = Judge();
  EXPECT_EQ(v.status, Status::kTimeout);
  EXPECT_FALSE(v.environmental);
  EXPECT_NE(v.feedback.find("line 7"), v.feedback.npos);
}

TEST_F(JudgeTest, TooMuchWorkInAllIsATimeoutToo) {
  device_.meddle = [](int, const CallRequest&, CallOutcome& outcome) {
    outcome.launches[0].counters.lane_instructions = 1'000'000'000;
  };
  EXPECT_EQ(Judge().status, Status::kTimeout);
}

TEST_F(JudgeTest, TheWallBackstopIsEnvironmentalAndKeepsNoReplay) {
  device_.meddle = [](int, const CallRequest&, CallOutcome& outcome) {
    outcome.status = CallOutcome::Status::kWallLimit;
    outcome.message = "too slow";
  };
  const Verdict v = Judge();
  EXPECT_TRUE(v.environmental);
  EXPECT_TRUE(v.replay_id.empty());
}

TEST_F(JudgeTest, AHazardIsRejectedThoughTheNumbersAreRight) {
  device_.meddle = [](int, const CallRequest&, CallOutcome& outcome) {
    outcome.hazards.push_back({.kind = "shared_race", .kernel = "k", .line = 9, .text = "a race"});
  };
  const Verdict v = Judge();
  EXPECT_EQ(v.status, Status::kRejected);
  EXPECT_EQ(v.hazards, "found");
  EXPECT_NE(v.feedback.find("a race"), v.feedback.npos);
}

// Adds `error` to the last element of what the candidate puts out.
void OffBy(float error, CallOutcome& outcome) {
  char* last = outcome.outputs[0].data() + outcome.outputs[0].size() - sizeof(float);
  float value;
  std::memcpy(&value, last, sizeof value);
  value += error;
  std::memcpy(last, &value, sizeof value);
}

TEST_F(JudgeTest, AllcloseLooksAtFiveInputsOfTheWorkloadsShapeAndAtNoHazard) {
  job_.oracle = OracleKind::kAllclose;
  std::set<std::string> inputs;
  device_.meddle = [&](int, const CallRequest& request, CallOutcome& outcome) {
    inputs.insert(request.arguments[0].bytes);
    outcome.hazards.push_back({.kind = "shared_race"});
    OffBy(5e-5f, outcome);
  };
  const Verdict v = Judge();
  EXPECT_EQ(v.status, Status::kPassed);
  EXPECT_EQ(v.hazards, "unchecked");
  EXPECT_TRUE(v.workloads.empty());
  ASSERT_EQ(v.cases.size(), 5u);
  for (const CaseResult& trial : v.cases) {
    EXPECT_EQ(trial.c.axes.at("n"), 4096);
    EXPECT_EQ(trial.c.group, "original");
  }
  EXPECT_EQ(inputs.size(), 5u);
  EXPECT_EQ(stages_, (std::vector<std::string>{"load", "oracle"}));
  EXPECT_NE(VerdictToJson(v).find(R"("oracle":"allclose")"), std::string::npos);

  job_.oracle = OracleKind::kFull;
  const Verdict full = Judge();
  EXPECT_EQ(full.reason, "shared_race");
  EXPECT_EQ(VerdictToJson(full).find(R"("oracle":")"), std::string::npos);
}

TEST_F(JudgeTest, AllcloseFailsWhatIsNotCloseInOneTrialAndKeepsNoReplay) {
  job_.oracle = OracleKind::kAllclose;
  for (const float error : {1e-2f, std::numeric_limits<float>::quiet_NaN()}) {
    device_.meddle = [&](int call, const CallRequest&, CallOutcome& outcome) {
      if (call == 3) OffBy(error, outcome);
    };
    const Verdict v = Judge();
    EXPECT_EQ(v.status, Status::kIncorrectNumerical);
    EXPECT_EQ(v.errors.bad, 1);
    EXPECT_EQ(v.errors.first_bad, 4095);
    ASSERT_EQ(v.cases.size(), 4u);
    EXPECT_EQ(v.failing->id, "t4");
    EXPECT_EQ(v.replay_id, "");
  }
}

TEST_F(JudgeTest, AllcloseFailsACrash) {
  job_.oracle = OracleKind::kAllclose;
  device_.meddle = [](int, const CallRequest&, CallOutcome& outcome) {
    outcome.status = CallOutcome::Status::kGuestCrashed;
    outcome.outputs.clear();
  };
  EXPECT_EQ(Judge().reason, "host_crash");
}

TEST_F(JudgeTest, CancellingEndsIt) {
  job_.cancelled = [] { return true; };
  const auto verdict = JudgeCandidate(job_, rooms_, {});
  ASSERT_FALSE(verdict);
  EXPECT_EQ(verdict.error().code, ErrorCode::kCancelled);
}

}  // namespace
}  // namespace kw::eval
