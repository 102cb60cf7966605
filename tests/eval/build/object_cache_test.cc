#include "src/eval/build/object_cache.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "kw/base/file.h"
#include "kw/base/hash.h"

namespace kw::eval {
namespace {

class ObjectCacheTest : public testing::Test {
 protected:
  ScratchDirectory folder_ = *ScratchDirectory::Make("object-cache");
  ObjectCache cache_ = *ObjectCache::Open(folder_.path());
};

BuildOutcome Built(const std::string& hash) {
  BuildOutcome outcome;
  outcome.ok = true;
  outcome.object_hash = hash;
  outcome.resources = {{"_Z1kPf", 32, 4, 512, 16}};
  return outcome;
}

TEST_F(ObjectCacheTest, GivesBackWhatWasStored) {
  const auto [hash, path] = *cache_.StoreObject("object bytes");
  EXPECT_EQ(hash, ContentHash("object bytes"));
  ASSERT_TRUE(cache_.StoreOutcome("0123", Built(hash)));
  const auto found = cache_.FindOutcome("0123");
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->ok);
  EXPECT_TRUE(found->from_cache);
  EXPECT_EQ(found->object_path, path);
  ASSERT_EQ(found->resources.size(), 1u);
  EXPECT_EQ(found->resources[0].registers, 32);
  EXPECT_EQ(found->resources[0].stack_bytes, 16);
}

TEST_F(ObjectCacheTest, KeepsFailures) {
  BuildOutcome failed;
  failed.reason = "compile_error";
  failed.feedback = "kernel.cu:1: error: \"quoted\"\n    line";
  ASSERT_TRUE(cache_.StoreOutcome("ab", failed));
  const auto found = cache_.FindOutcome("ab");
  ASSERT_TRUE(found);
  EXPECT_FALSE(found->ok);
  EXPECT_EQ(found->feedback, failed.feedback);
}

TEST_F(ObjectCacheTest, TakesADamagedObjectForMissing) {
  const auto [hash, path] = *cache_.StoreObject("object bytes");
  ASSERT_TRUE(cache_.StoreOutcome("0123", Built(hash)));
  ASSERT_TRUE(WriteFileAtomic(path, "other bytes"));
  EXPECT_FALSE(cache_.FindObject(hash));
  EXPECT_FALSE(cache_.FindOutcome("0123"));
  ASSERT_TRUE(cache_.StoreObject("object bytes"));
  EXPECT_TRUE(cache_.FindOutcome("0123"));
}

TEST_F(ObjectCacheTest, TakesADamagedOutcomeForMissing) {
  for (const char* text : {"", "{", "[]", "{\"version\":1}", "{\"version\":99,\"ok\":false}"}) {
    ASSERT_TRUE(WriteFileAtomic(folder_.path() + "/outcomes/cd.json", text));
    EXPECT_FALSE(cache_.FindOutcome("cd")) << text;
  }
}

TEST_F(ObjectCacheTest, RefusesNamesThatAreNoHashes) {
  EXPECT_FALSE(cache_.FindObject("../../etc/passwd"));
  EXPECT_FALSE(cache_.FindObject(""));
}

TEST_F(ObjectCacheTest, LetsOneThreadAtATimeHoldAKey) {
  std::atomic<int> inside = 0;
  std::atomic<bool> overlapped = false;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 50; ++round) {
        auto lock = cache_.LockKey("7f00");
        ASSERT_TRUE(lock);
        if (++inside != 1) overlapped = true;
        std::this_thread::yield();
        --inside;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_FALSE(overlapped);
}

}  // namespace
}  // namespace kw::eval
