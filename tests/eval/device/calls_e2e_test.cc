// Whole calls of real nvcc-compiled candidates: both processes, the ring, the emulator.
#include <gtest/gtest.h>

#include "candidate.h"

namespace kw::eval {
namespace {

using Status = CallOutcome::Status;

// The modes of candidates/behaviours.cu, in its order.
enum Mode {
  kPlain,
  kNoGuard,
  kEndless,
  kHostLoop,
  kHostDeref,
  kExit,
  kAbort,
  kDefaultStream,
  kSideStream,
  kForkJoin,
  kOneThread,
  kTooManyThreads,
  kTooManyIgnored,
  kSharedNoOptIn,
  kSharedOptIn,
  kMallocAsync,
  kConstant,
  kDeviceArray,
  kOnHost,
  kWriteInput,
  kCopyOverInput,
  kNothing,
  kMallocFree,
  kMissingFork,
  kTrap,
  kPrintf,
  kUseAfterFree,
  kPinnedInPlace,
  kEvents,
  kCooperative,
  kSynchronizedDefault,
  kLaunchEx,
  kHostRoundTrip,
  kNullOnHost,
  kManyLaunches,
  kFreeOutput,
  kEmptyGrid,
  kCopyTooMuch,
  kFork,
  kThread,
  kSocket,
  kWriteFile,
  kMallocLots,
  kCrashWithZero,
  kMemset2D,
  kQuery,
  kSleep,
  kFloodOutput,
  kFakeDone,
  kCloseControl,
  kGarbageRing,
};

class Calls : public testing::Test {
 protected:
  void SetUp() override {
    if (!HaveNvcc()) GTEST_SKIP() << "no nvcc on this machine";
    device_ = TestDevice();
    auto opened = device_->Open({ObjectOf("behaviours"), ModeParameters(), 7});
    ASSERT_TRUE(opened) << opened.error().ToString();
    ASSERT_TRUE(opened->session) << opened->message;
    session_ = std::move(opened->session);
  }
  CallOutcome Call(CallRequest request) {
    auto done = session_->Call(request);
    EXPECT_TRUE(done) << done.error().ToString();
    return done ? *done : CallOutcome{};
  }
  CallOutcome Call(Mode mode, int64_t n = 1000) { return Call(ModeCall(mode, n)); }
  static bool IsTwice(const CallOutcome& outcome) {
    if (outcome.outputs.size() != 1) return false;
    std::vector<float> y = Floats(outcome.outputs[0]);
    for (size_t i = 0; i < y.size(); ++i) {
      if (y[i] != 2.0f * (static_cast<float>(i) - 3.5f)) return false;
    }
    return true;
  }
  void ExpectTwice(Mode mode) {
    CallOutcome outcome = Call(mode);
    EXPECT_EQ(outcome.status, Status::kOk) << outcome.message;
    EXPECT_TRUE(IsTwice(outcome));
    EXPECT_EQ(outcome.output_written, std::vector<bool>{true});
    EXPECT_TRUE(outcome.hazards.empty()) << outcome.hazards[0].text;
  }
  std::unique_ptr<Device> device_;
  std::unique_ptr<Session> session_;
};

TEST_F(Calls, PlainKernelGivesItsResult) { ExpectTwice(kPlain); }
TEST_F(Calls, SharedMemoryWithOptIn) { ExpectTwice(kSharedOptIn); }
TEST_F(Calls, WorkspaceFromMallocAsync) { ExpectTwice(kMallocAsync); }
TEST_F(Calls, WorkspaceFromMallocAndFree) { ExpectTwice(kMallocFree); }
TEST_F(Calls, ConstantMemoryByAsyncSymbolCopy) { ExpectTwice(kConstant); }
TEST_F(Calls, StaticDeviceArrayBetweenKernels) { ExpectTwice(kDeviceArray); }
TEST_F(Calls, DefaultStreamWithDeviceSynchronizeIsOrdered) { ExpectTwice(kSynchronizedDefault); }
TEST_F(Calls, CooperativeLaunch) { ExpectTwice(kCooperative); }
TEST_F(Calls, LaunchWithConfig) { ExpectTwice(kLaunchEx); }
TEST_F(Calls, EventsTellTimeOnceTheyHappened) { ExpectTwice(kEvents); }
TEST_F(Calls, PollingAStreamEnds) { ExpectTwice(kQuery); }
TEST_F(Calls, PrintingOnTheHostIsDropped) {
  CallOutcome outcome = Call(kFloodOutput);
  EXPECT_EQ(outcome.status, Status::kOk) << outcome.message;
  EXPECT_FALSE(outcome.output_written[0]);
}

TEST_F(Calls, ManyLaunchesAreRecordedInOrder) {
  CallOutcome outcome = Call(kManyLaunches);
  EXPECT_TRUE(IsTwice(outcome));
  ASSERT_EQ(outcome.launches.size(), 20u);
  EXPECT_NE(outcome.launches[19].kernel.find("twice"), std::string::npos);
  EXPECT_EQ(outcome.launches[19].grid.x, 8u);
  EXPECT_GT(outcome.launches[19].counters.lane_instructions, 1000u);
}

TEST_F(Calls, OneThreadLaunchesWork) {
  CallOutcome outcome = Call(kOneThread, 50);
  EXPECT_EQ(outcome.status, Status::kOk) << outcome.message;
  EXPECT_TRUE(IsTwice(outcome));
  EXPECT_EQ(outcome.launches.size(), 50u);
}

TEST_F(Calls, ASessionServesManyCallsOfDifferentSizes) {
  for (int64_t n : {1, 100'000, 33, 1000}) {
    CallOutcome outcome = Call(kPlain, n);
    EXPECT_EQ(outcome.status, Status::kOk) << outcome.message;
    EXPECT_TRUE(IsTwice(outcome)) << n;
  }
}

TEST_F(Calls, NothingDoneLeavesOutputsUnwritten) {
  CallOutcome outcome = Call(kNothing);
  EXPECT_EQ(outcome.status, Status::kOk) << outcome.message;
  EXPECT_EQ(outcome.output_written, std::vector<bool>{false});
  EXPECT_TRUE(outcome.launches.empty());
}

TEST_F(Calls, WorkOnTheDefaultStreamIsNotOrderedWithTheCall) {
  CallOutcome outcome = Call(kDefaultStream);
  EXPECT_EQ(outcome.status, Status::kOk);
  EXPECT_EQ(outcome.output_written, std::vector<bool>{false});
  EXPECT_NE(outcome.message.find("default stream"), std::string::npos) << outcome.message;
}

TEST_F(Calls, SideStreamThatNobodyWaitsForIsNotDone) {
  CallOutcome outcome = Call(kSideStream);
  EXPECT_EQ(outcome.output_written, std::vector<bool>{false});
  EXPECT_NE(outcome.message.find("other streams"), std::string::npos) << outcome.message;
}

TEST_F(Calls, EventForkAndJoinOrdersStreams) {
  for (uint64_t seed = 0; seed < 8; ++seed) {
    CallRequest request = ModeCall(kForkJoin, 1000);
    request.seed = seed;
    CallOutcome outcome = Call(request);
    ASSERT_EQ(outcome.status, Status::kOk) << outcome.message;
    std::vector<float> y = Floats(outcome.outputs[0]);
    for (size_t i = 0; i < y.size(); ++i) ASSERT_EQ(y[i], 4 * (static_cast<float>(i) - 3.5f));
  }
}

TEST_F(Calls, MissingForkEventShowsUnderSomeSeed) {
  bool wrong = false;
  for (uint64_t seed = 0; seed < 8 && !wrong; ++seed) {
    CallRequest request = ModeCall(kMissingFork, 1000);
    request.seed = seed;
    auto outcome = session_->Call(request);
    ASSERT_TRUE(outcome);
    if (outcome->status != Status::kOk || !outcome->hazards.empty()) {
      wrong = true;
    } else {
      wrong = Floats(outcome->outputs[0])[10] != 4 * 6.5f;
    }
  }
  EXPECT_TRUE(wrong);
}

TEST_F(Calls, ResultComputedOnTheHostIsSeen) {
  CallOutcome outcome = Call(kOnHost);
  EXPECT_TRUE(IsTwice(outcome));
  EXPECT_TRUE(outcome.result_from_host);
  EXPECT_EQ(outcome.host_to_device_bytes, 4000u);
  EXPECT_EQ(outcome.device_to_host_bytes, 4000u);
}

// Whoever brings all of the input down and up again may have computed with it there.
TEST_F(Calls, ARoundTripThroughTheHostIsSeenBehindAKernel) {
  CallOutcome outcome = Call(kHostRoundTrip);
  EXPECT_TRUE(IsTwice(outcome));
  EXPECT_TRUE(outcome.result_from_host);
}

TEST_F(Calls, ChangedInputsAreHazards) {
  for (Mode mode : {kWriteInput, kCopyOverInput}) {
    auto opened = device_->Open({ObjectOf("behaviours"), ModeParameters(), 7});
    ASSERT_TRUE(opened && opened->session);
    auto outcome = opened->session->Call(ModeCall(mode));
    ASSERT_TRUE(outcome);
    ASSERT_FALSE(outcome->hazards.empty()) << mode;
    EXPECT_EQ(outcome->hazards[0].kind, "input_written");
  }
}

TEST_F(Calls, RefusedLaunchesFailTheCallEvenWhenIgnored) {
  struct {
    Mode mode;
    const char* error;
  } refused[] = {{kTooManyThreads, "cudaErrorInvalidConfiguration"},
                 {kTooManyIgnored, "cudaErrorInvalidConfiguration"},
                 {kEmptyGrid, "cudaErrorInvalidConfiguration"},
                 {kSharedNoOptIn, "cudaErrorInvalidValue"},
                 {kCopyTooMuch, "cudaErrorInvalidValue"}};
  for (const auto& [mode, error] : refused) {
    CallOutcome outcome = Call(mode);
    EXPECT_EQ(outcome.status, Status::kLaunchFailed) << mode;
    EXPECT_TRUE(outcome.message.starts_with(error)) << outcome.message;
  }
  // Such a session lives on.
  ExpectTwice(kPlain);
}

TEST_F(Calls, OutOfBoundsIsAFaultWithItsHazard) {
  CallOutcome outcome = Call(kNoGuard, 1000);
  EXPECT_EQ(outcome.status, Status::kDeviceFault) << outcome.message;
  EXPECT_NE(outcome.message.find("cudaErrorIllegalAddress"), std::string::npos) << outcome.message;
  ASSERT_FALSE(outcome.hazards.empty());
  EXPECT_EQ(outcome.hazards[0].kind, "out_of_bounds");
  EXPECT_FALSE(session_->Call(ModeCall(kPlain)));
}

TEST_F(Calls, UseAfterFreeIsAFault) {
  CallOutcome outcome = Call(kUseAfterFree);
  EXPECT_EQ(outcome.status, Status::kDeviceFault) << outcome.message;
  ASSERT_FALSE(outcome.hazards.empty());
  EXPECT_EQ(outcome.hazards[0].kind, "use_after_free");
}

TEST_F(Calls, TrapIsAFault) { EXPECT_EQ(Call(kTrap).status, Status::kDeviceFault); }

TEST_F(Calls, EndlessKernelHitsTheInstructionBudget) {
  CallOutcome outcome = Call(kEndless);
  EXPECT_EQ(outcome.status, Status::kDeviceLimit) << outcome.message;
}

TEST_F(Calls, PinnedMemoryInPlaceIsUnsupported) {
  CallOutcome outcome = Call(kPinnedInPlace);
  EXPECT_EQ(outcome.status, Status::kUnsupported) << outcome.message;
  EXPECT_NE(outcome.message.find("pinned"), std::string::npos);
}

TEST_F(Calls, BuffersOfTheCallCannotBeFreedByTheCandidate) {
  CallOutcome outcome = Call(kFreeOutput);
  EXPECT_EQ(outcome.status, Status::kOk) << outcome.message;
  EXPECT_TRUE(IsTwice(outcome));
}

TEST_F(Calls, Memset2DWritesRowsOnly) {
  CallOutcome outcome = Call(kMemset2D, 64);
  ASSERT_EQ(outcome.status, Status::kOk) << outcome.message;
  std::vector<float> y = Floats(outcome.outputs[0]);
  for (size_t i = 0; i < y.size(); ++i) EXPECT_EQ(y[i] == 0.0f, i % 8 < 4) << i;
}

TEST_F(Calls, DevicePrintfArrives) { EXPECT_EQ(Call(kPrintf).printed, "n=1000\n"); }

TEST_F(Calls, ResultsAreAPureFunctionOfTheSeed) {
  CallOutcome first = Call(kForkJoin);
  auto opened = device_->Open({ObjectOf("behaviours"), ModeParameters(), 7});
  ASSERT_TRUE(opened && opened->session);
  auto second = opened->session->Call(ModeCall(kForkJoin));
  ASSERT_TRUE(second);
  EXPECT_EQ(first.outputs, second->outputs);
  ASSERT_EQ(first.launches.size(), second->launches.size());
  for (size_t i = 0; i < first.launches.size(); ++i) {
    EXPECT_EQ(first.launches[i].kernel, second->launches[i].kernel);
    EXPECT_EQ(first.launches[i].counters.dram_sectors, second->launches[i].counters.dram_sectors);
  }
}

TEST_F(Calls, WrongNumberOfArgumentsIsAnError) {
  CallRequest request = ModeCall(kPlain);
  request.arguments.pop_back();
  auto done = session_->Call(request);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::kInvalid);
}

}  // namespace
}  // namespace kw::eval
