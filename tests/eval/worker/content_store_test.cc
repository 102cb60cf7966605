#include "src/eval/worker/content_store.h"

#include <gtest/gtest.h>

#include "eval/worker/fake_rooms.h"
#include "kw/base/file.h"
#include "kw/base/hash.h"

namespace kw::eval {
namespace {

class ContentStoreTest : public testing::Test {
 protected:
  const ScratchDirectory scratch_ = *ScratchDirectory::Make("content_store");
  ContentStore store_{scratch_.path()};
  const Task task_ = *CopyTask();
};

TEST_F(ContentStoreTest, ATaskTravels) {
  EXPECT_FALSE(store_.FindTask(task_.hash));
  const auto pack = PackTask(task_);
  ASSERT_TRUE(pack);
  const auto folder = store_.StoreTask(task_.hash, *pack);
  ASSERT_TRUE(folder) << folder.error().ToString();
  EXPECT_EQ(store_.FindTask(task_.hash), *folder);
  const auto again = LoadTask(*folder);
  ASSERT_TRUE(again) << again.error().ToString();
  EXPECT_EQ(again->hash, task_.hash);
  EXPECT_EQ(again->files, task_.files);
}

TEST_F(ContentStoreTest, StoringTwiceIsStoringOnce) {
  const std::string pack = *PackTask(task_);
  ASSERT_TRUE(store_.StoreTask(task_.hash, pack));
  ASSERT_TRUE(store_.StoreTask(task_.hash, pack));
  EXPECT_EQ(ListDirectory(scratch_.path() + "/tasks")->size(), 1u);
}

TEST_F(ContentStoreTest, RefusesATaskOfAnotherHash) {
  const auto stored = store_.StoreTask("0000", *PackTask(task_));
  ASSERT_FALSE(stored);
  EXPECT_EQ(stored.error().code, ErrorCode::kCorrupt);
  EXPECT_FALSE(store_.FindTask("0000"));
  EXPECT_TRUE(ListDirectory(scratch_.path() + "/tasks")->empty());
}

TEST_F(ContentStoreTest, RefusesAPackThatEndsEarly) {
  const std::string pack = *PackTask(task_);
  for (size_t length = 0; length < pack.size(); length += 101) {
    EXPECT_FALSE(store_.StoreTask(task_.hash, pack.substr(0, length))) << length;
  }
  EXPECT_FALSE(store_.FindTask(task_.hash));
}

TEST_F(ContentStoreTest, NothingIsWrittenOutsideItsFolder) {
  const std::string root = scratch_.path() + "/unpacked";
  for (const char* name : {"../evil", "/evil", "a/../../evil", "..", ".", "a//b", "a\\b"}) {
    EXPECT_FALSE(UnpackTask("kernelwright-task 1 t\n" + std::string(name) + " 1\nx", root)) << name;
    EXPECT_FALSE(UnpackTask("kernelwright-task 1 " + std::string(name) + "\n", root)) << name;
  }
  EXPECT_FALSE(FileExists(scratch_.path() + "/evil"));
}

TEST_F(ContentStoreTest, RefusesSizesThatDoNotAddUp) {
  const std::string root = scratch_.path() + "/unpacked";
  for (const char* size : {"2", "-1", "18446744073709551616", "", "x", "1x"}) {
    EXPECT_FALSE(UnpackTask("kernelwright-task 1 t\na " + std::string(size) + "\nx", root)) << size;
  }
  EXPECT_TRUE(UnpackTask("kernelwright-task 1 t\na 1\nx", root));
}

TEST_F(ContentStoreTest, CandidatesAreNamedByTheirContent) {
  const std::string source = "__global__ void k() {}\n";
  const std::string hash = ContentHash(source);
  EXPECT_FALSE(store_.StoreCandidate("beef", source));
  EXPECT_FALSE(store_.FindCandidate(hash));
  ASSERT_TRUE(store_.StoreCandidate(hash, source));
  EXPECT_EQ(store_.FindCandidate(hash), source);
  ASSERT_TRUE(WriteFileAtomic(scratch_.path() + "/candidates/" + hash + ".cu", "changed"));
  EXPECT_FALSE(store_.FindCandidate(hash));
}

}  // namespace
}  // namespace kw::eval
