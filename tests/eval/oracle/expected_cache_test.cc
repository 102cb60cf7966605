#include "src/eval/oracle/expected_cache.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "eval/oracle/fake_task.h"
#include "kw/base/file.h"

namespace kw::eval {
namespace {

Expected ExpectedOf(size_t floats) {
  Expected expected;
  expected.floats = {std::vector<double>(floats, 1.5), {}};
  expected.integers = {{}, {-3, 1LL << 60}};
  expected.floats[0][0] = -INFINITY;
  return expected;
}

class ExpectedFilesTest : public testing::Test {
 protected:
  std::string Folder() const { return folder_.path() + "/expected"; }
  size_t FilesThere() const { return ListDirectory(Folder())->size(); }
  ScratchDirectory folder_ = *ScratchDirectory::Make("expected");
};

TEST_F(ExpectedFilesTest, KeepsEveryBitForAnotherProgram) {
  ExpectedFiles(Folder(), 1 << 20).Store("key", ExpectedOf(5));
  ExpectedFiles files(Folder(), 1 << 20);
  const auto found = files.Find("key");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->floats, ExpectedOf(5).floats);
  EXPECT_EQ(found->integers, ExpectedOf(5).integers);
  EXPECT_FALSE(files.Find("another"));
}

TEST_F(ExpectedFilesTest, TakesADamagedFileForNone) {
  ExpectedFiles files(Folder(), 1 << 20);
  files.Store("key", ExpectedOf(5));
  const std::string whole = *ReadFile(Folder() + "/key");
  for (size_t kept = 0; kept < whole.size(); ++kept) {
    ASSERT_TRUE(WriteFileAtomic(Folder() + "/key", whole.substr(0, kept)));
    EXPECT_FALSE(files.Find("key")) << kept;
  }
  for (size_t at = 0; at < whole.size(); ++at) {
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    ASSERT_TRUE(WriteFileAtomic(Folder() + "/key", changed));
    EXPECT_FALSE(files.Find("key")) << at;
  }
}

TEST_F(ExpectedFilesTest, StaysWithinItsLimitAndDropsWhatWasNotUsedForLongest) {
  constexpr int64_t kLimit = 64 << 10;
  ExpectedFiles files(Folder(), kLimit);
  for (int i = 0; i < 100; ++i) {
    files.Store("key" + std::to_string(i), ExpectedOf(500));
    std::filesystem::last_write_time(
        Folder() + "/key" + std::to_string(i),
        std::filesystem::file_time_type::clock::now() - std::chrono::hours(200 - i));
    files.Find("key0");
  }
  int64_t bytes = 0;
  const std::vector<std::string> names = *ListDirectory(Folder());
  for (const std::string& name : names) {
    bytes += static_cast<int64_t>(std::filesystem::file_size(Folder() + "/" + name));
  }
  EXPECT_LE(bytes, kLimit);
  EXPECT_GT(bytes, kLimit / 8);
  EXPECT_TRUE(files.Find("key0"));
  EXPECT_TRUE(files.Find("key99"));
  EXPECT_FALSE(files.Find("key1"));
}

TEST_F(ExpectedFilesTest, KeepsNothingThatIsMostOfTheLimitAndNothingWithoutAFolder) {
  ExpectedFiles files(Folder(), 1 << 10);
  files.Store("key", ExpectedOf(500));
  EXPECT_EQ(FilesThere(), 0u);
  ExpectedFiles none("", 1 << 20);
  none.Store("key", ExpectedOf(5));
  EXPECT_FALSE(none.Find("key"));
}

TEST_F(ExpectedFilesTest, IsReadableForItsOwnerAlone) {
  const ExpectedFiles files(Folder(), 1 << 20);
  EXPECT_EQ(std::filesystem::status(Folder()).permissions(), std::filesystem::perms::owner_all);
}

TEST(ExpectedFileKey, FollowsTheInputsAndNotTheSeedThatMadeThem) {
  const Task task = DoubleTask();
  Case c = CaseOf({{"rows", 3}, {"cols", 33}});
  const CaseInputs inputs{.tensors = {}, .hash = "a"}, others{.tensors = {}, .hash = "b"};
  const std::string key = ExpectedFileKey(task, c, inputs);
  EXPECT_NE(ExpectedFileKey(task, c, others), key);
  c.seed += 1;
  EXPECT_EQ(ExpectedFileKey(task, c, inputs), key);
  c.scalars["eps"] = 1;
  EXPECT_NE(ExpectedFileKey(task, c, inputs), key);
}

}  // namespace
}  // namespace kw::eval
