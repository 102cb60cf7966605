#include "limited_session.h"

#include <algorithm>

namespace kw::eval {

namespace {

// What ran, where the counters speak of the whole grid.
uint64_t SpentBy(const LaunchRecord& launch) {
  const auto blocks = static_cast<double>(BlockCount(launch.grid));
  if (launch.blocks_run == 0) return launch.counters.lane_instructions;
  return static_cast<uint64_t>(static_cast<double>(launch.counters.lane_instructions) *
                               (static_cast<double>(launch.blocks_run) / blocks));
}

}  // namespace

LimitedSession::LimitedSession(Session& session, const VerdictLimits& limits, const Clock& clock)
    : session_(session),
      limits_(limits),
      clock_(clock),
      deadline_us_(clock.MonotonicMicros() + limits.wall_ms * 1000),
      left_(limits.lane_instructions) {}

Result<CallOutcome> LimitedSession::Call(const CallRequest& request) {
  CallOutcome spent;
  const int64_t left_ms = (deadline_us_ - clock_.MonotonicMicros()) / 1000;
  if (left_ms <= 0) {
    spent.status = CallOutcome::Status::kWallLimit;
    spent.message =
        "the whole evaluation took longer than " + std::to_string(limits_.wall_ms / 1000) + " s";
    return spent;
  }
  if (left_ == 0) {
    spent.status = CallOutcome::Status::kDeviceLimit;
    spent.message =
        "the calls of all test cases together took more than " +
        std::to_string(limits_.lane_instructions / 1'000'000'000) +
        " billion thread instructions: the kernel does far more work than this task needs";
    return spent;
  }
  CallRequest limited = request;
  limited.lane_instruction_budget = std::min(request.lane_instruction_budget, left_);
  limited.host_cpu_ms = std::min(
      request.host_cpu_ms, calls_ == 0 ? limits_.first_call_cpu_ms : limits_.later_call_cpu_ms);
  limited.wall_ms = std::min(request.wall_ms, left_ms);
  ++calls_;
  KW_ASSIGN(CallOutcome outcome, session_.Call(limited));
  uint64_t used = 0;
  for (const LaunchRecord& launch : outcome.launches) used += SpentBy(launch);
  left_ -= std::min(left_, used);
  return outcome;
}

}  // namespace kw::eval
