#include "admission.h"

#include <gtest/gtest.h>

#include <vector>

namespace kw::llm {
namespace {

constexpr int64_t kSecond = 1'000'000;

// All that begin now, in their order.
std::vector<uint64_t> Begin(Admission& admission, int64_t now_us) {
  std::vector<uint64_t> begun;
  while (const auto ticket = admission.Next(now_us)) begun.push_back(*ticket);
  return begun;
}

using Tickets = std::vector<uint64_t>;

TEST(Admission, LetsNoMoreUnderWayThanItMay) {
  Admission admission({.in_flight = 2});
  for (uint64_t ticket : {1, 2, 3}) admission.Wait(ticket, "", 0, false);
  EXPECT_EQ(Begin(admission, 0), (Tickets{1, 2}));
  EXPECT_EQ(admission.NextDue(0), std::nullopt);
  admission.Ended(1, 0);
  EXPECT_EQ(Begin(admission, 0), (Tickets{3}));
}

TEST(Admission, ServesQueuesInTurn) {
  Admission admission({.in_flight = 100});
  for (uint64_t ticket : {1, 2, 3, 4}) admission.Wait(ticket, "greedy", 0, false);
  admission.Wait(5, "modest", 0, false);
  admission.Wait(6, "other", 0, false);
  EXPECT_EQ(Begin(admission, 0), (Tickets{1, 5, 6, 2, 3, 4}));
}

TEST(Admission, ThoseThatWereTriedBeforeGoFirst) {
  Admission admission({.in_flight = 100});
  admission.Wait(1, "", 0, false);
  admission.Wait(2, "", 0, true);
  EXPECT_EQ(Begin(admission, 0), (Tickets{2, 1}));
}

TEST(Admission, KeepsToTheRequestsOfAnyMinute) {
  Admission admission({.in_flight = 100, .requests_per_minute = 2});
  for (uint64_t ticket : {1, 2, 3, 4}) admission.Wait(ticket, "", 0, false);
  EXPECT_EQ(admission.Next(0), 1u);
  EXPECT_EQ(admission.Next(10 * kSecond), 2u);
  EXPECT_EQ(admission.Next(11 * kSecond), std::nullopt);
  EXPECT_EQ(admission.NextDue(11 * kSecond), 60 * kSecond);
  EXPECT_EQ(Begin(admission, 60 * kSecond), (Tickets{3}));
  EXPECT_EQ(admission.NextDue(60 * kSecond), 70 * kSecond);
  EXPECT_EQ(Begin(admission, 70 * kSecond), (Tickets{4}));
}

TEST(Admission, KeepsToTheTokensOfAnyMinuteAndCorrectsWhatItExpected) {
  Admission admission({.in_flight = 100, .tokens_per_minute = 1000});
  admission.Wait(1, "", 600, false);
  admission.Wait(2, "", 600, false);
  EXPECT_EQ(Begin(admission, 0), (Tickets{1}));
  EXPECT_EQ(admission.NextDue(0), 60 * kSecond);
  admission.Ended(1, 100);  // it used far less
  EXPECT_EQ(Begin(admission, kSecond), (Tickets{2}));
  // One that is beyond the limit alone waits until it is alone, and begins then.
  admission.Wait(3, "", 5000, false);
  EXPECT_EQ(admission.NextDue(kSecond), 61 * kSecond);
  EXPECT_EQ(Begin(admission, 61 * kSecond), (Tickets{3}));
}

TEST(Admission, WaitsWhenItIsAskedTo) {
  Admission admission({});
  admission.Wait(1, "", 0, false);
  admission.PauseUntil(5 * kSecond);
  admission.PauseUntil(2 * kSecond);
  EXPECT_EQ(admission.Next(4 * kSecond), std::nullopt);
  EXPECT_EQ(admission.NextDue(4 * kSecond), 5 * kSecond);
  EXPECT_EQ(admission.Next(5 * kSecond), 1u);
}

TEST(Admission, ForgetsWhoWasCancelled) {
  Admission admission({});
  admission.Wait(1, "a", 0, false);
  admission.Wait(2, "b", 0, true);
  admission.Forget(1);
  admission.Forget(2);
  EXPECT_EQ(admission.Next(0), std::nullopt);
  EXPECT_EQ(admission.NextDue(0), std::nullopt);
}

}  // namespace
}  // namespace kw::llm
