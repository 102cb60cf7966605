// Launches of which only some blocks run.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "ptx_source.h"

namespace kw::eval {
namespace {

using Status = LaunchOutcome::Status;
using testing::HasSubstr;

constexpr std::string_view kSampledKernels = R"(
  extern "C" __global__ void scale(const float* x, float* y, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) y[i] = 2 * x[i];
  }
  extern "C" __global__ void add(const float* x, float* y, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) y[i] += x[i];
  }
  extern "C" __global__ void matmul(const float* a, const float* b, float* c, int n) {
    int row = blockIdx.y * 16 + threadIdx.y, column = blockIdx.x * 16 + threadIdx.x;
    float sum = 0;
    for (int k = 0; k < n; ++k) sum += a[row * n + k] * b[k * n + column];
    c[row * n + column] = sum;
  }
  extern "C" __global__ void sums(const float* x, float* y, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) atomicAdd(y, x[i]);
  }
  extern "C" __global__ void triangle(const float* x, float* y, int n) {
    float v = 0;
    for (int k = 0; k <= blockIdx.x; ++k) v += x[k];
    y[blockIdx.x * blockDim.x + threadIdx.x] = v;
  }
)";

struct SamplingRig {
  explicit SamplingRig(uint64_t seed = 3) : bench(Ptx(), seed) {
    x = bench.Upload(Normal(kCount), "x");
    y = bench.Make(kCount * 4, "y");
    z = bench.Make(kCount * 4, "z");
  }
  static const std::string& Ptx() {
    static const std::string ptx = CompilePtx(kSampledKernels);
    return ptx;
  }
  void Begin(uint64_t lane_instructions, uint64_t seed = 1) {
    bench.gpu.BeginSampling({seed, lane_instructions});
  }
  LaunchOutcome Launch(const char* kernel, uint64_t from, uint64_t to) {
    return bench.Run(kernel, {kCount / 256}, {256}, 0, from, to, kCount);
  }

  static constexpr int kCount = 256 * 1024;
  Bench bench;
  uint64_t x, y, z;
};

// The blocks of 256 floats that the runs hold.
std::set<uint64_t> BlocksOf(const ByteRuns& runs) {
  std::set<uint64_t> blocks;
  for (const auto& [from, to] : runs) {
    EXPECT_EQ(from % 1024, 0u);
    EXPECT_EQ(to % 1024, 0u);
    for (uint64_t at = from; at < to; at += 1024) blocks.insert(at / 1024);
  }
  return blocks;
}

TEST(Sampling, RunsTheFirstTheLastAndSomeBlocksThatTheSeedDecides) {
  std::vector<std::set<uint64_t>> chosen;
  for (const uint64_t seed : {1u, 1u, 2u}) {
    SamplingRig rig;
    rig.Begin(50'000, seed);
    const LaunchOutcome done = rig.Launch("scale", rig.x, rig.y);
    EXPECT_EQ(done.status, Status::kOk) << done.message;
    EXPECT_GE(done.blocks_run, 5u);
    EXPECT_LT(done.blocks_run, 100u);
    const SampledStores stores = rig.bench.gpu.EndSampling();
    EXPECT_EQ(stores.unusable, "");
    ASSERT_TRUE(stores.runs.contains(rig.y));
    chosen.push_back(BlocksOf(stores.runs.at(rig.y)));
    EXPECT_EQ(chosen.back().size(), done.blocks_run);
    EXPECT_TRUE(chosen.back().contains(0));
    EXPECT_TRUE(chosen.back().contains(1023));
    const std::vector<float> x = Normal(SamplingRig::kCount);
    const std::vector<float> y = rig.bench.Download<float>(rig.y, SamplingRig::kCount);
    for (const uint64_t block : chosen.back()) {
      for (size_t i = block * 256; i < block * 256 + 256; ++i) ASSERT_EQ(y[i], 2 * x[i]);
    }
  }
  EXPECT_EQ(chosen[0], chosen[1]);
  EXPECT_NE(chosen[0], chosen[2]);
}

TEST(Sampling, ExtrapolatesTheCountersOfEvenWorkExactly) {
  SamplingRig whole, part;
  const LaunchOutcome all = whole.Launch("scale", whole.x, whole.y);
  part.Begin(50'000);
  const LaunchOutcome some = part.Launch("scale", part.x, part.y);
  EXPECT_EQ(some.counters.lane_instructions, all.counters.lane_instructions);
  EXPECT_EQ(some.counters.global_load_sectors, all.counters.global_load_sectors);
  EXPECT_EQ(some.counters.dram_sectors, all.counters.dram_sectors);
  EXPECT_EQ(some.error, 0);
  EXPECT_EQ(all.blocks_run, 1024u);
}

TEST(Sampling, CountsEachSectorOfASharedOperandOnce) {
  SamplingRig rig;
  rig.Begin(2'000'000);
  const LaunchOutcome done =
      rig.bench.Run("matmul", {32, 32}, {16, 16}, 0, rig.x, rig.y, rig.z, 512);
  EXPECT_EQ(done.status, Status::kOk) << done.message;
  EXPECT_LT(done.blocks_run, 200u);
  // Three matrices of 512 x 512 floats.
  EXPECT_EQ(done.counters.dram_sectors, 3u * 512 * 512 * 4 / 32);
  rig.bench.gpu.TakeHazards();  // y was never written
}

TEST(Sampling, SaysHowFarUnevenWorkMayBeOff) {
  SamplingRig whole, part;
  const LaunchOutcome all = whole.Launch("triangle", whole.x, whole.y);
  part.Begin(10'000'000);
  const LaunchOutcome some = part.Launch("triangle", part.x, part.y);
  const double off = std::abs(static_cast<double>(some.counters.lane_instructions) /
                                  static_cast<double>(all.counters.lane_instructions) -
                              1);
  EXPECT_GT(some.error, 0.01);
  EXPECT_LT(some.error, 0.3);
  EXPECT_LT(off, 3 * some.error);
}

TEST(Sampling, LeavesAloneWhatFitsAndWhatBlocksMakeTogether) {
  SamplingRig rig;
  rig.Begin(1'000'000'000);
  EXPECT_EQ(rig.Launch("scale", rig.x, rig.y).blocks_run, 1024u);
  EXPECT_TRUE(rig.bench.gpu.EndSampling().runs.empty());
  ASSERT_TRUE(rig.bench.gpu.Fill(rig.z, 0, 4));
  rig.Begin(1000);
  EXPECT_EQ(rig.Launch("sums", rig.x, rig.z).blocks_run, 1024u);
  EXPECT_TRUE(rig.bench.gpu.EndSampling().runs.empty());
}

TEST(Sampling, IsOfNoUseWhereLaterWorkTakesWhatWasSampled) {
  {
    SamplingRig rig;
    rig.Begin(1000);
    rig.Launch("scale", rig.x, rig.y);
    rig.Launch("scale", rig.y, rig.z);
    EXPECT_THAT(rig.bench.gpu.EndSampling().unusable, HasSubstr("scale touches y"));
  }
  {
    SamplingRig rig;
    rig.Begin(1000);
    rig.Launch("scale", rig.x, rig.y);
    rig.Launch("add", rig.x, rig.y);
    EXPECT_THAT(rig.bench.gpu.EndSampling().unusable, HasSubstr("add touches y"));
  }
  {
    SamplingRig rig;
    rig.Begin(1000);
    rig.Launch("scale", rig.x, rig.y);
    float value = 0;
    ASSERT_TRUE(rig.bench.gpu.Read(rig.y, reinterpret_cast<char*>(&value), 4));
    EXPECT_THAT(rig.bench.gpu.EndSampling().unusable, HasSubstr("a copy or a fill touches y"));
  }
  {
    SamplingRig rig;
    rig.Begin(1000);
    ASSERT_TRUE(rig.bench.gpu.Fill(rig.y, 0, SamplingRig::kCount * 4));
    rig.Launch("add", rig.x, rig.y);  // in place, once
    EXPECT_EQ(rig.bench.gpu.EndSampling().unusable, "");
  }
}

}  // namespace
}  // namespace kw::eval
