#include "retry.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace kw::llm {
namespace {

TEST(IsWorthARetry, IsSoForWhatPasses) {
  for (int status : {408, 409, 425, 429, 500, 502, 503, 504, 529}) {
    EXPECT_TRUE(IsWorthARetry(status)) << status;
  }
  for (int status : {0, 200, 301, 400, 401, 403, 404, 413, 422, 501, 600}) {
    EXPECT_FALSE(IsWorthARetry(status)) << status;
  }
}

TEST(BackoffMs, DoublesUpToTheCap) {
  const Backoff backoff{100, 1000};
  int64_t full = 100;
  for (int retry = 0; retry < 80; ++retry) {
    const int64_t wait = BackoffMs(backoff, 7, retry);
    EXPECT_GE(wait, full / 2) << retry;
    EXPECT_LT(wait, full) << retry;
    full = std::min<int64_t>(1000, full * 2);
  }
  EXPECT_LT(BackoffMs({5000, 1000}, 7, 0), 1000);
  EXPECT_EQ(BackoffMs({0, 1000}, 7, 3), 0);
}

TEST(BackoffMs, FollowsFromTheCallAndSpreadsDifferentOnes) {
  std::set<int64_t> waits;
  for (uint64_t call = 0; call < 100; ++call) {
    waits.insert(BackoffMs({1000, 60'000}, call, 0));
    EXPECT_EQ(BackoffMs({1000, 60'000}, call, 0), BackoffMs({1000, 60'000}, call, 0));
  }
  EXPECT_GT(waits.size(), 50U);
}

TEST(RetryAfterMs, ReadsSecondsAndDates) {
  // 1994-11-06 08:49:37 UTC
  constexpr int64_t kDateUs = 784111777LL * 1'000'000;
  EXPECT_EQ(RetryAfterMs("3", 0), 3000);
  EXPECT_EQ(RetryAfterMs(" 0.25 ", 0), 250);
  EXPECT_EQ(RetryAfterMs("0", 0), 0);
  EXPECT_EQ(RetryAfterMs("Sun, 06 Nov 1994 08:49:37 GMT", kDateUs - 2'000'000), 2000);
  EXPECT_EQ(RetryAfterMs("Sun, 06 Nov 1994 08:49:37 GMT", kDateUs + 2'000'000), 0);
  EXPECT_EQ(RetryAfterMs("1e300", 0), 1'000'000'000'000);
}

TEST(RetryAfterMs, IgnoresWhatIsNeither) {
  for (const char* header : {"", " ", "soon", "-5", "nan", "3 s"}) {
    EXPECT_FALSE(RetryAfterMs(header, 0)) << header;
  }
}

}  // namespace
}  // namespace kw::llm
