#include "kw/base/memory_watch.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <vector>

namespace kw {
namespace {

constexpr int64_t kMebibyte = 1 << 20;

TEST(ParseHeldMemory, CountsWhatIsTheProcesssOwnAndWhatItShares) {
  const HeldMemory held = ParseHeldMemory(
      "Name:\tguest\nVmPeak:\t 900 kB\nVmRSS:\t     700 kB\nRssAnon:\t     300 kB\n"
      "RssFile:\t     150 kB\nRssShmem:\t     250 kB\nVmPTE:\t      40 kB\nVmSwap:\t       2 kB\n");
  EXPECT_EQ(held.own, 342 * 1024);
  EXPECT_EQ(held.shared, 250 * 1024);
}

TEST(ParseHeldMemory, TakesAllThatIsResidentWhereNothingElseIsTold) {
  EXPECT_EQ(ParseHeldMemory("VmRSS:\t     700 kB\n").own, 700 * 1024);
  EXPECT_EQ(ParseHeldMemory("nonsense").own, 0);
}

// Maps and touches some memory.
void* Touched(int64_t bytes, int flags) {
  void* map = mmap(nullptr, static_cast<size_t>(bytes), PROT_READ | PROT_WRITE,
                   flags | MAP_ANONYMOUS, -1, 0);
  EXPECT_NE(map, MAP_FAILED);
  std::memset(map, 1, static_cast<size_t>(bytes));
  return map;
}

TEST(MemoryOf, TellsOwnPagesFromSharedOnes) {
  const HeldMemory before = *MemoryOf(getpid());
  void* own = Touched(64 * kMebibyte, MAP_PRIVATE);
  const HeldMemory with_own = *MemoryOf(getpid());
  EXPECT_GE(with_own.own - before.own, 60 * kMebibyte);
  EXPECT_LE(with_own.shared - before.shared, kMebibyte);
  munmap(own, 64 * kMebibyte);
  void* shared = Touched(64 * kMebibyte, MAP_SHARED);
  const HeldMemory with_shared = *MemoryOf(getpid());
  EXPECT_LE(with_shared.own - before.own, 8 * kMebibyte);
  EXPECT_GE(with_shared.shared - before.shared, 60 * kMebibyte);
  munmap(shared, 64 * kMebibyte);
}

TEST(MemoryOf, AProcessThatIsNotThereHoldsNothing) { EXPECT_FALSE(MemoryOf(0x7ffffffe)); }

TEST(LendableMemory, IsLessThanTheMachineHas) {
  const int64_t machine = sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
  EXPECT_GT(LendableMemoryBytes(), 64 * kMebibyte);
  EXPECT_LE(LendableMemoryBytes(), machine / 10 * 9);
}

TEST(MemoryWatch, SeesTheLimitPassedAndSaysByHowMuch) {
  MemoryWatch large(getpid(), {.bytes = int64_t{1} << 50});
  EXPECT_FALSE(large.Exceeded());
  void* own = Touched(8 * kMebibyte, MAP_PRIVATE);
  MemoryWatch small(getpid(), {.bytes = kMebibyte});
  ASSERT_TRUE(small.Exceeded());
  EXPECT_GT(small.held_bytes(), kMebibyte);
  EXPECT_EQ(small.allowed_bytes(), kMebibyte);
  EXPECT_FALSE(small.short_of_machine());
  EXPECT_FALSE(small.Exceeded()) << "it looks again after a while only";
  usleep(25'000);
  EXPECT_TRUE(small.Exceeded());
  munmap(own, 8 * kMebibyte);
}

TEST(MemoryWatch, OfNobodySeesNothing) { EXPECT_FALSE(MemoryWatch().Exceeded()); }

TEST(MemoryWatch, CountsSharedMemoryWhereItIsToldTo) {
  void* shared = Touched(64 * kMebibyte, MAP_SHARED);
  const int64_t limit = MemoryOf(getpid())->own + 32 * kMebibyte;
  EXPECT_FALSE(MemoryWatch(getpid(), {.bytes = limit}).Exceeded());
  EXPECT_TRUE(MemoryWatch(getpid(), {.bytes = limit, .shared = true}).Exceeded());
  munmap(shared, 64 * kMebibyte);
}

}  // namespace
}  // namespace kw
