// Kills a run at every point where it could die, resumes it, and compares what is left with a run
// that was never killed: the canonical dumps of journal and bank are equal, and no finished model
// call was made again.
//
// The death is played by the journal's seam: from the chosen point on nothing is written any
// more, neither to the journal nor to the bank. That SQLite's own transactions survive a kill is
// tested with a real process in tests/e2e.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "agent/fakes.h"
#include "src/agent/run.h"

namespace kw {
namespace {

using test::FakeEmbeddings;
using test::Must;
using test::TestRooms;

struct Setting {
  const char* method;
  const char* learner;
  bool embeds = false;  // by a model that is paid
};

RunConfig ConfigOf(TestRooms& rooms, const Setting& setting) {
  RunConfig config = rooms.Config(setting.method, setting.learner);
  config.tasks = {"softmax", "gelu"};
  config.iterations = std::string(setting.method) == "best_of_n" ? 1 : 2;
  config.parallel = 2 / config.iterations;
  config.samples = 2;
  config.parallel_tasks = config.max_in_flight = 2;
  return config;
}

struct Left {
  std::string journal, bank;
  size_t calls = 0;
  int64_t embedded = 0;  // calls of the embedder that the journal knows
};

Left LeftBy(TestRooms& rooms) {
  return {Must(CanonicalJournal(rooms.folder("run"))), Must(rooms.bank->CanonicalDump()),
          rooms.model.requests().size(),
          Must(ReadRun(rooms.folder("run"))).usage[ModelRole::kEmbedder].calls};
}

class KilledRun : public ::testing::TestWithParam<Setting> {};

TEST_P(KilledRun, EndsAsIfItHadNeverBeenKilled) {
  std::atomic<int> points = 0;
  TestRooms whole;
  if (GetParam().embeds) whole.EmbedByModel();
  Must(StartRunWith(ConfigOf(whole, GetParam()), whole.View(), whole.nobody, {},
                    [&](std::string_view) { return ++points > 0; }));
  const Left expected = LeftBy(whole);
  ASSERT_GT(points, 20);

  // Every point of a short run; of a long one a share that differs from setting to setting.
  int stride = std::max(1, points / 20);
  for (int killed_at = 1; killed_at <= points; killed_at += stride) {
    SCOPED_TRACE(fmt::format("killed at point {} of {}", killed_at, points.load()));
    TestRooms rooms;
    const FakeEmbeddings* embedder = GetParam().embeds ? &rooms.EmbedByModel() : nullptr;
    std::atomic<int> passed = 0;
    auto killed = StartRunWith(ConfigOf(rooms, GetParam()), rooms.View(), rooms.nobody, {},
                               [&](std::string_view) { return ++passed < killed_at; });
    ASSERT_FALSE(killed);
    rooms.OpenBank(embedder ? "by_model.db" : "memory.db");  // as a new process would
    RunRecord run =
        Must(ResumeRunWith(rooms.folder("run"), rooms.View(), rooms.nobody, {}, {}, {}));
    EXPECT_EQ(run.state, "finished");
    Left left = LeftBy(rooms);
    ASSERT_EQ(left.journal, expected.journal);
    ASSERT_EQ(left.bank, expected.bank);
    EXPECT_GE(left.calls, expected.calls);
    EXPECT_LE(left.calls, expected.calls + 4);  // those that were in flight
    if (embedder == nullptr) continue;
    EXPECT_EQ(left.embedded, expected.embedded);
    EXPECT_GE(embedder->calls, left.embedded);
    EXPECT_LE(embedder->calls, left.embedded + 2);
  }
}

INSTANTIATE_TEST_SUITE_P(Settings, KilledRun,
                         ::testing::Values(Setting{"best_of_n", "reasoning_bank"},
                                           Setting{"base", "reasoning_bank", true},
                                           Setting{"metr", "evolrule"}, Setting{"refine", "none"}),
                         [](const auto& info) {
                           return fmt::format("{}_{}{}", info.param.method, info.param.learner,
                                              info.param.embeds ? "_embedding" : "");
                         });

}  // namespace
}  // namespace kw
