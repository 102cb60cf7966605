#include "src/eval/device/device_service.h"

#include <gtest/gtest.h>

#include <cstring>

#include "src/eval/device/cuda_errors.h"

namespace kw::eval {
namespace {

using ring::Op;
using Status = CallOutcome::Status;

constexpr char kPtx[] = R"(
.version 8.0
.target sm_80
.address_size 64
.global .align 4 .b8 table[64];
.visible .entry copy(.param .u64 from, .param .u64 to, .param .u32 count)
{
  .reg .pred %p<2>;
  .reg .b32 %r<3>;
  .reg .f32 %f<2>;
  .reg .b64 %rd<6>;
  ld.param.u64 %rd1, [from];
  ld.param.u64 %rd2, [to];
  ld.param.u32 %r1, [count];
  mov.u32 %r2, %tid.x;
  setp.ge.u32 %p1, %r2, %r1;
  @%p1 bra DONE;
  mul.wide.u32 %rd3, %r2, 4;
  add.s64 %rd4, %rd1, %rd3;
  add.s64 %rd5, %rd2, %rd3;
  ld.global.f32 %f1, [%rd4];
  st.global.f32 [%rd5], %f1;
DONE:
  ret;
}
)";

constexpr uint64_t kBytes = 128;  // of x and of y

class Service : public testing::Test {
 protected:
  void SetUp() override {
    sheet_.memory_bytes = 1 << 30;
    service_.emplace(OpenMessage{.sheet = sheet_, .seed = 5, .memory_bytes = 1 << 20});
    LoadedMessage loaded = service_->LoadPtx({kPtx});
    ASSERT_TRUE(loaded.ok) << loaded.text;
    for (uint64_t i = 0; i < kBytes; ++i) exchange_[i] = static_cast<char>(i);
    Begin();
  }
  void Begin() {
    BeganMessage began = service_->Begin(
        {1, 1'000'000, 2 * kBytes, {{"x", false, 0, kBytes}, {"y", true, kBytes, kBytes}}},
        exchange_);
    ASSERT_TRUE(began.ok) << began.text;
    x_ = began.addresses[0];
    y_ = began.addresses[1];
    stream_ = began.stream;
  }
  ServiceReply Ask(Op op, std::vector<uint64_t> values, const std::string& body = "") {
    ring::Request request{};
    request.op = static_cast<uint32_t>(op);
    request.body_bytes = static_cast<uint32_t>(body.size());
    std::copy(values.begin(), values.end(), request.values);
    return service_->Serve(request, body);
  }
  ServiceReply Launch(uint64_t from, uint64_t to, uint64_t stream, uint32_t threads = 32) {
    uint64_t kernel = Ask(Op::kFindKernel, {}, "copy").values[0];
    std::string parameters(20, '\0');
    uint32_t count = kBytes / 4;
    std::memcpy(&parameters[0], &from, 8);
    std::memcpy(&parameters[8], &to, 8);
    std::memcpy(&parameters[16], &count, 4);
    return Ask(Op::kLaunch,
               {kernel, 1 | 1ull << 32, 1 | uint64_t{threads} << 32, 1 | 1ull << 32, 0, stream, 0},
               parameters);
  }
  CallOutcome End() { return service_->End({true}, exchange_.data()); }
  std::string Output() const { return exchange_.substr(kBytes); }
  std::string Input() const { return exchange_.substr(0, kBytes); }

  DeviceSheet sheet_;
  std::optional<DeviceService> service_;
  std::string exchange_ = std::string(2 * kBytes, '\0');
  uint64_t x_ = 0, y_ = 0, stream_ = 0;
};

TEST_F(Service, RunsAKernelOnTheCallsStream) {
  EXPECT_EQ(Launch(x_, y_, stream_).error, 0);
  CallOutcome outcome = End();
  EXPECT_EQ(outcome.status, Status::kOk) << outcome.message;
  EXPECT_EQ(Output(), Input());
  ASSERT_EQ(outcome.launches.size(), 1u);
  EXPECT_EQ(outcome.launches[0].kernel, "copy");
  EXPECT_EQ(outcome.output_written, std::vector<bool>{true});
  EXPECT_FALSE(outcome.result_from_host);
}

TEST_F(Service, OperationsThatAreNoneEndTheSession) {
  for (uint32_t op : {0u, ring::kOpCount + 1, ~0u}) {
    SetUp();
    EXPECT_NE(Ask(static_cast<Op>(op), {}).error, 0);
    EXPECT_TRUE(service_->stopped());
    EXPECT_NE(Ask(Op::kHello, {}).sticky, 0);
    EXPECT_EQ(End().status, Status::kProtocol);
  }
}

TEST_F(Service, ABodyThatIsNotAsLongAsItSaysEndsTheSession) {
  ring::Request request{};
  request.op = static_cast<uint32_t>(Op::kFindKernel);
  request.body_bytes = ~0u;
  EXPECT_NE(service_->Serve(request, "").error, 0);
  EXPECT_EQ(End().status, Status::kProtocol);
}

TEST_F(Service, ParametersOfTheWrongSizeEndTheSession) {
  uint64_t kernel = Ask(Op::kFindKernel, {}, "copy").values[0];
  Ask(Op::kLaunch, {kernel, 1 | 1ull << 32, 1 | 1ull << 32, 1 | 1ull << 32, 0, stream_, 0}, "abc");
  EXPECT_EQ(End().status, Status::kProtocol);
}

TEST_F(Service, ARefusedLaunchIsKeptThoughTheNextOneWorks) {
  EXPECT_EQ(Launch(x_, y_, stream_, 2048).error, kCudaInvalidConfiguration);
  EXPECT_EQ(Launch(x_, y_, stream_).error, 0);
  CallOutcome outcome = End();
  EXPECT_EQ(outcome.status, Status::kLaunchFailed);
  EXPECT_TRUE(outcome.message.starts_with("cudaErrorInvalidConfiguration: launch of copy"))
      << outcome.message;
  EXPECT_EQ(Output(), Input());
  // The next call starts clean.
  Begin();
  EXPECT_EQ(Launch(x_, y_, stream_).error, 0);
  EXPECT_EQ(End().status, Status::kOk);
}

TEST_F(Service, UnknownStreamsKernelsAndEventsAreRefused) {
  EXPECT_EQ(Launch(x_, y_, 0x9999).error, kCudaInvalidResourceHandle);
  EXPECT_EQ(Ask(Op::kFindKernel, {}, "nothing").error, kCudaInvalidDeviceFunction);
  EXPECT_EQ(Ask(Op::kOccupancy, {77, 32, 0}).error, kCudaInvalidDeviceFunction);
  EXPECT_EQ(Ask(Op::kEventRecord, {77, stream_}).error, kCudaInvalidResourceHandle);
  EXPECT_EQ(Ask(Op::kStreamDestroy, {stream_}).error, kCudaInvalidResourceHandle);
  EXPECT_EQ(Ask(Op::kFindSymbol, {}, "nothing").error, kCudaInvalidSymbol);
  EXPECT_EQ(End().status, Status::kLaunchFailed);
}

TEST_F(Service, WorkOnAnotherStreamIsNotDone) {
  uint64_t side = Ask(Op::kStreamCreate, {1, 0}).values[0];
  EXPECT_EQ(Launch(x_, y_, side).error, 0);
  CallOutcome outcome = End();
  EXPECT_EQ(outcome.status, Status::kOk);
  EXPECT_EQ(outcome.output_written, std::vector<bool>{false});
  EXPECT_NE(outcome.message.find("1 operation(s) on other streams"), std::string::npos);
}

TEST_F(Service, HostCopiesIntoOutputsAreSeenThroughDeviceCopies) {
  uint64_t own = Ask(Op::kAllocate, {kBytes, 0}).values[0];
  EXPECT_EQ(Ask(Op::kCopyIn, {own, kBytes, kBytes, 1, stream_, 0}, std::string(kBytes, 'h')).error,
            0);
  EXPECT_EQ(Ask(Op::kCopyDevice, {y_, kBytes, own, kBytes, kBytes, 1, stream_}).error, 0);
  CallOutcome outcome = End();
  EXPECT_TRUE(outcome.result_from_host);
  EXPECT_EQ(outcome.host_to_device_bytes, kBytes);
  EXPECT_EQ(Output(), std::string(kBytes, 'h'));
}

TEST_F(Service, AKernelAfterAHostCopyIsTheLastWriter) {
  Ask(Op::kCopyIn, {y_, kBytes, kBytes, 1, stream_, 0}, std::string(kBytes, 'h'));
  Launch(x_, y_, stream_);
  EXPECT_FALSE(End().result_from_host);
}

// As large as what a test case has: below some kilobytes, sizes and flags may go down and up.
class LargeService : public Service {
 protected:
  static constexpr uint64_t kLarge = 32 << 10;
  void SetUp() override {
    Service::SetUp();
    End();
    exchange_.assign(2 * kLarge, 'x');
    BeganMessage began = service_->Begin(
        {1, 1'000'000, 2 * kLarge, {{"x", false, 0, kLarge}, {"y", true, kLarge, kLarge}}},
        exchange_);
    ASSERT_TRUE(began.ok) << began.text;
    x_ = began.addresses[0];
    y_ = began.addresses[1];
    stream_ = began.stream;
  }
  void CopyDown(uint64_t bytes) { Ask(Op::kCopyOut, {x_, bytes, bytes, 1, stream_}); }
  void CopyUp(uint64_t to, uint64_t bytes) {
    Ask(Op::kCopyIn, {to, bytes, bytes, 1, stream_, 0}, std::string(bytes, 'h'));
  }
};

TEST_F(LargeService, AResultThatWentDownAndUpIsSeenBehindAKernel) {
  CopyDown(kLarge);
  CopyUp(y_, kLarge);
  Launch(x_, y_, stream_);
  EXPECT_TRUE(End().result_from_host);
}

TEST_F(LargeService, AResultInAKernelsParametersIsSeen) {
  CopyDown(kLarge);
  Launch(x_, y_, stream_);
  EXPECT_TRUE(End().result_from_host);
}

TEST_F(LargeService, AFlagThatGoesDownAndATableThatGoesUpAreNoResult) {
  CopyUp(Ask(Op::kAllocate, {kLarge, 0}).values[0], kLarge);
  Launch(x_, y_, stream_);
  CopyDown(64);
  Launch(x_, y_, stream_);
  EXPECT_FALSE(End().result_from_host);
}

TEST_F(LargeService, LookingAtTheInputsAfterTheWorkIsNoResult) {
  Launch(x_, y_, stream_);
  CopyDown(kLarge);
  EXPECT_FALSE(End().result_from_host);
}

TEST_F(Service, CopiesAndFillsOnTheDeviceAreCounted) {
  Ask(Op::kFill, {y_, kBytes, kBytes, 1, 0, stream_});
  Ask(Op::kCopyDevice, {y_, 64, x_, 64, 64, 1, stream_});
  CallOutcome outcome = End();
  EXPECT_EQ(outcome.device_moves, 2u);
  EXPECT_EQ(outcome.device_moved_bytes, kBytes + 2 * 64);
}

TEST_F(Service, ACallMayHaveTheBuffersOfTheOneBefore) {
  const uint64_t x = x_, y = y_;
  Launch(x_, y_, stream_);
  End();
  BeginMessage again{
      1, 1'000'000, 2 * kBytes, {{"x", false, 0, kBytes}, {"y", true, kBytes, kBytes}}, true};
  exchange_ = std::string(kBytes, 'n') + std::string(kBytes, ' ');
  BeganMessage began = service_->Begin(again, exchange_);
  ASSERT_TRUE(began.ok) << began.text;
  EXPECT_EQ(began.addresses, (std::vector<uint64_t>{x, y}));
  stream_ = began.stream;
  // Nothing of the last answer is left, and an unwritten output is seen.
  EXPECT_EQ(End().output_written, std::vector<bool>{false});
  EXPECT_NE(Output(), Input());
  EXPECT_EQ(Input(), std::string(kBytes, 'n'));
  again.buffers[1].bytes = kBytes / 2;
  began = service_->Begin(again, exchange_);
  ASSERT_TRUE(began.ok) << began.text;
  EXPECT_NE(began.addresses[0], x) << "other sizes, other buffers";
  stream_ = began.stream;
  End();
  Begin();
  EXPECT_NE(x_, began.addresses[0]) << "not asked for";
}

TEST_F(Service, InputsCannotBeWrittenByCopies) {
  EXPECT_EQ(Ask(Op::kFill, {x_ + 4, 4, 4, 1, 0, stream_}).error, 0);
  CallOutcome outcome = End();
  ASSERT_EQ(outcome.hazards.size(), 1u);
  EXPECT_EQ(outcome.hazards[0].kind, "input_written");
}

TEST_F(Service, AreasThatDoNotFitAreRefused) {
  const uint64_t huge = ~0ull;
  const std::vector<uint64_t> areas[] = {
      {y_, 1, kBytes + 1, 1}, {y_ + 1, 1, kBytes, 1}, {y_, 64, 64, 3},        {y_, huge, 1, 2},
      {y_, 1, 1, huge},       {y_, 0, huge, 1},       {y_ + kBytes, 1, 1, 1}, {y_, 64, 65, 2},
      {0, 1, 1, 1},           {huge, 1, 1, 1},        {y_, 1ull << 63, 1, 3}, {y_, huge / 2, 2, 3}};
  for (const auto& area : areas) {
    EXPECT_EQ(Ask(Op::kFill, {area[0], area[1], area[2], area[3], 0, stream_}).error,
              kCudaInvalidValue)
        << area[0] - y_ << " " << area[1] << " " << area[2] << " " << area[3];
  }
  EXPECT_EQ(Ask(Op::kFill, {y_, 64, 64, 2, 0, stream_}).error, 0);
  EXPECT_EQ(Ask(Op::kFill, {y_, 0, 1, 5, 0, stream_}).error, 0);
  EXPECT_FALSE(service_->stopped());
  EXPECT_EQ(End().status, Status::kLaunchFailed);
}

TEST_F(Service, OnlyOwnMemoryIsFreed) {
  EXPECT_EQ(Ask(Op::kFree, {y_}).error, kCudaInvalidValue);
  uint64_t own = Ask(Op::kAllocate, {100, 0}).values[0];
  EXPECT_EQ(Ask(Op::kFree, {own + 1}).error, kCudaInvalidValue);
  EXPECT_EQ(Ask(Op::kFreeAsync, {own, stream_}).error, 0);
  EXPECT_EQ(Ask(Op::kFree, {own}).error, kCudaInvalidValue);
  EXPECT_EQ(End().status, Status::kOk);
}

TEST_F(Service, FreeingWaitsForTheWorkThatUsesTheMemory) {
  uint64_t own = Ask(Op::kAllocate, {kBytes, 0}).values[0];
  Launch(x_, own, ring::kLegacyStream);
  EXPECT_EQ(Ask(Op::kFree, {own}).error, 0);
  CallOutcome outcome = End();
  EXPECT_EQ(outcome.status, Status::kOk) << outcome.message;
  EXPECT_EQ(outcome.launches.size(), 1u);
}

TEST_F(Service, MemoryBeyondTheDeviceIsRefusedAndBeyondTheMachineUnsupported) {
  EXPECT_EQ(Ask(Op::kAllocate, {2ull << 30, 0}).error, kCudaMemoryAllocation);
  EXPECT_FALSE(service_->stopped());
  EXPECT_EQ(Ask(Op::kAllocate, {1 << 21, 0}).error, kCudaMemoryAllocation);
  EXPECT_EQ(End().status, Status::kUnsupported);
}

TEST_F(Service, AFaultIsStickyAndEndsTheSession) {
  Launch(x_, y_ + 4, stream_);
  EXPECT_EQ(Ask(Op::kStreamSynchronize, {stream_}).error, kCudaIllegalAddress);
  EXPECT_EQ(Ask(Op::kAllocate, {4, 0}).error, kCudaIllegalAddress);
  CallOutcome outcome = End();
  EXPECT_EQ(outcome.status, Status::kDeviceFault);
  ASSERT_FALSE(outcome.hazards.empty());
  EXPECT_EQ(outcome.hazards[0].kind, "out_of_bounds");
}

TEST_F(Service, TheBudgetEndsACall) {
  End();
  BeganMessage began = service_->Begin(
      {1, 10, 2 * kBytes, {{"x", false, 0, kBytes}, {"y", true, kBytes, kBytes}}}, exchange_);
  ASSERT_TRUE(began.ok);
  Launch(began.addresses[0], began.addresses[1], began.stream);
  EXPECT_EQ(End().status, Status::kDeviceLimit);
}

TEST_F(Service, AQueueThatOnlyGrowsIsEnded) {
  for (int i = 0; i < 1 << 17 && !service_->stopped(); ++i) {
    Ask(Op::kFill, {y_, 1, 1, 1, 0, ring::kLegacyStream});
  }
  EXPECT_EQ(End().status, Status::kDeviceLimit);
}

TEST_F(Service, AddressesDifferFromCallToCall) {
  uint64_t before = y_;
  End();
  Begin();
  EXPECT_NE(y_, before);
}

TEST_F(Service, SymbolsCanBeCopiedTo) {
  ServiceReply found = Ask(Op::kFindSymbol, {}, "table");
  ASSERT_EQ(found.error, 0);
  EXPECT_EQ(found.values[1], 64u);
  EXPECT_EQ(Ask(Op::kCopyIn, {found.values[0], 64, 64, 1, stream_, 1}, std::string(64, 't')).error,
            0);
  ServiceReply back = Ask(Op::kCopyOut, {found.values[0] + 60, 4, 4, 1, stream_});
  EXPECT_EQ(back.body, "tttt");
  EXPECT_EQ(Ask(Op::kCopyOut, {found.values[0] + 61, 4, 4, 1, stream_}).error, kCudaInvalidValue);
}

TEST_F(Service, NamedFeaturesThatAreMissingAreUnsupported) {
  EXPECT_EQ(Ask(Op::kUnsupported, {}, "thread block clusters").error, kCudaNotSupported);
  CallOutcome outcome = End();
  EXPECT_EQ(outcome.status, Status::kUnsupported);
  EXPECT_NE(outcome.message.find("thread block clusters"), std::string::npos);
}

}  // namespace
}  // namespace kw::eval
