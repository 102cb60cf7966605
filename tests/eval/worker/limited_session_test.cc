#include "src/eval/worker/limited_session.h"

#include <gtest/gtest.h>

namespace kw::eval {
namespace {

class RecordingSession : public Session {
 public:
  Result<CallOutcome> Call(const CallRequest& request) override {
    requests.push_back(request);
    CallOutcome outcome;
    LaunchRecord launch;
    launch.counters.lane_instructions = used;
    outcome.launches = {launch, launch};
    return outcome;
  }
  std::vector<CallRequest> requests;
  uint64_t used = 400;
};

TEST(LimitedSession, SpendsOneBudgetOverAllCalls) {
  RecordingSession inner;
  FakeClock clock;
  LimitedSession session(inner, {.lane_instructions = 2000}, clock);
  CallRequest request;
  request.lane_instruction_budget = 1500;
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(session.Call(request)->status, CallOutcome::Status::kOk);
  }
  EXPECT_EQ(inner.requests[0].lane_instruction_budget, 1500u);
  EXPECT_EQ(inner.requests[1].lane_instruction_budget, 1200u);
  EXPECT_EQ(inner.requests[2].lane_instruction_budget, 400u);
  const auto spent = session.Call(request);
  EXPECT_EQ(spent->status, CallOutcome::Status::kDeviceLimit);
  EXPECT_FALSE(spent->message.empty());
  EXPECT_EQ(inner.requests.size(), 3u);
}

TEST(LimitedSession, TheFirstCallMayTakeMoreHostTime) {
  RecordingSession inner;
  FakeClock clock;
  LimitedSession session(inner, {.first_call_cpu_ms = 3000, .later_call_cpu_ms = 500}, clock);
  ASSERT_TRUE(session.Call({}));
  ASSERT_TRUE(session.Call({}));
  EXPECT_EQ(inner.requests[0].host_cpu_ms, 3000);
  EXPECT_EQ(inner.requests[1].host_cpu_ms, 500);
}

TEST(LimitedSession, WallTimeIsABackstop) {
  RecordingSession inner;
  FakeClock clock;
  LimitedSession session(inner, {.wall_ms = 1000}, clock);
  clock.Advance(400'000);
  ASSERT_TRUE(session.Call({}));
  EXPECT_EQ(inner.requests[0].wall_ms, 600);
  clock.Advance(600'000);
  EXPECT_EQ(session.Call({})->status, CallOutcome::Status::kWallLimit);
  EXPECT_EQ(inner.requests.size(), 1u);
}

}  // namespace
}  // namespace kw::eval
