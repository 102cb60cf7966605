// The ranking of ordinary optimisations on counters written by hand, as the emulator would count
// them for plain kernels of each kind; tests/e2e ranks real kernels.
#include "src/eval/timing/cost_model.h"

#include <gtest/gtest.h>

#include "eval/timing/device_sheets.h"

namespace kw::eval {
namespace {

constexpr uint64_t kElements = 1 << 24;

LaunchRecord Launch(uint64_t blocks, uint32_t threads) {
  LaunchRecord launch;
  launch.kernel = "k";
  launch.grid.x = static_cast<uint32_t>(blocks);
  launch.block.x = threads;
  return launch;
}

// y[i] = f(x[i]) with `width` floats a thread and `stride` sectors a lane (1/8: coalesced).
LaunchRecord Copy(uint64_t elements, int width, double sectors_per_element = 0.125) {
  LaunchRecord launch = Launch(elements / width / 256, 256);
  const uint64_t warps = elements / width / 32;
  Counters& c = launch.counters;
  c.warp_instructions = warps * (14 + 2 * width);
  c.integer = warps * 8;
  c.fp32 = warps * width;
  c.global_requests = warps * 2;
  c.global_load_sectors = static_cast<uint64_t>(elements * sectors_per_element);
  c.global_store_sectors = elements / 8;
  c.dram_sectors = elements / 8 * 2;
  c.lane_instructions = c.warp_instructions * 32;
  return launch;
}

// Sum of rows of 1024 floats, a block of 256 a row; the block's part by tree or by shuffles.
LaunchRecord RowSum(uint64_t rows, bool shuffle, int passes = 1) {
  LaunchRecord launch = Launch(rows, 256);
  const uint64_t warps = rows * 8;
  Counters& c = launch.counters;
  c.warp_instructions = warps * (30 + passes * 4 * 6);
  c.fp32 = warps * 4 * passes;
  c.global_requests = warps * 4 * passes + rows;
  c.global_load_sectors = rows * 128 * passes;
  c.global_store_sectors = rows;
  c.dram_sectors = rows * 128 + rows / 8;
  if (shuffle) {
    c.warp_instructions += warps * 10 + rows * 12;
    c.shared_requests = warps + rows;
    c.barriers = rows;
  } else {
    c.warp_instructions += warps * 8 * 9;
    c.shared_requests = warps * (1 + 8 * 2);
    c.barriers = rows * 9;
  }
  return launch;
}

LaunchRecord Matmul(uint64_t n, bool tiled, int conflicts = 0) {
  LaunchRecord launch = Launch(n / 16 * (n / 16), 256);
  const uint64_t steps = n * n * n / 32;
  Counters& c = launch.counters;
  c.fp32 = steps;
  c.dram_sectors = n * n * 3 / 8;
  c.global_store_sectors = n * n / 8;
  if (tiled) {
    c.warp_instructions = steps * 4;
    c.shared_requests = steps * 2 + steps / 8;
    c.shared_conflicts = steps * conflicts;
    c.global_requests = steps / 8;
    c.global_load_sectors = steps / 8 * 4;
    c.barriers = steps / 8 / 8;
  } else {
    c.warp_instructions = steps * 5;
    c.global_requests = steps * 2;
    c.global_load_sectors = steps * 4;
  }
  return launch;
}

TimeEstimate Model(const DeviceSheet& sheet, std::vector<LaunchRecord> launches) {
  CallOutcome outcome;
  outcome.launches = std::move(launches);
  return ModelCall(sheet, outcome, {});
}

class CostModelTest : public testing::TestWithParam<int> {
 protected:
  const DeviceSheet sheet_ = SomeSheets()[GetParam()];
};
INSTANTIATE_TEST_SUITE_P(Devices, CostModelTest, testing::Values(0, 1, 2),
                         [](const auto& info) { return SomeSheets()[info.param].name; });

TEST_P(CostModelTest, CoalescedBeatsStrided) {
  const double coalesced = Model(sheet_, {Copy(kElements, 1)}).us;
  const double strided = Model(sheet_, {Copy(kElements, 1, 1.0)}).us;
  EXPECT_LT(coalesced * 1.15, strided);
}

TEST_P(CostModelTest, TiledMatmulBeatsNaive) {
  EXPECT_LT(Model(sheet_, {Matmul(1024, true)}).us * 1.2, Model(sheet_, {Matmul(1024, false)}).us);
}

TEST_P(CostModelTest, VectorisedCopyBeatsScalar) {
  EXPECT_LT(Model(sheet_, {Copy(kElements, 4)}).us * 1.02, Model(sheet_, {Copy(kElements, 1)}).us);
}

TEST_P(CostModelTest, FusedBeatsSeparate) {
  for (const uint64_t elements : {kElements, kElements >> 8}) {
    EXPECT_EQ(1, CompareSpeed(Model(sheet_, {Copy(elements, 4)}),
                              Model(sheet_, {Copy(elements, 4), Copy(elements, 4)})));
  }
}

TEST_P(CostModelTest, OnePassBeatsTwo) {
  EXPECT_EQ(1, CompareSpeed(Model(sheet_, {RowSum(16384, true, 1)}),
                            Model(sheet_, {RowSum(16384, true, 2)})));
}

TEST_P(CostModelTest, NoBankConflictsBeatConflicts) {
  EXPECT_EQ(
      1, CompareSpeed(Model(sheet_, {Matmul(512, true)}), Model(sheet_, {Matmul(512, true, 1)})));
}

TEST_P(CostModelTest, ShufflesBeatASharedTree) {
  EXPECT_EQ(
      1, CompareSpeed(Model(sheet_, {RowSum(16384, true)}), Model(sheet_, {RowSum(16384, false)})));
}

TEST_P(CostModelTest, Half2BeatsHalf) {
  const auto halves = [](int width) {
    LaunchRecord launch = Copy(kElements, width, 1.0 / 16);
    Counters& c = launch.counters;
    c.fp16 = kElements / 32 / width * 4;
    c.fp32 = 0;
    c.global_store_sectors = kElements / 16;
    c.dram_sectors = kElements / 8;
    return launch;
  };
  EXPECT_EQ(1, CompareSpeed(Model(sheet_, {halves(2)}), Model(sheet_, {halves(1)})));
}

TEST_P(CostModelTest, NeverFasterThanCompulsoryTrafficAtPeak) {
  for (const uint64_t elements : {uint64_t{1} << 12, uint64_t{1} << 20, uint64_t{1} << 26}) {
    for (const int width : {1, 2, 4}) {
      const TimeEstimate time = Model(sheet_, {Copy(elements, width)});
      EXPECT_GT(time.us, elements * 8.0 / (sheet_.dram_gbps * 1e3));
    }
  }
}

TEST_P(CostModelTest, TensorCoresNeverBeatTheirPeak) {
  LaunchRecord launch = Launch(1024, 256);
  launch.counters.tensor = 1 << 22;
  launch.counters.warp_instructions = 1 << 22;
  const double flops = 4096.0 * (1 << 22);
  EXPECT_GT(Model(sheet_, {launch}).us, flops / (sheet_.tensor_fp16_tflops * 1e6));
}

TEST_P(CostModelTest, TinyWorkloadsApproachTheLaunch) {
  const TimeEstimate time = Model(sheet_, {Copy(1024, 1)});
  EXPECT_GT(time.us, sheet_.launch_us);
  EXPECT_LT(time.us, sheet_.launch_us * 1.5);
  EXPECT_EQ(time.bound, "launch");
}

TEST_P(CostModelTest, OneBlockIsSlowerThanMany) {
  LaunchRecord one = Copy(1 << 20, 1);
  one.grid.x = 1;
  const TimeEstimate alone = Model(sheet_, {one});
  EXPECT_GT(alone.us, Model(sheet_, {Copy(1 << 20, 1)}).us * 10);
  EXPECT_EQ(alone.bound, "latency");
}

TEST_P(CostModelTest, EachSavingHelps) {
  const LaunchRecord base = RowSum(4096, false, 2);
  const double before = Model(sheet_, {base}).us;
  for (uint64_t Counters::*counter :
       {&Counters::warp_instructions, &Counters::fp32, &Counters::global_requests,
        &Counters::shared_requests, &Counters::barriers, &Counters::dram_sectors,
        &Counters::global_load_sectors}) {
    LaunchRecord less = base;
    less.counters.*counter /= 2;
    EXPECT_LT(Model(sheet_, {less}).us, before);
  }
}

TEST(CostModel, NamesWhatBounds) {
  EXPECT_EQ(Model(A100(), {Copy(1 << 26, 4)}).bound, "dram");
  EXPECT_EQ(Model(A100(), {Matmul(1024, true, 3)}).bound, "shared");
  CallOutcome outcome;
  outcome.launches = {Copy(1 << 20, 4)};
  outcome.host_to_device_bytes = 1 << 26;
  EXPECT_EQ(ModelCall(A100(), outcome, {}).bound, "pcie");
}

TEST(CostModel, HostCopiesCostTheirLink) {
  CallOutcome outcome;
  outcome.launches = {Copy(1 << 20, 4)};
  const double without = ModelCall(A100(), outcome, {}).us;
  outcome.device_to_host_bytes = 25'000'000;
  EXPECT_NEAR(ModelCall(A100(), outcome, {}).us - without, 1000, 20);
}

TEST(CostModel, CopiesAndFillsOnTheDeviceAreNotFree) {
  CallOutcome outcome;
  outcome.launches = {Copy(1 << 20, 4)};
  const double without = ModelCall(A100(), outcome, {}).us;
  outcome.device_moves = 1;
  outcome.device_moved_bytes = 1 << 20;
  const double with = ModelCall(A100(), outcome, {}).us;
  EXPECT_GT(with, without + 1);
  EXPECT_LT(with, without + 2);
  outcome.launches.clear();
  outcome.device_moved_bytes = 1 << 30;
  EXPECT_EQ(ModelCall(A100(), outcome, {}).bound, "dram");
  EXPECT_GT(ModelCall(A100(), outcome, {}).us, (1 << 30) / (A100().dram_gbps * 1e3));
}

TEST(CostModel, ALaunchAloneIsACallOfOne) {
  const LaunchRecord launch = Copy(1 << 22, 4);
  EXPECT_DOUBLE_EQ(ModelLaunch(A100(), launch, {}).us, Model(A100(), {launch}).us);
}

TEST(Occupancy, IsLimitedByEachResource) {
  LaunchRecord launch = Launch(1000, 256);
  EXPECT_EQ(OccupancyOf(A100(), launch, nullptr).blocks_per_sm, 8);
  EXPECT_EQ(OccupancyOf(A100(), launch, nullptr).limit, "threads");
  const KernelResources heavy{"k", 128, 0, 0, 0};
  EXPECT_EQ(OccupancyOf(A100(), launch, &heavy).blocks_per_sm, 2);
  EXPECT_EQ(OccupancyOf(A100(), launch, &heavy).limit, "registers");
  launch.dynamic_shared = 80 * 1024;
  EXPECT_EQ(OccupancyOf(A100(), launch, nullptr).blocks_per_sm, 2);
  EXPECT_EQ(OccupancyOf(A100(), launch, nullptr).limit, "shared");
  EXPECT_EQ(OccupancyOf(A100(), Launch(1000, 32), nullptr).blocks_per_sm, 32);
}

TEST(CostModel, MoreRegistersThanFitHideLessLatency) {
  const std::vector<KernelResources> light = {{"k", 32, 0, 0, 0}}, heavy = {{"k", 200, 0, 0, 0}};
  const LaunchRecord launch = RowSum(16384, true);
  EXPECT_LT(ModelLaunch(A100(), launch, light).us, ModelLaunch(A100(), launch, heavy).us);
}

TEST(CostModel, SpillsCost) {
  const std::vector<KernelResources> clean = {{"k", 64, 0, 0, 0}}, spills = {{"k", 64, 512, 0, 0}};
  const LaunchRecord launch = Copy(1 << 22, 1);
  EXPECT_LT(ModelLaunch(A100(), launch, clean).us, ModelLaunch(A100(), launch, spills).us);
}

}  // namespace
}  // namespace kw::eval
