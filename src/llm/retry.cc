#include "retry.h"

#include <curl/curl.h>

#include <algorithm>
#include <charconv>

#include "kw/base.h"

namespace kw::llm {

bool IsWorthARetry(int status) {
  if (status == 501) return false;
  return status == 408 || status == 409 || status == 425 || status == 429 ||
         (status >= 500 && status < 600);
}

int64_t BackoffMs(const Backoff& backoff, uint64_t call_hash, int retry) {
  int64_t wait = std::min(backoff.base_ms, backoff.cap_ms);
  for (int i = 0; i < retry && wait < backoff.cap_ms; ++i) {
    wait = wait > backoff.cap_ms / 2 ? backoff.cap_ms : wait * 2;
  }
  Random random(DeriveSeed(call_hash, "backoff/" + std::to_string(retry)));
  return static_cast<int64_t>(static_cast<double>(wait) * (0.5 + 0.5 * random.Uniform()));
}

std::optional<int64_t> RetryAfterMs(const std::string& header, int64_t now_us) {
  const std::string_view text = Trim(header);
  if (text.empty()) return std::nullopt;
  // Some endpoints write fractions of a second.
  double seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error == std::errc() && end == text.data() + text.size()) {
    if (!(seconds >= 0)) return std::nullopt;
    return static_cast<int64_t>(std::min(seconds, 1e9) * 1000);
  }
  const time_t date = curl_getdate(std::string(text).c_str(), nullptr);
  if (date < 0) return std::nullopt;
  return std::max<int64_t>(0, static_cast<int64_t>(date) * 1000 - now_us / 1000);
}

}  // namespace kw::llm
