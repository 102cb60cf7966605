// Several processes at one bank, and processes that are killed while they write. The children are
// forks of the test, which runs no other thread.
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <thread>

#include "kw/base.h"
#include "kw/memory.h"
#include "lessons.h"

namespace kw::memory {
namespace {

pid_t Fork(const std::function<bool()>& child) {
  const pid_t pid = fork();
  if (pid == 0) _exit(child() ? 0 : 1);
  return pid;
}

int Wait(pid_t pid) {
  int status = -1;
  waitpid(pid, &status, 0);
  return status;
}

// Distinct enough that no two are merged.
MemoryItem NumberedItem(int writer, int number) {
  std::string text;
  Random random(DeriveSeed(static_cast<uint64_t>(writer * 1000 + number), "item"));
  for (int word = 0; word < 12; ++word) {
    if (word > 0) text += ' ';
    for (int letter = 0; letter < 7; ++letter) {
      text += static_cast<char>('a' + static_cast<char>(random.Below(26)));
    }
  }
  return ItemSaying(text);
}

BankChange NumberedChange(int writer, int number) {
  return ChangeOf("run" + std::to_string(writer), "step" + std::to_string(number),
                  {NumberedItem(writer, 2 * number), NumberedItem(writer, 2 * number + 1)});
}

class BankProcesses : public ::testing::Test {
 protected:
  std::unique_ptr<Bank> Open() { return Bank::Open(path_, MakeHashEmbedder()).value(); }
  ScratchDirectory scratch_ = ScratchDirectory::Make("bank").value();
  const std::string path_ = scratch_.path() + "/memory.db";
};

TEST_F(BankProcesses, TwoWritersWaitForEachOtherAndLoseNothing) {
  constexpr int kWriters = 2, kSteps = 15;
  std::vector<pid_t> children;
  for (int writer = 0; writer < kWriters; ++writer) {
    children.push_back(Fork([&] {
      auto bank = Bank::Open(path_, MakeHashEmbedder());
      if (!bank) return false;
      for (int step = 0; step < kSteps; ++step) {
        if (!(*bank)->Apply(NumberedChange(writer, step))) return false;
      }
      return true;
    }));
  }
  for (pid_t child : children) EXPECT_EQ(Wait(child), 0);
  auto bank = Open();
  EXPECT_EQ(bank->Stats().value().items, 2 * kWriters * kSteps);
  EXPECT_EQ(bank->Sequence().value(), kWriters * kSteps);
}

TEST_F(BankProcesses, AReaderSeesWhatAnotherProcessWrites) {
  auto reader = Open();
  EXPECT_TRUE(reader->Search({.text = "barrier"}).value().empty());
  EXPECT_EQ(Wait(Fork([&] {
              return Bank::Open(path_, MakeHashEmbedder())
                  .value()
                  ->Apply(ChangeOf("r", "s", {ItemOf(Lessons()[2])}))
                  .has_value();
            })),
            0);
  const std::vector<Found> found = reader->Search({.text = "barrier"}).value();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].item.title, Lessons()[2].title);
  EXPECT_EQ(reader->Apply(ChangeOf("r", "t", {ItemOf(Lessons()[3])})).value().item_ids[0], 2);
}

TEST_F(BankProcesses, ReadingWorksWhileAnotherProcessWrites) {
  auto reader = Open();
  const pid_t writer = Fork([&] {
    auto bank = Bank::Open(path_, MakeHashEmbedder());
    for (int step = 0; step < 40; ++step) {
      if (!(*bank)->Apply(NumberedChange(0, step))) return false;
    }
    return true;
  });
  int64_t last = 0;
  bool odd = false;
  int status = 0;
  while (waitpid(writer, &status, WNOHANG) == 0) {
    const auto found = reader->Search({.text = "abc", .k = 1000});
    ASSERT_TRUE(found) << found.error().ToString();
    const auto count = static_cast<int64_t>(found->size());
    odd = odd || count % 2 != 0;  // a change of two items is seen whole or not at all
    EXPECT_GE(count, last);
    last = count;
    auto second = Bank::Open(path_, nullptr);
    ASSERT_TRUE(second) << second.error().ToString();
  }
  EXPECT_EQ(status, 0);
  EXPECT_FALSE(odd);
  EXPECT_EQ(reader->Stats().value().items, 80);
}

TEST_F(BankProcesses, SurvivesAKillAtAnyMomentAndGoesOnWhereItWas) {
  constexpr int kSteps = 30;
  std::string expected;
  {
    const std::string path = scratch_.path() + "/whole.db";
    auto bank = Bank::Open(path, MakeHashEmbedder()).value();
    for (int step = 0; step < kSteps; ++step) {
      ASSERT_TRUE(bank->Apply(NumberedChange(0, step)));
    }
    expected = bank->CanonicalDump().value();
  }
  Random random(7);
  int killed = 0;
  for (int attempt = 0; attempt < 12; ++attempt) {
    const pid_t child = Fork([&] {
      auto bank = Bank::Open(path_, MakeHashEmbedder());
      if (!bank) return false;
      for (int step = 0; step < kSteps; ++step) {
        if (!(*bank)->Apply(NumberedChange(0, step))) return false;
      }
      return true;
    });
    usleep(static_cast<useconds_t>(random.Below(25'000)));
    kill(child, SIGKILL);
    const int status = Wait(child);
    if (WIFSIGNALED(status)) {
      ++killed;
    } else {
      EXPECT_EQ(WEXITSTATUS(status), 0);
    }
    auto bank = Open();
    EXPECT_EQ(bank->Stats().value().items, 2 * bank->Sequence().value());
  }
  EXPECT_GT(killed, 0);
  auto bank = Open();
  for (int step = 0; step < kSteps; ++step) ASSERT_TRUE(bank->Apply(NumberedChange(0, step)));
  EXPECT_EQ(bank->CanonicalDump().value(), expected);
}

TEST_F(BankProcesses, ManyMayCreateItAtOnce) {
  std::vector<pid_t> children;
  for (int writer = 0; writer < 6; ++writer) {
    children.push_back(Fork([&] {
      auto bank = Bank::Open(path_, MakeHashEmbedder());
      if (!bank) std::fprintf(stderr, "%s\n", bank.error().ToString().c_str());
      return bank.has_value() && (*bank)->Apply(NumberedChange(writer, 0)).has_value();
    }));
  }
  for (pid_t child : children) EXPECT_EQ(Wait(child), 0);
  EXPECT_EQ(Open()->Stats().value().items, 12);
}

TEST_F(BankProcesses, ServesManyThreads) {
  auto bank = Open();
  std::vector<std::thread> threads;
  for (int writer = 0; writer < 4; ++writer) {
    threads.emplace_back([&bank, writer] {
      for (int step = 0; step < 5; ++step) {
        EXPECT_TRUE(bank->Apply(NumberedChange(writer, step)));
        EXPECT_TRUE(bank->Search({.text = "abc"}));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(bank->Stats().value().items, 40);
}

}  // namespace
}  // namespace kw::memory
