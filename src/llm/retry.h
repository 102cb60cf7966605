// When a failed call is worth another try, and how long to wait before it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace kw::llm {

// 408, 409, 425, 429 and 5xx but 501 (the endpoint has no such thing, and will not have it soon).
bool IsWorthARetry(int status);

struct Backoff {
  int64_t base_ms = 500, cap_ms = 60'000;
};

// base * 2^retry, capped, times a factor in [0.5, 1) that follows from (call, retry): many calls
// that failed at once come back spread out, and a repeated run waits as long again.
int64_t BackoffMs(const Backoff& backoff, uint64_t call_hash, int retry);

// A Retry-After header: seconds, or an HTTP date against `now_us` (Unix time). Nothing when it is
// neither. Never negative.
std::optional<int64_t> RetryAfterMs(const std::string& header, int64_t now_us);

}  // namespace kw::llm
