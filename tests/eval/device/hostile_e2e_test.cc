// Candidates that crash, hang, or try what a guest must not do; and what is left behind.
#include <elf.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "candidate.h"
#include "kw/base/file.h"

namespace kw::eval {
namespace hostile {

using Status = CallOutcome::Status;

enum Mode {
  kPlain = 0,
  kHostLoop = 3,
  kHostDeref = 4,
  kExit = 5,
  kAbort = 6,
  kNullOnHost = 33,
  kFork = 38,
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

class Hostile : public testing::Test {
 protected:
  void SetUp() override {
    if (!HaveNvcc()) GTEST_SKIP() << "no nvcc on this machine";
    device_ = TestDevice();
  }
  CallOutcome Call(const CallRequest& request) {
    auto opened = device_->Open({ObjectOf("behaviours"), ModeParameters(), 7});
    EXPECT_TRUE(opened && opened->session);
    if (!opened || !opened->session) return {};
    auto done = opened->session->Call(request);
    EXPECT_TRUE(done) << done.error().ToString();
    return done ? *done : CallOutcome{};
  }
  CallOutcome Call(Mode mode) { return Call(ModeCall(mode)); }
  OpenOutcome Open(const std::string& object) {
    auto opened = device_->Open({object, ModeParameters(), 7});
    EXPECT_TRUE(opened) << opened.error().ToString();
    return opened ? std::move(*opened) : OpenOutcome{};
  }
  std::unique_ptr<Device> device_;
};

TEST_F(Hostile, HostDereferenceOfADevicePointerIsExplained) {
  CallOutcome outcome = Call(kHostDeref);
  EXPECT_EQ(outcome.status, Status::kGuestCrashed);
  EXPECT_NE(outcome.message.find("SIGSEGV"), std::string::npos) << outcome.message;
  EXPECT_NE(outcome.message.find("device memory"), std::string::npos) << outcome.message;
}

TEST_F(Hostile, CrashesAreNamed) {
  struct {
    Mode mode;
    const char* name;
  } crashes[] = {{kNullOnHost, "SIGSEGV"},
                 {kAbort, "SIGABRT"},
                 {kCrashWithZero, "SIGFPE"},
                 {kMallocLots, "SIGABRT"}};
  for (const auto& [mode, name] : crashes) {
    CallRequest request = ModeCall(mode);
    request.host_cpu_ms = 5'000;
    CallOutcome outcome = Call(request);
    EXPECT_EQ(outcome.status, Status::kGuestCrashed) << mode << outcome.message;
    EXPECT_NE(outcome.message.find(name), std::string::npos) << outcome.message;
  }
}

TEST_F(Hostile, ExitInRunIsNoResult) {
  CallOutcome outcome = Call(kExit);
  EXPECT_EQ(outcome.status, Status::kGuestExited);
  EXPECT_NE(outcome.message.find("exit code 0"), std::string::npos) << outcome.message;
  EXPECT_TRUE(outcome.outputs.empty());
}

TEST_F(Hostile, EndlessHostCodeHitsItsCpuLimit) {
  CallRequest request = ModeCall(kHostLoop);
  request.host_cpu_ms = 100;
  CallOutcome outcome = Call(request);
  EXPECT_EQ(outcome.status, Status::kHostLimit) << outcome.message;
}

TEST_F(Hostile, SleepingHostCodeHitsTheWallLimit) {
  CallRequest request = ModeCall(kSleep);
  request.wall_ms = 200;
  CallOutcome outcome = Call(request);
  EXPECT_EQ(outcome.status, Status::kWallLimit) << outcome.message;
}

TEST_F(Hostile, NoProcessThreadSocketOrFile) {
  // Each mode exits with a code of its own when it got what it wanted.
  for (Mode mode : {kFork, kThread, kSocket, kWriteFile}) {
    CallOutcome outcome = Call(mode);
    EXPECT_EQ(outcome.status, Status::kOk) << outcome.message;
  }
  struct stat status;
  EXPECT_NE(stat("/tmp/kwright-guest-was-here", &status), 0);
}

TEST_F(Hostile, NonsenseOnItsChannelsIsAProtocolFault) {
  for (Mode mode : {kFakeDone, kCloseControl, kGarbageRing}) {
    CallOutcome outcome = Call(mode);
    EXPECT_EQ(outcome.status, Status::kProtocol) << mode << ": " << outcome.message;
    EXPECT_TRUE(outcome.outputs.empty());
  }
}

TEST_F(Hostile, ObjectsThatAreNoneAreRefused) {
  auto scratch = kw::ScratchDirectory::Make("device");
  ASSERT_TRUE(scratch);
  const std::string path = scratch->path() + "/object with 'quotes' and spaces.so";
  struct {
    std::string bytes;
    const char* why;
  } bad[] = {{"", "not an ELF file"},
             {"#!/bin/sh\nexit 0\n", "not an ELF file"},
             {"\x7f"
              "ELF" +
                  std::string(60, '\0'),
              "another machine"}};
  for (const auto& [bytes, why] : bad) {
    std::ofstream(path, std::ios::trunc) << bytes;
    OpenOutcome outcome = Open(path);
    EXPECT_FALSE(outcome.session);
    EXPECT_FALSE(outcome.unsupported);
    EXPECT_NE(outcome.message.find(why), std::string::npos) << outcome.message;
  }
  EXPECT_FALSE(device_->Open({scratch->path() + "/missing.so", ModeParameters(), 7}));
}

TEST_F(Hostile, ObjectsOfOtherKindsAreToldForWhatTheyAre) {
  auto scratch = kw::ScratchDirectory::Make("device");
  ASSERT_TRUE(scratch);
  const std::string candidate = *ReadFile(ObjectOf("behaviours"));
  std::string arm = candidate;
  arm[offsetof(Elf64_Ehdr, e_machine)] = static_cast<char>(EM_AARCH64);
  std::string narrow = candidate;
  narrow[EI_CLASS] = ELFCLASS32;
  std::string relocatable = candidate;
  relocatable[offsetof(Elf64_Ehdr, e_type)] = ET_REL;
  struct {
    std::string bytes;
    const char* why;
  } others[] = {
      {arm, "another machine"},
      {narrow, "another machine"},
      {relocatable, "no shared object"},
      {*ReadFile("/proc/self/exe"), "no PTX"},
      {*ReadFile(KW_BINARY_DIR "/lib/libcudart.so.13"), "a function of the CUDA runtime"}};
  for (const auto& [bytes, why] : others) {
    const std::string path = scratch->path() + "/other.so";
    std::ofstream(path, std::ios::trunc | std::ios::binary) << bytes;
    const OpenOutcome outcome = Open(path);
    EXPECT_FALSE(outcome.session) << why;
    EXPECT_NE(outcome.message.find(why), std::string::npos) << outcome.message;
  }
}

TEST_F(Hostile, TruncatedObjectsAreRefused) {
  std::ifstream in(ObjectOf("behaviours"), std::ios::binary);
  std::stringstream all;
  all << in.rdbuf();
  auto scratch = kw::ScratchDirectory::Make("device");
  ASSERT_TRUE(scratch);
  for (size_t keep : {size_t{64}, size_t{5000}, all.str().size() / 2}) {
    const std::string path = scratch->path() + "/cut.so";
    std::ofstream(path, std::ios::trunc | std::ios::binary) << all.str().substr(0, keep);
    OpenOutcome outcome = Open(path);
    EXPECT_FALSE(outcome.session) << keep;
    EXPECT_FALSE(outcome.message.empty());
  }
}

TEST_F(Hostile, LoadFailuresSayWhatIsMissing) {
  const std::string kernel = "__global__ void k(float* y) { y[0] = 1; }\n";
  OpenOutcome no_run = Open(ObjectOfSource(kernel + "void go(float* y) { k<<<1, 1>>>(y); }\n"));
  EXPECT_NE(no_run.message.find("no function `run`"), std::string::npos) << no_run.message;

  OpenOutcome undefined =
      Open(ObjectOfSource(
          kernel + "extern \"C\" void elsewhere(); extern \"C\" void run(const float* x, float* y, "
                   "long n, long m, cudaStream_t s) { elsewhere(); k<<<1, 1, 0, s>>>(y); }\n"));
  EXPECT_NE(undefined.message.find("'elsewhere'"), std::string::npos) << undefined.message;
  EXPECT_FALSE(undefined.unsupported);

  OpenOutcome missing = Open(ObjectOfSource(
      kernel +
      "extern \"C\" void run(const float* x, float* y, long n, long m, cudaStream_t s) { "
      "cudaUserObject_t o{}; cudaUserObjectRetain(o, 1); k<<<1, 1, 0, s>>>(y); }\n"));
  EXPECT_NE(missing.message.find("cudaUserObjectRetain"), std::string::npos) << missing.message;
  EXPECT_TRUE(missing.unsupported);

  OpenOutcome library = Open(ObjectOfSource(
      kernel + "extern \"C\" void run(const float* x, float* y, long n, long m, cudaStream_t s) { "
               "k<<<1, 1, 0, s>>>(y); }\n",
      "-lcublas"));
  EXPECT_TRUE(library.session || library.unsupported) << library.message;
}

TEST_F(Hostile, StaticConstructorsMayAllocate) {
  const std::string source =
      "#include <cstdint>\n"
      "__global__ void k(const float* x, float* y, float* w, int64_t n) {\n"
      "  int64_t i = blockIdx.x * 128ll + threadIdx.x;\n"
      "  if (i < n) { w[i] = x[i]; y[i] = w[i] + w[i]; }\n"
      "}\n"
      "struct Workspace {\n"
      "  float* data = nullptr;\n"
      "  Workspace() { if (cudaMalloc(&data, 1 << 20)) data = nullptr; }\n"
      "};\n"
      "static Workspace workspace;\n"
      "extern \"C\" void run(const float* x, float* y, int64_t n, int64_t, cudaStream_t s) {\n"
      "  k<<<(n + 127) / 128, 128, 0, s>>>(x, y, workspace.data, n);\n"
      "}\n";
  OpenOutcome opened = Open(ObjectOfSource(source));
  ASSERT_TRUE(opened.session) << opened.message;
  auto done = opened.session->Call(ModeCall(0, 500));
  ASSERT_TRUE(done);
  ASSERT_EQ(done->status, Status::kOk) << done->message;
  EXPECT_EQ(Floats(done->outputs[0])[10], 13.0f);
}

TEST_F(Hostile, StaticConstructorsThatMisbehaveAreLoadFailures) {
  struct {
    const char* body;
    const char* why;
  } bad[] = {{"abort();", "SIGABRT"}, {"exit(5);", "exit code 5"}};
  for (const auto& [body, why] : bad) {
    std::string source = std::string("#include <cstdlib>\n__global__ void k() {}\n") +
                         "struct S { S() { " + body + " } } s;\n" +
                         "extern \"C\" void run() { k<<<1, 1>>>(); }\n";
    OpenOutcome opened = Open(ObjectOfSource(source));
    EXPECT_FALSE(opened.session);
    EXPECT_NE(opened.message.find(why), std::string::npos) << opened.message;
  }
}

TEST_F(Hostile, NothingIsLeftBehind) {
  Call(kPlain);
  const int before = OpenDescriptors();
  for (Mode mode : {kPlain, kHostDeref, kExit, kHostLoop, kGarbageRing, kCloseControl}) Call(mode);
  for (int i = 0; i < 20; ++i) Call(kPlain);
  EXPECT_EQ(OpenDescriptors(), before);
  EXPECT_EQ(Children(), std::vector<int>{});
}

TEST_F(Hostile, ASessionThatIsDroppedUnusedLeavesNothing) {
  const int before = OpenDescriptors();
  Open(ObjectOf("behaviours"));
  EXPECT_EQ(OpenDescriptors(), before);
  EXPECT_EQ(Children(), std::vector<int>{});
}

}  // namespace hostile
}  // namespace kw::eval
