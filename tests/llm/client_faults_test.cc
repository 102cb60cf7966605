// Every fault of the mock endpoint, a thousand times each: no answer is lost, none comes twice, and
// nothing is asked again whose answer was complete.
#include <gmock/gmock.h>

#include <condition_variable>
#include <mutex>
#include <set>

#include "kw/base.h"
#include "kw/llm.h"
#include "kw/mock.h"

namespace kw {
namespace {

using ::testing::HasSubstr;

// What a client need not ask again for.
const std::set<std::string>& Complete() {
  static const auto& names = *new std::set<std::string>{
      "plain-json", "long-length", "no-done", "no-usage",  "twice-usage", "crlf",
      "pings",      "coalesce",    "split",   "half-char", "split-utf8",  "slow-head"};
  return names;
}

MockOptions Canned(const std::string& faults) {
  MockOptions options;
  options.content = MockOptions::Content::kCanned;
  options.canned_bytes = 1500;
  options.chunk_bytes = 48;
  options.unicode = true;
  options.faults = faults;
  options.seed = 7;
  options.stall_ms = 400;
  options.retry_after_s = 0;
  return options;
}

HttpModelConfig Patient(const MockEndpoint& endpoint) {
  HttpModelConfig config;
  config.base_url = endpoint.base_url();
  config.max_in_flight = 128;
  config.max_retries = 60;
  config.retry_base_ms = 1;
  config.retry_cap_ms = 4;
  config.stall_timeout_ms = 100;
  return config;
}

std::string HealthyText() {
  auto endpoint = MockEndpoint::Start(Canned(""), nullptr).value();
  const auto answer = MakeHttpModel(Patient(*endpoint))
                          .value()
                          ->Complete({.model = "m", .messages = {{"user", "0"}}});
  EXPECT_TRUE(answer) << answer.error().ToString();
  return answer ? answer->content : "";
}

struct Outcome {
  int64_t right = 0, wrong = 0, twice = 0, retries = 0;
  std::string first_error;
};

Outcome AskMany(ChatModel& model, int count, const std::string& expected) {
  Outcome outcome;
  std::mutex mutex;
  std::condition_variable ended;
  std::vector<int> ends(static_cast<size_t>(count), 0);
  int left = count;
  for (int i = 0; i < count; ++i) {
    ChatRequest request{.model = "m", .messages = {{"user", std::to_string(i)}}};
    model.Submit(std::move(request), [&, i](Result<ChatAnswer> answer) {
      const std::lock_guard<std::mutex> lock(mutex);
      if (++ends[static_cast<size_t>(i)] > 1) ++outcome.twice;
      if (answer && answer->content == expected) {
        ++outcome.right;
      } else {
        ++outcome.wrong;
        if (outcome.first_error.empty()) {
          outcome.first_error = answer ? answer->content : answer.error().ToString();
        }
      }
      if (answer) outcome.retries += answer->retries;
      --left;
      ended.notify_one();
    });
  }
  std::unique_lock<std::mutex> lock(mutex);
  ended.wait(lock, [&] { return left <= 0; });
  return outcome;
}

class ClientFault : public ::testing::TestWithParam<std::string> {};

TEST_P(ClientFault, LosesNoAnswerAndDoublesNone) {
  constexpr int kFaults = 1000;
  const std::string fault = GetParam();
  const std::string expected = HealthyText();
  auto endpoint = MockEndpoint::Start(Canned(fault + "=0.5"), nullptr).value();
  auto model = MakeHttpModel(Patient(*endpoint)).value();
  int64_t asked = 0, retries = 0;
  while (endpoint->stats().faults[fault] < kFaults) {
    constexpr int kBatch = 500;
    const Outcome outcome = AskMany(*model, kBatch, expected);
    ASSERT_EQ(outcome.right, kBatch) << outcome.first_error;
    ASSERT_EQ(outcome.twice, 0);
    asked += kBatch;
    retries += outcome.retries;
  }
  const MockStats stats = endpoint->stats();
  if (Complete().contains(fault)) {
    EXPECT_EQ(retries, 0) << "a complete answer was asked for again";
    EXPECT_EQ(stats.asked, asked);
    return;
  }
  // A kept connection that turns out to be dead is replaced by libcurl itself, without a try of
  // ours: but each fault costs one more request, and nothing else does.
  EXPECT_EQ(stats.asked, asked + stats.faults.at(fault));
  EXPECT_LE(retries, stats.faults.at(fault));
}

std::vector<std::string> FaultsThatPass() {
  std::vector<std::string> names;
  for (const auto& [name, what] : MockFaults()) {
    if (name != "redirect") names.push_back(name);
  }
  return names;
}
INSTANTIATE_TEST_SUITE_P(Every, ClientFault, ::testing::ValuesIn(FaultsThatPass()),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST(ClientFault, ARedirectIsRefusedAndNothingGoesThere) {
  auto endpoint = MockEndpoint::Start(Canned("redirect=/1"), nullptr).value();
  const auto answer = MakeHttpModel(Patient(*endpoint))
                          .value()
                          ->Complete({.model = "m", .messages = {{"user", "0"}}});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(answer.error().message, HasSubstr("redirect.invalid"));
  EXPECT_EQ(endpoint->stats().asked, 1);
}

TEST(ClientFault, AllOfThemTogetherLoseNothing) {
  std::string faults;
  for (const std::string& name : FaultsThatPass()) {
    faults += (faults.empty() ? "" : ",") + name + "=0.02";
  }
  const std::string expected = HealthyText();
  auto endpoint = MockEndpoint::Start(Canned(faults), nullptr).value();
  auto model = MakeHttpModel(Patient(*endpoint)).value();
  const Outcome outcome = AskMany(*model, 3000, expected);
  EXPECT_EQ(outcome.right, 3000) << outcome.first_error;
  const MockStats stats = endpoint->stats();
  int64_t costly = 0;
  for (const auto& [fault, count] : stats.faults) {
    if (!Complete().contains(fault)) costly += count;
  }
  EXPECT_LE(outcome.retries, costly);
  EXPECT_GE(stats.asked, 3000 + outcome.retries);
  EXPECT_LE(stats.asked, 3000 + costly);
}

TEST(ClientStream, ClosesAStreamThatLoops) {
  MockOptions options = Canned("");
  options.unicode = false;
  options.content = MockOptions::Content::kLoop;
  options.chunk_bytes = 4;
  for (const bool guard : {true, false}) {
    auto endpoint = MockEndpoint::Start(options, nullptr).value();
    HttpModelConfig config = Patient(*endpoint);
    config.stream.guard.enabled = guard;
    ChatRequest request{.model = "m", .messages = {{"user", "0"}}};
    request.max_tokens = 20'000;
    const auto answer = MakeHttpModel(config).value()->Complete(request);
    ASSERT_TRUE(answer) << answer.error().ToString();
    EXPECT_EQ(answer->runaway.has_value(), guard);
    EXPECT_EQ(answer->finish_reason, guard ? "runaway" : "length");
    if (!guard) continue;
    EXPECT_GE(answer->runaway->repeats, 12);
    EXPECT_GT(answer->runaway->tokens_saved, 15'000);
    EXPECT_TRUE(answer->usage.estimated) << "a stream that was closed does not come to its count";
    EXPECT_LT(answer->content.size(), 4000U);
  }
}

TEST(ClientStream, ClosesAStreamWhoseCandidateIsComplete) {
  MockOptions options = Canned("");
  options.canned_bytes = 20'000;
  options.chunk_bytes = 16;
  options.chunks_per_s = 2000;
  auto endpoint = MockEndpoint::Start(options, nullptr).value();
  ChatRequest request{.model = "m", .messages = {{"user", "0"}}};
  int asked = 0;
  request.is_complete = [&asked](std::string_view content) {
    ++asked;
    return content.find("```") != std::string_view::npos;
  };
  const auto answer = MakeHttpModel(Patient(*endpoint)).value()->Complete(request);
  ASSERT_TRUE(answer) << answer.error().ToString();
  // What follows the fence, if anything does, was not waited for.
  EXPECT_GE(asked, 1);
  EXPECT_THAT(answer->finish_reason, ::testing::AnyOf("complete", "stop"));
}

TEST(ClientStream, GuardOnAndOffGiveTheSameBytesOfAHealthyAnswer) {
  for (const int chunk : {1, 4, 13, 500}) {
    MockOptions options = Canned("");
    options.canned_bytes = 30'000;
    options.chunk_bytes = chunk;
    auto endpoint = MockEndpoint::Start(options, nullptr).value();
    std::string texts[2];
    for (const bool guard : {false, true}) {
      HttpModelConfig config = Patient(*endpoint);
      config.stream.guard.enabled = guard;
      const auto answer = MakeHttpModel(config).value()->Complete(
          {.model = "m", .messages = {{"user", "0"}}, .max_tokens = 100'000});
      ASSERT_TRUE(answer) << answer.error().ToString();
      texts[guard ? 1 : 0] = answer->content;
    }
    EXPECT_EQ(texts[0], texts[1]);
    EXPECT_GT(texts[0].size(), 20'000U);
  }
}

}  // namespace
}  // namespace kw
