// Races between the lanes of a warp on shared memory.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ptx_source.h"

namespace kw::eval {
namespace {

using testing::HasSubstr;

struct LaneRig {
  explicit LaneRig(std::string_view source, uint64_t seed) : bench(CompilePtx(source), seed) {
    std::vector<float> values(256);
    for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
    x = bench.Upload(values, "x");
    y = bench.Make(1024, "y");
  }
  std::string HazardsOf(const char* kernel, uint32_t threads) {
    const LaunchOutcome done = bench.Run(kernel, {2}, {threads}, 0, x, y);
    EXPECT_EQ(done.status, LaunchOutcome::Status::kOk) << done.message;
    const std::string kinds = bench.HazardKinds();
    text = bench.last_hazards.empty() ? "" : bench.last_hazards[0].text;
    return kinds;
  }
  Bench bench;
  uint64_t x, y;
  std::string text;
};

TEST(LaneRaces, AreSeen) {
  LaneRig s(R"(
    extern "C" __global__ void tree(const float* x, float* y) {
      __shared__ float s[64];
      int t = threadIdx.x;
      s[t] = x[t];
      __syncthreads();
      if (t < 32) { s[t] += s[t + 32]; s[t] += s[t + 16]; s[t] += s[t + 8]; }
      if (t == 0) y[blockIdx.x] = s[0];
    }
    extern "C" __global__ void rotate(const float* x, float* y) {
      __shared__ float s[32];
      int t = threadIdx.x;
      s[t] = x[t];
      __syncwarp();
      float v = s[(t + 1) % 32];
      s[t] = v;
      __syncwarp();
      y[blockIdx.x * 32 + t] = s[t];
    }
    extern "C" __global__ void one_place(const float* x, float* y) {
      __shared__ float s;
      s = x[threadIdx.x];
      __syncwarp();
      y[blockIdx.x * 32 + threadIdx.x] = s;
    }
    extern "C" __global__ void shuffle_is_no_fence(const float* x, float* y) {
      __shared__ float s[32];
      int t = threadIdx.x;
      s[t] = x[t];
      float v = __shfl_xor_sync(~0u, x[t], 1);
      y[blockIdx.x * 32 + t] = s[t ^ 1] + v;
    })",
            1);
  EXPECT_EQ(s.HazardsOf("tree", 64), "shared_race");  // all on one line
  EXPECT_THAT(s.text, HasSubstr("__syncwarp()"));
  EXPECT_EQ(s.HazardsOf("rotate", 32), "shared_race");
  EXPECT_THAT(s.text, HasSubstr("overwrites what lane"));
  EXPECT_EQ(s.HazardsOf("one_place", 32), "shared_race");
  EXPECT_EQ(s.HazardsOf("shuffle_is_no_fence", 32), "shared_race");
  EXPECT_THAT(s.text, HasSubstr("reads what lane"));
}

TEST(LaneRaces, AreNotSeenInCorrectKernels) {
  LaneRig s(R"(
    #include <cooperative_groups.h>
    extern "C" __global__ void tree(const float* x, float* y) {
      __shared__ float s[64];
      int t = threadIdx.x;
      s[t] = x[t];
      __syncthreads();
      if (t < 32) {
        s[t] += s[t + 32]; __syncwarp();
        float v = s[t];
        for (int o = 16; o > 0; o /= 2) { v += s[t ^ o]; __syncwarp(); s[t] = v; __syncwarp(); }
      }
      if (t == 0) y[blockIdx.x] = s[0];
    }
    // From before Volta: all accesses are volatile.
    extern "C" __global__ void volatile_tree(const float* x, float* y) {
      __shared__ float s[64];
      int t = threadIdx.x;
      s[t] = x[t];
      __syncthreads();
      if (t < 32) {
        volatile float* v = s;
        v[t] += v[t + 32]; v[t] += v[t + 16]; v[t] += v[t + 8]; v[t] += v[t + 4]; v[t] += v[t + 2]; v[t] += v[t + 1];
        if (t == 0) y[blockIdx.x] = v[0];
      }
    }
    extern "C" __global__ void same_value(const float* x, float* y) {
      __shared__ int s;
      s = 7;
      y[blockIdx.x * 32 + threadIdx.x] = s;
    }
    extern "C" __global__ void private_cells(const float* x, float* y) {
      __shared__ float s[4][32];
      int t = threadIdx.x;
      for (int k = 0; k < 4; ++k) s[k][t] = x[t] + k;
      for (int round = 0; round < 3; ++round)
        for (int k = 0; k < 4; ++k) s[k][t] += s[(k + 1) % 4][t];
      y[blockIdx.x * 32 + t] = s[0][t];
    }
    extern "C" __global__ void tiles(const float* x, float* y) {
      namespace cg = cooperative_groups;
      auto tile = cg::tiled_partition<8>(cg::this_thread_block());
      __shared__ float s[32];
      int t = threadIdx.x;
      s[t] = x[t];
      tile.sync();
      float v = s[t ^ 1];
      tile.sync();
      s[t] = v;
      tile.sync();
      y[blockIdx.x * 32 + t] = s[t];
    }
    extern "C" __global__ void fences(const float* x, float* y) {
      __shared__ float s[32];
      int t = threadIdx.x;
      s[t] = x[t];
      __threadfence_block();
      y[blockIdx.x * 32 + t] = s[31 - t];
    }
    // The sum needs what all lanes have read: its store cannot come before their loads.
    extern "C" __global__ void behind_shuffles(const float* x, float* y) {
      __shared__ float s[4];
      int t = threadIdx.x;
      if (t < 4) s[t] = x[t];
      __syncwarp();
      float v = s[t % 4];
      for (int o = 2; o > 0; o /= 2) v += __shfl_xor_sync(~0u, v, o);
      if (t == 0) s[0] = v;
      __syncwarp();
      y[blockIdx.x * 32 + t] = s[0];
    }
    // One lane works, in both branches.
    extern "C" __global__ void leader(const float* x, float* y) {
      __shared__ float s[2];
      int t = threadIdx.x;
      if (t == 0) { s[0] = x[0]; s[1] = s[0] + 1; s[0] = s[1] + 1; }
      __syncwarp();
      y[blockIdx.x * 32 + t] = s[0] + s[1];
    })",
            2);
  for (const char* kernel :
       {"same_value", "private_cells", "tiles", "fences", "behind_shuffles", "leader"}) {
    EXPECT_EQ(s.HazardsOf(kernel, 32), "") << kernel << ": " << s.text;
  }
  EXPECT_EQ(s.bench.Download<float>(s.y, 1)[0], 3.0f);
  for (const char* kernel : {"tree", "volatile_tree"}) {
    EXPECT_EQ(s.HazardsOf(kernel, 64), "") << kernel << ": " << s.text;
  }
}

}  // namespace
}  // namespace kw::eval
