#include "src/eval/device/launch_rules.h"

#include <gtest/gtest.h>

#include "src/eval/device/cuda_errors.h"

namespace kw::eval {
namespace {

LaunchVerdict Check(Dim3 grid, Dim3 block, uint64_t shared = 0, uint64_t allowed = 0,
                    Emulator::KernelInfo kernel = {}) {
  return CheckLaunch(DeviceSheet{}, kernel, {grid, block, shared, allowed, false});
}

TEST(LaunchRules, LimitsOfGridAndBlock) {
  EXPECT_EQ(Check({1}, {1}).error, 0);
  EXPECT_EQ(Check({0x7fffffff, 65535, 65535}, {1024}).error, 0);
  EXPECT_EQ(Check({1}, {32, 32}).error, 0);
  EXPECT_EQ(Check({1}, {16, 1, 64}).error, 0);
  const std::pair<Dim3, Dim3> refused[] = {
      {{0}, {1}},           {{1}, {0}},        {{1}, {1025}},           {{1, 65536}, {1}},
      {{1, 1, 65536}, {1}}, {{1}, {1, 1, 65}}, {{0x80000000u}, {1}},    {{1}, {33, 32}},
      {{1, 0}, {1}},        {{1}, {1, 1, 0}},  {{1}, {0x80000000u, 2}}, {{1}, {2048, 2048, 1024}}};
  for (const auto& [grid, block] : refused) {
    EXPECT_EQ(Check(grid, block).error, kCudaInvalidConfiguration)
        << grid.x << " " << grid.y << " " << grid.z << " / " << block.x;
  }
}

TEST(LaunchRules, LaunchBoundsOfTheKernelCount) {
  Emulator::KernelInfo kernel;
  kernel.max_threads = 128;
  EXPECT_EQ(Check({1}, {128}, 0, 0, kernel).error, 0);
  LaunchVerdict verdict = Check({1}, {129}, 0, 0, kernel);
  EXPECT_NE(verdict.error, 0);
  EXPECT_NE(verdict.text.find("__launch_bounds__"), std::string::npos);
}

TEST(LaunchRules, RegistersOfABlockMustFit) {
  Emulator::KernelInfo kernel;
  kernel.registers = 64;
  EXPECT_EQ(Check({1}, {1024}, 0, 0, kernel).error, 0);
  kernel.registers = 65;  // a warp gets 2304
  EXPECT_EQ(Check({1}, {896}, 0, 0, kernel).error, 0);
  const LaunchVerdict verdict = Check({1}, {1024}, 0, 0, kernel);
  EXPECT_EQ(verdict.error, kCudaLaunchOutOfResources);
  EXPECT_NE(verdict.text.find("__launch_bounds__(1024)"), std::string::npos);
  EXPECT_EQ(MostThreads(DeviceSheet{}, kernel), 896u);
  EXPECT_EQ(BlocksPerMultiprocessor(DeviceSheet{}, kernel, 256, 0), 3u);
}

TEST(LaunchRules, MoreThan48KiBNeedOptIn) {
  EXPECT_EQ(Check({1}, {1}, 49152).error, 0);
  EXPECT_EQ(Check({1}, {1}, 49153).error, kCudaInvalidValue);
  EXPECT_EQ(Check({1}, {1}, 49153, 49153).error, 0);
  EXPECT_EQ(Check({1}, {1}, 49154, 49153).error, kCudaInvalidValue);
  EXPECT_EQ(Check({1}, {1}, ~0ull, 49153).error, kCudaInvalidValue);
}

TEST(LaunchRules, StaticSharedMemoryCountsToo) {
  Emulator::KernelInfo kernel;
  kernel.static_shared = 40000;
  EXPECT_EQ(Check({1}, {1}, 9152, 0, kernel).error, 0);
  EXPECT_EQ(Check({1}, {1}, 9153, 0, kernel).error, kCudaInvalidValue);
  EXPECT_EQ(Check({1}, {1}, 150000, 150000, kernel).error, kCudaInvalidValue);
}

TEST(LaunchRules, OccupancyByTheScarcestResource) {
  DeviceSheet sheet;
  Emulator::KernelInfo kernel;
  EXPECT_EQ(BlocksPerMultiprocessor(sheet, kernel, 1024, 0), 2u);
  EXPECT_EQ(BlocksPerMultiprocessor(sheet, kernel, 1000, 0), 2u);
  EXPECT_EQ(BlocksPerMultiprocessor(sheet, kernel, 32, 0), 32u);
  EXPECT_EQ(BlocksPerMultiprocessor(sheet, kernel, 32, 48 << 10), 3u);
  EXPECT_EQ(BlocksPerMultiprocessor(sheet, kernel, 0, 0), 0u);
  EXPECT_EQ(BlocksPerMultiprocessor(sheet, kernel, 1025, 0), 0u);
}

TEST(LaunchRules, CooperativeGridsMustFitWhole) {
  DeviceSheet sheet;
  LaunchShape shape{{216}, {1024}, 0, 0, true};
  EXPECT_EQ(CheckLaunch(sheet, {}, shape).error, 0);
  shape.grid.x = 217;
  EXPECT_EQ(CheckLaunch(sheet, {}, shape).error, kCudaCooperativeLaunchTooLarge);
}

}  // namespace
}  // namespace kw::eval
