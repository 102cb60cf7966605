// Which request may begin next at an endpoint, and when.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>

namespace kw::llm {

struct RequestLimits {
  int in_flight = 32;
  int64_t requests_per_minute = 0, tokens_per_minute = 0;  // in any 60 s; 0: no limit
};

// Requests are named by tickets. Times are of one monotonic clock, in us.
class Admission {
 public:
  explicit Admission(const RequestLimits& limits) : limits_(limits) {}

  // A request that waits. Queues are served in turn, so that one that asks much holds up none;
  // within a queue the first to come is the first to go. `again`: it was tried before, and goes
  // before all that were not.
  void Wait(uint64_t ticket, const std::string& queue, int64_t tokens, bool again);
  // It waits no more: it was cancelled.
  void Forget(uint64_t ticket);

  // The next that begins now, which then counts as under way.
  std::optional<uint64_t> Next(int64_t now_us);
  // One that was under way ended, having used so many tokens (0: as many as were expected).
  void Ended(uint64_t ticket, int64_t tokens);
  // The endpoint asked for patience: nothing begins before.
  void PauseUntil(int64_t us);

  // When Next may have something, if nothing else happens; nothing where only another's end helps.
  std::optional<int64_t> NextDue(int64_t now_us) const;
  size_t under_way() const { return under_way_; }

 private:
  struct Waiting {
    uint64_t ticket = 0;
    int64_t tokens = 0;
  };
  struct Begun {
    uint64_t ticket = 0;
    int64_t at_us = 0, tokens = 0;
  };
  const Waiting* Front() const;
  // When the limits of a minute let a request of so many tokens begin.
  int64_t AllowedAt(int64_t now_us, int64_t tokens) const;
  void DropOld(int64_t now_us);

  const RequestLimits limits_;
  std::deque<Waiting> again_;
  std::map<std::string, std::deque<Waiting>> queues_;  // none is empty
  std::string last_queue_;                             // that was served
  std::deque<Begun> minute_;                           // what began in the last minute
  int64_t minute_tokens_ = 0;
  size_t under_way_ = 0;
  int64_t paused_until_us_ = 0;
};

}  // namespace kw::llm
