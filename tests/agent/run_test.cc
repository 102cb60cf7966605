#include "src/agent/run.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "agent/fakes.h"
#include "src/agent/loop.h"

namespace kw {
namespace {

using test::AnswerAnything;
using test::Must;
using test::TestRooms;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Observer : public RunObserver {
 public:
  void Began(const RunRecord& run, int done) override {
    planned = run.attempts_planned;
    done_before = done;
  }
  void Attempted(const AttemptRecord& attempt) override { attempted.insert(attempt.step); }
  void EpochEnded(const EpochRecord& epoch) override { epochs.push_back(epoch); }

  int planned = 0, done_before = -1;
  std::multiset<std::string> attempted;
  std::vector<EpochRecord> epochs;
};

TEST(Run, TellsTheObserverWhatHappens) {
  TestRooms rooms;
  Observer observer;
  RunConfig config = rooms.Config("best_of_n", "reasoning_bank");
  config.samples = config.parallel = 2;
  RunRecord run = Must(StartRun(config, rooms.View(), observer, {}));
  EXPECT_EQ(run.state, "finished");
  EXPECT_EQ(observer.planned, 12);
  EXPECT_EQ(observer.done_before, 0);
  EXPECT_EQ(observer.attempted.size(), 12u);
  ASSERT_EQ(observer.epochs.size(), 2u);
  ASSERT_EQ(run.epochs.size(), 2u);
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(observer.epochs[i].correct, run.epochs[i].correct);
    EXPECT_EQ(observer.epochs[i].model_calls, run.epochs[i].model_calls);
    EXPECT_EQ(observer.epochs[i].memory_items, run.epochs[i].memory_items);
    EXPECT_GT(run.epochs[i].cost_usd, 0);
  }
  EXPECT_EQ(run.epochs[0].model_calls + run.epochs[1].model_calls,
            static_cast<int64_t>(rooms.model.requests().size()));
}

TEST(Run, EachEpochGoesThroughAllTasksInAnOrderOfItsOwn) {
  std::vector<eval::Task> tasks;
  for (int i = 0; i < 10; ++i) tasks.push_back(test::MadeTask(fmt::format("t{}", i)));
  RunConfig config;
  config.batch = 4;
  auto names = [&](int epoch) {
    std::vector<std::string> order;
    for (const auto& batch : BatchesOf(tasks, config, epoch)) {
      for (const eval::Task* task : batch) order.push_back(task->name);
    }
    return order;
  };
  auto batches = BatchesOf(tasks, config, 0);
  ASSERT_EQ(batches.size(), 3u);
  EXPECT_EQ(batches[0].size(), 4u);
  EXPECT_EQ(batches[2].size(), 2u);
  EXPECT_EQ(names(0), names(0));
  EXPECT_NE(names(0), names(1));
  std::vector<std::string> sorted = names(1);
  std::sort(sorted.begin(), sorted.end());
  EXPECT_THAT(sorted, ElementsAre("t0", "t1", "t2", "t3", "t4", "t5", "t6", "t7", "t8", "t9"));
  config.seed = 2;
  RunConfig other = config;
  other.seed = 3;
  EXPECT_NE(BatchesOf(tasks, config, 0)[0], BatchesOf(tasks, other, 0)[0]);
}

class SameWhateverTheThreads : public ::testing::TestWithParam<const char*> {};

TEST_P(SameWhateverTheThreads, JournalAndBankAreEqual) {
  std::set<std::string> journals, banks;
  for (int threads : {1, 4}) {
    for (const char* method : {"best_of_n"}) {
      TestRooms rooms;
      RunConfig config = rooms.Config(method, GetParam());
      config.parallel_tasks = threads;
      config.max_in_flight = threads;
      config.samples = config.parallel = 3;
      config.batch = 3;
      RunRecord run = Must(StartRun(config, rooms.View(), rooms.nobody, {}));
      journals.insert(Must(CanonicalJournal(run.folder)));
      banks.insert(Must(rooms.bank->CanonicalDump()));
    }
  }
  EXPECT_EQ(journals.size(), 1u);
  EXPECT_EQ(banks.size(), 1u);
}
INSTANTIATE_TEST_SUITE_P(Learners, SameWhateverTheThreads,
                         ::testing::Values("none", "reasoning_bank", "evolrule"),
                         [](const auto& info) { return std::string(info.param); });

TEST(Run, SeedsMakeADifference) {
  TestRooms rooms;
  RunConfig config = rooms.Config("base", "none");
  std::string first =
      Must(CanonicalJournal(Must(StartRun(config, rooms.View(), rooms.nobody, {})).folder));
  config.name = "second";
  config.seed = 8;
  std::string second =
      Must(CanonicalJournal(Must(StartRun(config, rooms.View(), rooms.nobody, {})).folder));
  EXPECT_NE(first, second);
}

TEST(Run, StopsAtItsCostCapAndGoesOnWithAHigherOne) {
  TestRooms rooms;
  RunConfig config = rooms.Config("base", "none");
  config.max_cost_usd = 0.0025;  // a call costs 0.001
  config.parallel_tasks = 1;
  auto run = StartRun(config, rooms.View(), rooms.nobody, {});
  ASSERT_FALSE(run);
  EXPECT_EQ(run.error().code, ErrorCode::kLimit);
  EXPECT_THAT(run.error().message, HasSubstr("run.max_cost_usd"));
  RunRecord stopped = Must(ReadRun(rooms.folder("run")));
  EXPECT_EQ(stopped.state, "stopped");
  EXPECT_EQ(rooms.model.requests().size(), 3u);
  EXPECT_FALSE(ResumeRun(rooms.folder("run"), rooms.View(), rooms.nobody, {}));
  RunRecord done = Must(
      ResumeRun(rooms.folder("run"), rooms.View(), rooms.nobody, {}, {{"run.max_cost_usd", "1"}}));
  EXPECT_EQ(done.state, "finished");
  EXPECT_EQ(rooms.model.requests().size(), 6u);
  EXPECT_EQ(Must(ReadRunConfig(rooms.folder("run"))).max_cost_usd, 1);
}

TEST(Run, AModelThatFailsStopsTheRunAndNothingIsLost) {
  int calls = 0;
  TestRooms rooms([&](const ChatRequest& request) -> Result<ChatAnswer> {
    if (++calls == 4) return Fail(ErrorCode::kUnavailable, "the endpoint is gone");
    return AnswerAnything(request);
  });
  RunConfig config = rooms.Config("base", "reasoning_bank");
  config.parallel_tasks = config.max_in_flight = 1;
  auto run = StartRun(config, rooms.View(), rooms.nobody, {});
  ASSERT_FALSE(run);
  EXPECT_EQ(run.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(run.error().ToString(), HasSubstr("the endpoint is gone"));
  EXPECT_EQ(Must(ReadRun(rooms.folder("run"))).state, "stopped");
  Observer observer;
  RunRecord done = Must(ResumeRun(rooms.folder("run"), rooms.View(), observer, {}));
  EXPECT_EQ(done.state, "finished");
  EXPECT_GT(observer.done_before, 0);
  EXPECT_EQ(observer.attempted.size() + static_cast<size_t>(observer.done_before), 6u);
  EXPECT_EQ(rooms.model.requests().size(),
            static_cast<size_t>(done.epochs[0].model_calls + done.epochs[1].model_calls + 1));
}

TEST(Run, AnEvaluatorThatFailsStopsTheRun) {
  TestRooms rooms;
  rooms.evaluator.fail_next = Error{ErrorCode::kUnavailable, "no worker", ""};
  RunConfig config = rooms.Config("base", "none");
  config.parallel_tasks = 1;
  config.epochs = 3;
  EXPECT_FALSE(StartRun(config, rooms.View(), rooms.nobody, {}));
  EXPECT_EQ(Must(ReadRun(rooms.folder("run"))).state, "stopped");
  EXPECT_EQ(Must(ResumeRun(rooms.folder("run"), rooms.View(), rooms.nobody, {})).state, "finished");
}

TEST(Run, CanBeAskedToStop) {
  TestRooms rooms;
  int asked = 0;
  auto run = StartRun(rooms.Config("base", "none"), rooms.View(), rooms.nobody,
                      [&] { return ++asked > 5; });
  ASSERT_FALSE(run);
  EXPECT_EQ(run.error().code, ErrorCode::kCancelled);
  EXPECT_EQ(Must(ResumeRun(rooms.folder("run"), rooms.View(), rooms.nobody, {})).state, "finished");
}

TEST(Run, ResumingAFinishedRunDoesNothing) {
  TestRooms rooms;
  RunRecord run = Must(StartRun(rooms.Config("base", "none"), rooms.View(), rooms.nobody, {}));
  size_t calls = rooms.model.requests().size();
  RunRecord again = Must(ResumeRun(run.folder, rooms.View(), rooms.nobody, {}));
  EXPECT_EQ(again.state, "finished");
  EXPECT_EQ(again.attempts.size(), run.attempts.size());
  EXPECT_EQ(rooms.model.requests().size(), calls);
}

TEST(Run, ChangedPromptsAreSaidOnResume) {
  TestRooms rooms;
  RunConfig config = rooms.Config("base", "none");
  std::string prompts = rooms.scratch.path() + "/prompts";
  Must(MakeDirectories(prompts));
  std::string original = std::string(KW_SOURCE_DIR) + "/prompts";
  for (const std::string& name : Must(ListDirectory(original))) {
    Must(WriteFileAtomic(prompts + "/" + name, Must(ReadFile(original + "/" + name))));
  }
  RunRooms view = rooms.View();
  view.prompts = prompts;
  int asked = 0;
  ASSERT_FALSE(StartRun(config, view, rooms.nobody, [&] { return ++asked > 5; }));
  Must(WriteFileAtomic(prompts + "/answer.mustache", "Answer.\n"));
  auto resumed = ResumeRun(rooms.folder("run"), view, rooms.nobody, {});
  ASSERT_FALSE(resumed);
  EXPECT_EQ(resumed.error().code, ErrorCode::kConflict);
  EXPECT_THAT(resumed.error().message, HasSubstr("prompts"));
}

TEST(Run, RefusesNamesAndTasksThatCannotBe) {
  TestRooms rooms;
  RunConfig config = rooms.Config("base", "none");
  config.tasks = {"softmax", "softmax"};
  auto twice = StartRun(config, rooms.View(), rooms.nobody, {});
  ASSERT_FALSE(twice);
  EXPECT_THAT(twice.error().message, HasSubstr("twice"));
  config.tasks = {"sofmax"};
  EXPECT_FALSE(StartRun(config, rooms.View(), rooms.nobody, {}));
  config = rooms.Config("base", "none");
  Must(StartRun(config, rooms.View(), rooms.nobody, {}));
  auto again = StartRun(config, rooms.View(), rooms.nobody, {});
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::kConflict);
}

TEST(Run, ListsRunsNewestFirst) {
  TestRooms rooms;
  RunConfig config = rooms.Config("base", "none");
  config.epochs = 1;
  for (const char* name : {"b", "a", "c"}) {
    config.name = name;
    rooms.clock.Advance(1'000'000);
    Must(StartRun(config, rooms.View(), rooms.nobody, {}));
  }
  EXPECT_THAT(Must(ListRuns(rooms.scratch.path())), ElementsAre("c", "a", "b"));
  EXPECT_TRUE(Must(ListRuns(rooms.scratch.path() + "/none")).empty());
}

}  // namespace
}  // namespace kw
