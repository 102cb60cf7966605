// The recorded answers under many threads, in several processes, and under kill -9.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <condition_variable>
#include <functional>
#include <future>
#include <map>
#include <mutex>
#include <thread>

#include "kw/base.h"
#include "response_cache_fixture.h"

namespace kw {
namespace {

// Answers when it is told to, from another thread, and ends what is cancelled or left behind.
class HeldModel : public ChatModel {
 public:
  struct Calls {
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<std::pair<ChatRequest, Done>> waiting;
    size_t asked = 0;

    void WaitFor(size_t count) {
      std::unique_lock lock(mutex);
      changed.wait(lock, [&] { return asked >= count; });
    }
    void Answer(size_t index, Result<ChatAnswer> answer) {
      Done done;
      {
        const std::lock_guard lock(mutex);
        done = std::exchange(waiting.at(index).second, nullptr);
      }
      if (done) done(std::move(answer));
    }
  };

  explicit HeldModel(std::shared_ptr<Calls> calls) : calls_(std::move(calls)) {}
  ~HeldModel() override {
    for (size_t i = 0; i < calls_->waiting.size(); ++i) {
      calls_->Answer(i, Fail(ErrorCode::kCancelled, "the model was destroyed"));
    }
  }
  void Submit(ChatRequest request, Done done) override {
    {
      const std::lock_guard lock(calls_->mutex);
      calls_->waiting.emplace_back(std::move(request), std::move(done));
      ++calls_->asked;
    }
    calls_->changed.notify_all();
  }
  std::string Describe() const override { return "held model"; }

 private:
  std::shared_ptr<Calls> calls_;
};

class CachedCallsTest : public ResponseCacheFixture {
 protected:
  std::unique_ptr<ChatModel> HeldRecorder() const {
    return MakeCachingModel(std::make_unique<HeldModel>(calls_), Config(CacheMode::kRecord))
        .value();
  }
  static std::future<Result<ChatAnswer>> Begin(ChatModel& model, ChatRequest request) {
    auto promise = std::make_shared<std::promise<Result<ChatAnswer>>>();
    model.Submit(std::move(request), [promise](auto answer) { promise->set_value(answer); });
    return promise->get_future();
  }
  static ChatRequest Seeded(const std::string& prompt, uint64_t seed = 1) {
    ChatRequest request = Ask(prompt);
    request.seed = seed;
    return request;
  }

  std::shared_ptr<HeldModel::Calls> calls_ = std::make_shared<HeldModel::Calls>();
};

TEST_F(CachedCallsTest, AsksOnceForEqualRequestsUnderWay) {
  const auto model = HeldRecorder();
  auto first = Begin(*model, Seeded("a"));
  auto second = Begin(*model, Seeded("a"));
  auto other = Begin(*model, Seeded("b"));
  calls_->WaitFor(2);
  calls_->Answer(0, Says("A"));
  calls_->Answer(1, Says("B"));
  EXPECT_EQ(first.get().value().content, "A");
  EXPECT_EQ(second.get().value().content, "A");
  EXPECT_EQ(other.get().value().content, "B");
  EXPECT_EQ(calls_->asked, 2U);
}

TEST_F(CachedCallsTest, GivesAnErrorToAllWhoWaitForIt) {
  const auto model = HeldRecorder();
  auto first = Begin(*model, Seeded("a"));
  auto second = Begin(*model, Seeded("a"));
  calls_->Answer(0, Fail(ErrorCode::kTimeout, "late"));
  EXPECT_EQ(first.get().error().code, ErrorCode::kTimeout);
  EXPECT_EQ(second.get().error().code, ErrorCode::kTimeout);
  auto again = Begin(*model, Seeded("a"));
  calls_->WaitFor(2);
  calls_->Answer(1, Says("now"));
  EXPECT_EQ(again.get().value().content, "now");
}

TEST_F(CachedCallsTest, GoesOnForTheOthersWhenOneIsCancelled) {
  const auto model = HeldRecorder();
  std::stop_source stop;
  ChatRequest request = Seeded("a");
  request.cancel = stop.get_token();
  auto first = Begin(*model, request);
  auto second = Begin(*model, Seeded("a"));
  stop.request_stop();
  EXPECT_EQ(first.get().error().code, ErrorCode::kCancelled);
  EXPECT_FALSE(calls_->waiting.at(0).first.cancel.stop_requested());
  calls_->Answer(0, Says("A"));
  EXPECT_EQ(second.get().value().content, "A");
}

TEST_F(CachedCallsTest, CancelsTheCallWhenNobodyWaitsForItAnyMore) {
  const auto model = HeldRecorder();
  std::stop_source stop;
  ChatRequest request = Seeded("a");
  request.cancel = stop.get_token();
  auto first = Begin(*model, request);
  auto second = Begin(*model, request);
  stop.request_stop();
  EXPECT_EQ(first.get().error().code, ErrorCode::kCancelled);
  EXPECT_EQ(second.get().error().code, ErrorCode::kCancelled);
  EXPECT_TRUE(calls_->waiting.at(0).first.cancel.stop_requested());
  auto third = Begin(*model, Seeded("a"));  // does not join the call that ends
  calls_->WaitFor(2);
  calls_->Answer(0, Fail(ErrorCode::kCancelled, "closed"));
  calls_->Answer(1, Says("A"));
  EXPECT_EQ(third.get().value().content, "A");
}

TEST_F(CachedCallsTest, RefusesWhatWasCancelledBeforeItWasAsked) {
  const auto model = HeldRecorder();
  std::stop_source stop;
  stop.request_stop();
  ChatRequest request = Seeded("a");
  request.cancel = stop.get_token();
  EXPECT_EQ(model->Complete(request).error().code, ErrorCode::kCancelled);
  EXPECT_EQ(calls_->asked, 0U);
}

TEST_F(CachedCallsTest, EndsAllCallsWhenTheModelGoes) {
  auto model = HeldRecorder();
  auto first = Begin(*model, Seeded("a"));
  auto second = Begin(*model, Seeded("a"));
  auto random = Begin(*model, Ask("b"));
  model.reset();
  EXPECT_EQ(first.get().error().code, ErrorCode::kCancelled);
  EXPECT_EQ(second.get().error().code, ErrorCode::kCancelled);
  EXPECT_EQ(random.get().error().code, ErrorCode::kCancelled);
}

TEST_F(CachedCallsTest, KeepsEveryAnswerOfManyThreadsOnceAndWhole) {
  constexpr int kThreads = 8, kCalls = 1000, kPrompts = 250;
  const ScriptedModel inner([](const ChatRequest& request) {
    return Says("to " + request.messages[0].content + std::string(2000, 'x'));
  });
  const auto cache = Open(CacheMode::kRecord);
  {
    const auto model = MakeCachingModel(Share(inner), cache, "").value();
    std::vector<std::thread> threads;
    std::atomic<int> wrong = 0;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        for (int i = t; i < kCalls; i += kThreads) {
          const std::string prompt = std::to_string(i % kPrompts);
          const auto answer = model->Complete(Seeded(prompt));
          wrong += !answer || answer->content.substr(0, 3 + prompt.size()) != "to " + prompt;
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(wrong, 0);
  }
  EXPECT_EQ(inner.requests().size(), kPrompts);
  const ResponseCacheStats stats = cache->Stats().value();
  EXPECT_EQ(stats.entries, kPrompts);
  EXPECT_EQ(stats.hits, kCalls - kPrompts);
  EXPECT_EQ(stats.misses, kPrompts);
  EXPECT_EQ(cache->ListRequests(2 * kPrompts).value().size(), kPrompts);
}

// Runs `body` in a process of its own.
pid_t Fork(const std::function<void()>& body) {
  const pid_t child = fork();
  if (child == 0) {
    body();
    _exit(0);
  }
  return child;
}

int StatusOf(pid_t child) {
  int status = 0;
  waitpid(child, &status, 0);
  return status;
}

TEST_F(CachedCallsTest, LetsTwoProcessesRecordIntoOneFile) {
  constexpr int kCalls = 150;
  const auto record = [&](const std::string& name) {
    const ScriptedModel inner([&](const ChatRequest&) { return Says(name); });
    const auto model = Recorder(inner);
    for (int i = 0; i < kCalls; ++i) {
      if (!model->Complete(Seeded(std::to_string(i)))) _exit(1);
    }
    if (!model->Complete(Seeded("of " + name))) _exit(1);
  };
  const pid_t one = Fork([&] { record("one"); });
  const pid_t two = Fork([&] { record("two"); });
  EXPECT_EQ(StatusOf(one), 0);
  EXPECT_EQ(StatusOf(two), 0);
  EXPECT_EQ(Open(CacheMode::kReplay)->Stats().value().entries, kCalls + 2);
  const auto model = Replayer();
  for (int i = 0; i < kCalls; ++i) EXPECT_TRUE(model->Complete(Seeded(std::to_string(i))));
}

TEST_F(CachedCallsTest, ReturnsWhatTheFileSaysWhereAnotherWasFaster) {
  const auto slow = HeldRecorder();
  auto answer = Begin(*slow, Seeded("a"));
  calls_->WaitFor(1);
  const ScriptedModel fast = Fixed(Says("first"));
  Recorder(fast)->Complete(Seeded("a")).value();
  calls_->Answer(0, Says("second"));
  EXPECT_EQ(answer.get().value().content, "first");
}

TEST_F(CachedCallsTest, HoldsEveryAnswerThatWasGivenBeforeAKill) {
  constexpr int kRounds = 10;
  Random random(7);
  for (int round = 0; round < kRounds; ++round) {
    std::array<int, 2> pipe_ends{};
    ASSERT_EQ(pipe2(pipe_ends.data(), O_CLOEXEC), 0);
    const pid_t child = Fork([&] {
      const ScriptedModel inner([](const ChatRequest& request) {
        return Says(request.messages[0].content + std::string(5000, 'y'));
      });
      const auto model = Recorder(inner);
      for (uint64_t i = 0; i < 100'000; ++i) {
        if (!model->Complete(Seeded("r" + std::to_string(round), i))) _exit(1);
        if (write(pipe_ends[1], "x", 1) != 1) _exit(1);
      }
    });
    close(pipe_ends[1]);
    // At a random answer, and a random moment after it.
    uint64_t given = 0;
    const uint64_t kill_at = 1 + random.Below(30);
    char byte = 0;
    while (given < kill_at && read(pipe_ends[0], &byte, 1) == 1) ++given;
    usleep(static_cast<useconds_t>(random.Below(3000)));
    ASSERT_EQ(kill(child, SIGKILL), 0);
    EXPECT_TRUE(WIFSIGNALED(StatusOf(child)));
    while (read(pipe_ends[0], &byte, 1) == 1) ++given;
    close(pipe_ends[0]);
    ASSERT_GE(given, kill_at);

    const auto cache = Open(round % 2 == 0 ? CacheMode::kReplay : CacheMode::kRecord);
    const auto model = MakeCachingModel(Share(Counting()), cache, "").value();
    for (uint64_t i = 0; i < given; ++i) {
      const auto answer = model->Complete(Seeded("r" + std::to_string(round), i));
      ASSERT_TRUE(answer) << answer.error().ToString();
      EXPECT_EQ(answer->content.size(), 5002U);
    }
    EXPECT_EQ(cache->Stats().value().misses, 0);
    // Reads every row whole.
    EXPECT_TRUE(cache->ListRequests(1'000'000));
  }
}

}  // namespace
}  // namespace kw
