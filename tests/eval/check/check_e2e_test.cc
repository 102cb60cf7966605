// Whole programs, built by nvcc and run in the cage.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "kw/base/file.h"
#include "kw/base/text.h"
#include "kw/eval/check.h"

namespace kw::eval {
namespace {

using Status = CheckReport::Status;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const std::string kPrograms = std::string(KW_SOURCE_DIR) + "/tests/eval/check/programs/";

class CheckTest : public testing::Test {
 protected:
  void SetUp() override {
    if (builder_.toolchain().nvcc_path.empty()) GTEST_SKIP() << "there is no nvcc";
  }
  CheckReport Check(const std::string& name, CheckRequest request = {}) {
    request.source = *ReadFile(kPrograms + name);
    request.name = name;
    return CheckSource(std::move(request));
  }
  CheckReport CheckSource(CheckRequest request) {
    auto report = CheckProgram(request, builder_, sheet_);
    EXPECT_TRUE(report) << report.error().ToString();
    return report ? *report : CheckReport{};
  }
  Builder builder_ = *Builder::Make({.cache = std::string(KW_BINARY_DIR) + "/e2e-cache/build",
                                     .compile_cpu_seconds = 120,
                                     .wall_ms = 240'000});
  DeviceSheet sheet_ = *LoadDeviceSheet(std::string(KW_SOURCE_DIR) + "/data/devices", "a100_sxm4");
};

// The line of the program that has `text`.
int LineWith(const std::string& name, std::string_view text) {
  const std::string source = *ReadFile(kPrograms + name);
  const auto lines = Lines(source);
  const auto found = std::find_if(lines.begin(), lines.end(), [&](std::string_view line) {
    return line.find(text) != line.npos;
  });
  return static_cast<int>(found - lines.begin()) + 1;
}
std::string PlaceOf(const std::string& name, std::string_view text) {
  return name + ":" + std::to_string(LineWith(name, text));
}

TEST_F(CheckTest, ARightProgramIsCleanAndItsOutputIsThere) {
  const CheckReport report = Check("vector_add.cu", {.arguments = {"1000"}});
  EXPECT_EQ(report.status, Status::kClean) << report.problem;
  EXPECT_THAT(report.printed.out, HasSubstr("Test PASSED\n"));
  ASSERT_THAT(report.kernels, SizeIs(1));
  EXPECT_EQ(report.kernels[0].name, "add(float const*, float const*, float*, int)");
  EXPECT_EQ(report.kernels[0].launches, 10u);
  EXPECT_GT(report.kernels[0].us, 0);
  EXPECT_THAT(report.runs, SizeIs(2));
}

TEST_F(CheckTest, AnAccessOutsideIsToldWithItsLineAndBuffer) {
  const CheckReport report = Check("out_of_bounds.cu");
  EXPECT_EQ(report.status, Status::kFindings);
  ASSERT_THAT(report.hazards, SizeIs(1));
  const Hazard& hazard = report.hazards[0].hazard;
  EXPECT_EQ(hazard.kind, "out_of_bounds");
  EXPECT_EQ(hazard.file, "out_of_bounds.cu");
  EXPECT_EQ(hazard.line, LineWith("out_of_bounds.cu", "x[i] *="));
  EXPECT_EQ(hazard.block.x, 3u);
  EXPECT_EQ(hazard.thread.x, 232u);
  const std::string buffer =
      "cudaMalloc 1 (" + PlaceOf("out_of_bounds.cu", "cudaMalloc") + ") (4000 bytes)";
  EXPECT_THAT(hazard.text, HasSubstr(buffer));
  // What was said before the fault is kept; memory that a stopped program holds is no leak.
  EXPECT_EQ(report.printed.out, "before\n");
  EXPECT_THAT(report.leaks, IsEmpty());
}

TEST_F(CheckTest, AMissingBarrierIsARace) {
  const CheckReport report = Check("shared_race.cu", {.seeds = 3});
  EXPECT_EQ(report.status, Status::kFindings);
  ASSERT_THAT(report.hazards, SizeIs(1));
  EXPECT_EQ(report.hazards[0].hazard.kind, "shared_race");
  EXPECT_EQ(report.hazards[0].seeds, 3);
}

TEST_F(CheckTest, ALeakIsToldWithItsPlace) {
  const CheckReport report = Check("leak.cu");
  EXPECT_EQ(report.status, Status::kFindings);
  ASSERT_THAT(report.leaks, SizeIs(1));
  EXPECT_EQ(report.leaks[0].bytes, 512u);
  EXPECT_EQ(report.leaks[0].place, PlaceOf("leak.cu", "cudaMalloc(&b"));
}

TEST_F(CheckTest, ErrorsThatNobodyLooksAtAreTold) {
  const std::string name = "unseen_errors.cu";
  const CheckReport report = Check(name);
  EXPECT_EQ(report.status, Status::kFindings);
  ASSERT_THAT(report.calls, SizeIs(3));
  EXPECT_EQ(report.calls[0].failure.call, "cudaMemcpy");
  EXPECT_EQ(report.calls[0].failure.error, "cudaErrorInvalidValue");
  EXPECT_EQ(report.calls[0].place, PlaceOf(name, "cudaMemcpy"));
  EXPECT_THAT(report.calls[0].failure.text, HasSubstr("400 bytes"));
  EXPECT_TRUE(report.calls[1].failure.launch);
  EXPECT_EQ(report.calls[1].place, PlaceOf(name, "<<<"));
  EXPECT_THAT(report.calls[1].failure.text, HasSubstr("2048 threads"));
  EXPECT_EQ(report.calls[2].failure.call, "cudaFree");
  EXPECT_THAT(report.calls[2].failure.text, HasSubstr("freed before"));
}

TEST_F(CheckTest, ErrorsThatTheProgramLooksAtAreItsOwnBusiness) {
  const CheckReport report = Check("seen_error.cu");
  EXPECT_THAT(report.calls, IsEmpty());
  EXPECT_EQ(report.printed.out, "cudaErrorInvalidValue\n");
  EXPECT_THAT(report.crash, HasSubstr("exit status 3"));
}

TEST_F(CheckTest, ACrashOfTheHostCodeIsAFinding) {
  const CheckReport report = Check("host_crash.cu");
  EXPECT_EQ(report.status, Status::kFindings);
  EXPECT_THAT(report.crash, HasSubstr("SIGSEGV"));
  EXPECT_THAT(report.crash, HasSubstr("must not dereference device pointers"));
  EXPECT_EQ(report.printed.out, "going\n");
}

TEST_F(CheckTest, WithoutMainItAsksForALaunch) {
  const CheckReport report = Check("kernels.cu");
  EXPECT_EQ(report.status, Status::kNotRun);
  EXPECT_THAT(report.problem, HasSubstr("--launch"));
  EXPECT_THAT(report.problem, HasSubstr("bad(float*, unsigned int)"));
}

TEST_F(CheckTest, LaunchesRunInOrderOnBuffersOfTheirOwn) {
  const CheckReport report =
      Check("kernels.cu", {.launches = {"scale<float><<<4, 256>>>(f32[1000], out f32[1000], "
                                        "i64 1000, f32 2)",
                                        "ops::fill<<<1, 32>>>(out f16[32], bool true, f64 0.5)",
                                        "bad<<<1, 32>>>(f32[32], u32 4)"}});
  EXPECT_EQ(report.status, Status::kFindings);
  EXPECT_THAT(report.kernels, SizeIs(3));
  ASSERT_THAT(report.hazards, SizeIs(1));
  EXPECT_THAT(report.hazards[0].hazard.text, HasSubstr("argument 1 of launch 3, f32[32]"));
  EXPECT_THAT(report.leaks, IsEmpty());
}

TEST_F(CheckTest, AReadOfAnOutBufferIsUninitialised) {
  const CheckReport report =
      Check("kernels.cu",
            {.launches = {"scale<float><<<1, 32>>>(out f32[32], out f32[32], i64 32, f32 2)"}});
  ASSERT_THAT(report.hazards, SizeIs(1));
  EXPECT_EQ(report.hazards[0].hazard.kind, "uninitialised");
}

TEST_F(CheckTest, ALaunchThatDoesNotCompileIsNamed) {
  const CheckReport report = Check("kernels.cu", {.launches = {"bad<<<1, 1>>>(f64[4], u32 1)"}});
  EXPECT_EQ(report.status, Status::kNotRun);
  EXPECT_THAT(report.problem, HasSubstr("launch 1:1: error"));
}

TEST_F(CheckTest, ALaunchThatCannotBeReadIsAnError) {
  const auto report = CheckProgram({.source = "", .launches = {"k<<<1>>>()"}}, builder_, sheet_);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::kParse);
}

TEST_F(CheckTest, ManagedAndMappedMemoryHaveOneAddress) {
  const CheckReport report = Check("managed.cu");
  EXPECT_EQ(report.status, Status::kClean) << report.problem << report.crash;
  EXPECT_EQ(report.printed.out, "6 2.996e+06 1015 9\n1 1 2015\n1 64\ntype 3\n1\n");
  EXPECT_EQ(report.device_printed, "hello from block 0\nhello from block 0\n");
}

TEST_F(CheckTest, TheRuntimeHasWhatProgramsAskFor) {
  const CheckReport report = Check("runtime_calls.cu");
  EXPECT_EQ(report.status, Status::kClean) << report.problem << report.crash;
  EXPECT_THAT(report.printed.out, HasSubstr("sum 499500\n"));
}

TEST_F(CheckTest, StreamsAreOrderedByEvents) {
  const CheckReport report = Check("streams.cu");
  EXPECT_EQ(report.status, Status::kClean) << report.problem << report.crash;
  EXPECT_EQ(report.printed.out, "total 65536 of 65536\nfile none\n");
}

TEST_F(CheckTest, ThreadsAreRefusedAndTheReportSaysSo) {
  const CheckReport report = Check("streams.cu", {.arguments = {"thread"}});
  EXPECT_THAT(report.crash, HasSubstr("SIGABRT"));
  EXPECT_THAT(report.crash, HasSubstr("no threads"));
}

TEST_F(CheckTest, FoldersToIncludeFromAndMacrosReachTheCompiler) {
  EXPECT_EQ(
      Check("matmul.cu", {.include_folders = {kPrograms + "include"}, .definitions = {"N=64"}})
          .status,
      Status::kClean);
  const CheckReport report = Check("matmul.cu", {.definitions = {"N=64"}});
  EXPECT_EQ(report.status, Status::kNotRun);
  EXPECT_THAT(report.problem, HasSubstr("error: helper.h: No such file"));
  EXPECT_THAT(report.problem, HasSubstr("--include DIR"));
}

TEST_F(CheckTest, DeviceLambdasAndConstexprHostFunctionsCompile) {
  CheckRequest request;
  request.source = R"(#include <algorithm>
template <class F>
__global__ void Apply(F f, int* to) { to[threadIdx.x] = std::max(f(threadIdx.x), 3); }
int main() {
  int* to;
  cudaMalloc(&to, 32 * sizeof(int));
  Apply<<<1, 32>>>([] __device__(int i) { return i * i; }, to);
  int back[32];
  cudaMemcpy(back, to, sizeof(back), cudaMemcpyDeviceToHost);
  cudaFree(to);
  return back[1] == 3 && back[31] == 961 ? 0 : 1;
}
)";
  const CheckReport report = CheckSource(request);
  EXPECT_EQ(report.status, Status::kClean) << report.problem << report.crash;
}

TEST_F(CheckTest, ALibraryThatAProgramDoesNotHaveIsNamed) {
  CheckRequest request;
  request.source =
      "extern \"C\" double omp_get_wtime();\nint main() { return omp_get_wtime() > 0; }\n";
  const CheckReport report = CheckSource(request);
  EXPECT_EQ(report.status, Status::kNotRun);
  EXPECT_THAT(report.problem, HasSubstr("it does not link"));
  EXPECT_THAT(report.problem, HasSubstr("omp_get_wtime"));
}

TEST_F(CheckTest, WhatTheEmulatorDoesNotHaveIsNamed) {
  const CheckReport report = Check("graph.cu");
  EXPECT_EQ(report.status, Status::kNotRun);
  EXPECT_THAT(report.problem, HasSubstr("does not have cudaStreamBeginCapture"));
  EXPECT_EQ(report.printed.out, "capturing\n");
}

TEST_F(CheckTest, QueuedWorkIsCheckedThoughNothingWaitsForIt) {
  const CheckReport report = Check("left_undone.cu");
  EXPECT_EQ(report.left_undone, 1u);
  ASSERT_THAT(report.hazards, SizeIs(1));
  EXPECT_EQ(report.hazards[0].hazard.kind, "out_of_bounds");
}

TEST_F(CheckTest, HostCodeThatDoesNotEndIsStopped) {
  CheckRequest request;
  request.source = "__global__ void k() {}\nint main() { volatile long i = 0; for (;;) ++i; }\n";
  request.wall_ms = 2000;
  const CheckReport report = CheckSource(request);
  EXPECT_EQ(report.status, Status::kNotRun);
  EXPECT_THAT(report.problem, HasSubstr("ran for 2 s"));
}

TEST_F(CheckTest, AKernelThatDoesNotEndIsNamed) {
  CheckRequest request;
  request.source =
      "__global__ void spin(volatile int* x) { while (*x == 0) {} }\n"
      "int main() { int* x; cudaMalloc(&x, 4); cudaMemset(x, 0, 4); spin<<<1, 64>>>(x); "
      "cudaDeviceSynchronize(); }\n";
  request.lane_instruction_budget = 10'000'000;
  const CheckReport report = CheckSource(request);
  EXPECT_EQ(report.status, Status::kNotRun);
  EXPECT_THAT(report.problem, HasSubstr("spin(int volatile*), kernel.cu:1"));
  EXPECT_THAT(report.problem, HasSubstr("--instructions 10000000"));
}

TEST_F(CheckTest, ValuesOfScalarsArriveExactly) {
  CheckRequest request;
  request.source =
      "__global__ void same(double d, float f, long long i, unsigned char c) {\n"
      "  if (d != 0.1 || f != 0.1f || i != -9223372036854775807LL - 1 || c != 255) __trap();\n"
      "}\n";
  request.launches = {"same<<<1, 1>>>(f64 0.1, f32 0.1, i64 -9223372036854775808, u8 255)"};
  EXPECT_EQ(CheckSource(request).status, Status::kClean);
}

TEST_F(CheckTest, OutputIsKeptUpToItsLimit) {
  CheckRequest request;
  request.source =
      "#include <cstdio>\n__global__ void k() {}\n"
      "int main() { for (int i = 0; i < 100000; ++i) puts(\"line\"); fputs(\"end\", stderr); }\n";
  request.output_bytes = 1000;
  const CheckReport report = CheckSource(request);
  EXPECT_EQ(report.status, Status::kClean) << report.problem;
  EXPECT_EQ(report.printed.out.size(), 1000u);
  EXPECT_EQ(report.printed.err, "end");
  EXPECT_EQ(report.printed.dropped, 499'000u);
}

}  // namespace
}  // namespace kw::eval
