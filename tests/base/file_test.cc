#include "kw/base/file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

namespace kw {
namespace {

TEST(Files, RoundTripAndReplaceWhole) {
  const ScratchDirectory scratch = *ScratchDirectory::Make("file-test");
  const std::string path = scratch.path() + "/a.txt";
  ASSERT_TRUE(WriteFileAtomic(path, "first"));
  ASSERT_TRUE(WriteFileAtomic(path, std::string("second\0", 7)));
  EXPECT_EQ(*ReadFile(path), std::string("second\0", 7));
  EXPECT_EQ(*ListDirectory(scratch.path()), std::vector<std::string>{"a.txt"});
}

TEST(ReadFile, NamesWhatIsMissingTooLargeOrNoFile) {
  const ScratchDirectory scratch = *ScratchDirectory::Make("file-test");
  EXPECT_EQ(ReadFile(scratch.path() + "/none").error().code, ErrorCode::kNotFound);
  ASSERT_TRUE(WriteFileAtomic(scratch.path() + "/big", std::string(100, 'x')));
  EXPECT_EQ(ReadFile(scratch.path() + "/big", 10).error().code, ErrorCode::kLimit);
  EXPECT_EQ(ReadFile(scratch.path()).error().code, ErrorCode::kInvalid);
  ASSERT_EQ(mkfifo((scratch.path() + "/fifo").c_str(), 0600), 0);
  EXPECT_EQ(ReadFile(scratch.path() + "/fifo").error().code, ErrorCode::kInvalid);
}

TEST(ScratchDirectory, IsRemovedWithAllItHolds) {
  std::string path;
  {
    const ScratchDirectory scratch = *ScratchDirectory::Make("file-test");
    path = scratch.path();
    ASSERT_TRUE(MakeDirectories(path + "/a/b"));
    ASSERT_TRUE(WriteFileAtomic(path + "/a/b/c", "x"));
  }
  EXPECT_FALSE(IsDirectory(path));
}

TEST(ScratchDirectory, TheFirstOneRemovesWhatKilledProcessesLeft) {
  const ScratchDirectory temporary = *ScratchDirectory::Make("file-test");
  const char* const before = std::getenv("TMPDIR");
  const std::string restored = before == nullptr ? "" : before;
  const std::string root = temporary.path() + "/kwright-scratch-" + std::to_string(::getuid());
  ASSERT_TRUE(MakeDirectories(root + "/build-abandoned/a"));
  ASSERT_TRUE(MakeDirectories(root + "/build-in-use"));
  const int held = ::open((root + "/build-in-use").c_str(), O_RDONLY | O_DIRECTORY);
  ASSERT_EQ(::flock(held, LOCK_EX), 0);
  setenv("TMPDIR", temporary.path().c_str(), 1);
  const auto scratch = ScratchDirectory::Make("file-test");
  before == nullptr ? unsetenv("TMPDIR") : setenv("TMPDIR", restored.c_str(), 1);
  ASSERT_TRUE(scratch) << scratch.error().ToString();
  EXPECT_FALSE(IsDirectory(root + "/build-abandoned"));
  EXPECT_TRUE(IsDirectory(root + "/build-in-use"));
  EXPECT_TRUE(IsDirectory(scratch->path()));
  ::close(held);
}

TEST(ProgramHome, IsTheFolderNamedOrAnError) {
  setenv("KWRIGHT_HOME", "/nonexistent", 1);
  EXPECT_EQ(ProgramHome().error().code, ErrorCode::kNotFound);
  unsetenv("KWRIGHT_HOME");
}

}  // namespace
}  // namespace kw
