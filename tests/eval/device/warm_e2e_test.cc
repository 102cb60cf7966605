// Processes that are started before they are needed.
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <fstream>
#include <string>
#include <thread>

#include "candidate.h"

namespace kw::eval {
namespace {

class Warm : public testing::Test {
 protected:
  void SetUp() override {
    if (!HaveNvcc()) GTEST_SKIP() << "no nvcc on this machine";
    object_ = ObjectOf("behaviours");
    device_ = TestDevice();
  }
  std::unique_ptr<Session> Open() {
    auto opened = device_->Open({object_, ModeParameters(), 7});
    EXPECT_TRUE(opened && opened->session) << (opened ? opened->message : "");
    return opened ? std::move(opened->session) : nullptr;
  }
  std::vector<float> OutputOf(Session& session) {
    auto done = session.Call(ModeCall(0));
    EXPECT_TRUE(done && done->status == CallOutcome::Status::kOk);
    return done ? Floats(done->outputs[0]) : std::vector<float>();
  }

  std::string object_;
  std::unique_ptr<Device> device_;
};

TEST_F(Warm, AreUsedOnceAndGiveTheSameResults) {
  const auto cold = Open();
  const std::vector<float> expected = OutputOf(*cold);
  device_->Prepare();
  const std::vector<int> with_ready = Children();
  EXPECT_EQ(with_ready.size(), 4u);
  device_->Prepare();
  EXPECT_EQ(Children(), with_ready) << "ready is ready";
  const auto warm = Open();
  EXPECT_EQ(Children(), with_ready) << "the ones that waited are taken";
  EXPECT_EQ(OutputOf(*warm), expected);
  const auto another = Open();
  EXPECT_EQ(Children().size(), 6u) << "nobody judges twice";
  EXPECT_EQ(OutputOf(*another), expected);
}

TEST_F(Warm, LeaveNothingBehindUnused) {
  const int before = OpenDescriptors();
  device_->Prepare();
  EXPECT_EQ(Children().size(), 2u);
  device_.reset();
  EXPECT_EQ(Children(), std::vector<int>{});
  EXPECT_EQ(OpenDescriptors(), before);
}

TEST_F(Warm, ThoseThatEndedAreReplaced) {
  device_->Prepare();
  for (const int child : Children()) kill(child, SIGKILL);
  EXPECT_FALSE(OutputOf(*Open()).empty());
  device_->Prepare();
  for (const int child : Children()) kill(child, SIGKILL);
  device_->Prepare();
  EXPECT_FALSE(OutputOf(*Open()).empty());
}

bool Ended(int pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string stat;
  std::getline(file, stat);
  return stat.empty() || stat.find(") Z ") != stat.npos;
}

// They end with the thread that started them, even as another user.
TEST_F(Warm, ServeTheThreadThatAskedForThem) {
  std::thread([&] {
    device_->Prepare();
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }).join();
  for (const int child : Children()) {
    for (int i = 0; i < 200 && !Ended(child); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    EXPECT_TRUE(Ended(child)) << child;
  }
  EXPECT_FALSE(OutputOf(*Open()).empty());
}

TEST_F(Warm, ABadObjectSpoilsNothing) {
  device_->Prepare();
  auto missing = device_->Open({"/nowhere/k.so", ModeParameters(), 7});
  EXPECT_FALSE(missing);
  EXPECT_FALSE(OutputOf(*Open()).empty());
}

}  // namespace
}  // namespace kw::eval
