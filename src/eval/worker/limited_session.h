// A session that bounds a whole verdict, not each call alone.
#pragma once

#include <cstdint>
#include <memory>

#include "kw/base/clock.h"
#include "kw/eval/device.h"

namespace kw::eval {

// What one verdict may cost. All but wall_ms are counted, so that a verdict does not depend on
// how fast or busy the machine is.
struct VerdictLimits {
  uint64_t lane_instructions = 12'000'000'000;
  int64_t first_call_cpu_ms = 5'000;  // static initialisers, first allocations
  int64_t later_call_cpu_ms = 1'000;
  int64_t wall_ms = 45'000;  // backstop: running into it is environmental
};

// Passes calls on with what is left of the limits. `session` outlives it.
class LimitedSession : public Session {
 public:
  LimitedSession(Session& session, const VerdictLimits& limits, const Clock& clock);
  Result<CallOutcome> Call(const CallRequest& request) override;
  int64_t calls() const { return calls_; }  // that were passed on
  uint64_t lane_instructions_left() const { return left_; }

 private:
  Session& session_;
  const VerdictLimits limits_;
  const Clock& clock_;
  const int64_t deadline_us_;
  uint64_t left_;
  int64_t calls_ = 0;
};

}  // namespace kw::eval
