// A run in a process of its own that is killed with SIGKILL at a point of its journal, and resumed
// here: what is left equals a run that was never killed.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "agent/fakes.h"
#include "src/agent/run.h"

namespace kw {
namespace {

using test::AnswerAnything;
using test::Must;
using test::TestRooms;

RunConfig ConfigIn(const std::string& dir, const std::string& learner) {
  RunConfig config;
  config.name = "run";
  config.dir = dir;
  config.seed = 11;
  config.epochs = 2;
  config.batch = 2;
  config.parallel_tasks = 2;
  config.tasks = {"softmax", "gelu", "row_sum"};
  config.method = "metr";
  config.samples = config.iterations = 2;
  config.learner = learner;
  return config;
}

// Everything of a run but the folder, opened by the process that runs it.
struct Process {
  explicit Process(const std::string& dir)
      : bank(Must(Bank::Open(dir + "/memory.db", MakeHashEmbedder()))) {}

  RunRooms View() {
    return {.model = &model,
            .evaluator = &evaluator,
            .tasks = &tasks,
            .bank = bank.get(),
            .prompts = std::string(KW_SOURCE_DIR) + "/prompts",
            .clock = &SystemClock()};
  }

  ScriptedModel model{AnswerAnything};
  test::FakeEvaluator evaluator;
  eval::TaskLibrary tasks =
      Must(eval::TaskLibrary::Open(std::string(KW_SOURCE_DIR) + "/data/tasks"));
  std::unique_ptr<Bank> bank;
  RunObserver nobody;
};

// Runs in a child until its journal has passed `points` points; 0 means to the end.
void RunInChild(const std::string& dir, const std::string& learner, int points) {
  pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    Process process(dir);
    std::atomic<int> passed = 0;
    auto seam = [&](std::string_view) {
      if (++passed == points) raise(SIGKILL);
      return true;
    };
    auto run = StartRunWith(ConfigIn(dir, learner), process.View(), process.nobody, {}, seam);
    _exit(run ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  if (points == 0) {
    ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  } else {
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  }
}

class KilledProcess : public ::testing::TestWithParam<const char*> {};

TEST_P(KilledProcess, ResumesToTheSameEnd) {
  ScratchDirectory whole = Must(ScratchDirectory::Make("kill_test"));
  RunInChild(whole.path(), GetParam(), 0);
  const std::string journal = Must(CanonicalJournal(whole.path() + "/run"));
  const std::string bank = Must(Process(whole.path()).bank->CanonicalDump());

  for (int points : {1, 2, 7, 23, 48, 61, 80}) {
    SCOPED_TRACE(fmt::format("killed at point {}", points));
    ScratchDirectory scratch = Must(ScratchDirectory::Make("kill_test"));
    RunInChild(scratch.path(), GetParam(), points);
    EXPECT_EQ(Must(ReadRun(scratch.path() + "/run")).state, "running");
    Process process(scratch.path());
    RunRecord run = Must(ResumeRun(scratch.path() + "/run", process.View(), process.nobody, {}));
    EXPECT_EQ(run.state, "finished");
    EXPECT_EQ(Must(CanonicalJournal(run.folder)), journal);
    EXPECT_EQ(Must(process.bank->CanonicalDump()), bank);
  }
}

INSTANTIATE_TEST_SUITE_P(Learners, KilledProcess, ::testing::Values("reasoning_bank", "evolrule"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace kw
