// The clock as an argument: nothing else in the program reads the time.
#pragma once

#include <cstdint>
#include <string>

namespace kw {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual int64_t UnixMicros() const = 0;       // wall time, for records
  virtual int64_t MonotonicMicros() const = 0;  // for durations and timeouts
};

// The machine's clock. Lives for ever.
const Clock& SystemClock();

// A clock that stands still until it is moved, for tests.
class FakeClock : public Clock {
 public:
  int64_t UnixMicros() const override { return now_us_; }
  int64_t MonotonicMicros() const override { return now_us_; }
  void Advance(int64_t us) { now_us_ += us; }

 private:
  int64_t now_us_ = 1'000'000;
};

// "2026-01-31T12:00:00Z"
std::string FormatUtc(int64_t unix_us);

// A fresh random identifier (128 bits, hexadecimal): the one reader of the system's random device.
std::string FreshUuid();

}  // namespace kw
