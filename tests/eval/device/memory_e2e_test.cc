// Candidates that take memory by ways that no limit of the address space sees.
#include <gtest/gtest.h>

#include "candidate.h"

namespace kw::eval {
namespace memory {

using Status = CallOutcome::Status;

// As in candidates/memory.cu.
enum Mode { kPlain, kPrivate, kShared, kTables };

class Memory : public testing::Test {
 protected:
  void SetUp() override {
    if (!HaveNvcc()) GTEST_SKIP() << "no nvcc on this machine";
    config_.sheet = TestSheet();
    config_.programs = KW_BINARY_DIR;
    config_.guest_memory_bytes = 512 << 20;
  }
  OpenOutcome Open() {
    auto opened = MakeEmulatorDevice(config_)->Open({ObjectOf("memory"), ModeParameters(), 7});
    EXPECT_TRUE(opened) << opened.error().ToString();
    return opened ? std::move(*opened) : OpenOutcome{};
  }
  CallOutcome Call(Mode mode) {
    OpenOutcome opened = Open();
    EXPECT_TRUE(opened.session) << opened.message;
    if (!opened.session) return {};
    CallRequest request = ModeCall(mode);
    request.host_cpu_ms = 20'000;
    auto done = opened.session->Call(request);
    EXPECT_TRUE(done) << done.error().ToString();
    return done ? *done : CallOutcome{};
  }
  EmulatorDeviceConfig config_;
};

TEST_F(Memory, PrivateMemoryAmongTheDevicesAddressesIsRefused) {
  const CallOutcome outcome = Call(kPrivate);
  EXPECT_EQ(outcome.status, Status::kGuestExited) << outcome.message;
  EXPECT_NE(outcome.message.find("exit code 77"), std::string::npos) << outcome.message;
}

TEST_F(Memory, WhatTheGuestHoldsOtherwiseEndsItAndIsNamed) {
  for (const Mode mode : {kShared, kTables}) {
    const CallOutcome outcome = Call(mode);
    EXPECT_EQ(outcome.status, Status::kHostMemory) << mode << outcome.message;
    EXPECT_NE(outcome.message.find("it may hold 512 MiB"), std::string::npos) << outcome.message;
    EXPECT_TRUE(outcome.outputs.empty());
    EXPECT_EQ(Children(), std::vector<int>{});
  }
  const CallOutcome after = Call(kPlain);
  ASSERT_EQ(after.status, Status::kOk) << after.message;
  EXPECT_EQ(Floats(after.outputs[0])[10], 13.0f);
}

TEST_F(Memory, WhatTheDeviceHoldsForACandidateEndsIt) {
  config_.device_memory_bytes = 16 << 20;
  config_.emulator_memory_bytes = 32 << 20;  // less than the variables of its programs
  const OpenOutcome opened = Open();
  EXPECT_FALSE(opened.session);
  EXPECT_FALSE(opened.unsupported);
  EXPECT_NE(opened.message.find("the device, for this candidate, held"), std::string::npos)
      << opened.message;
  EXPECT_EQ(Children(), std::vector<int>{});
}

}  // namespace memory
}  // namespace kw::eval
