#include "kw/base/clock.h"

#include <sys/random.h>

#include <array>
#include <chrono>
#include <ctime>

#include "kw/base/error.h"

namespace kw {
namespace {

class MachineClock : public Clock {
 public:
  int64_t UnixMicros() const override { return Count(std::chrono::system_clock::now()); }
  int64_t MonotonicMicros() const override { return Count(std::chrono::steady_clock::now()); }

 private:
  template <class TimePoint>
  static int64_t Count(TimePoint time) {
    return std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count();
  }
};

}  // namespace

const Clock& SystemClock() {
  static const MachineClock clock;
  return clock;
}

std::string FormatUtc(int64_t unix_us) {
  const std::time_t seconds = unix_us / 1'000'000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  const size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return std::string(text.data(), size);
}

std::string FreshUuid() {
  std::array<unsigned char, 16> bytes{};
  KW_CHECK(getrandom(bytes.data(), bytes.size(), 0) == 16, "the system gives no random bytes");
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  for (unsigned char byte : bytes) {
    hex += kDigits[byte >> 4];
    hex += kDigits[byte & 15];
  }
  return hex;
}

}  // namespace kw
