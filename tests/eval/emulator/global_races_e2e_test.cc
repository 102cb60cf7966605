// Races on device memory: between blocks, and between warps of a block.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ptx_source.h"

namespace kw::eval {
namespace {

using Status = LaunchOutcome::Status;
using testing::HasSubstr;

constexpr std::string_view kRacy = R"(
  extern "C" __global__ void adds(const float* x, float* y) {
    if (threadIdx.x == 0) y[0] += x[blockIdx.x];
  }
  extern "C" __global__ void warps_add(const float* x, float* y) {
    if (threadIdx.x % 32 == 0) y[0] += x[threadIdx.x];
  }
  extern "C" __global__ void sets_and_adds(const float* x, float* y) {
    if (blockIdx.x == 0 && threadIdx.x == 0) y[0] = 0;
    atomicAdd(y, x[blockIdx.x * blockDim.x + threadIdx.x]);
  }
  extern "C" __global__ void reads_its_neighbour(float* y) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    y[i] = y[(i + 32) % (gridDim.x * blockDim.x)] + 1;
  }
  extern "C" __global__ void last_without_fence(const float* x, float* y, float* part, int* count) {
    __shared__ bool last;
    if (threadIdx.x == 0) {
      part[blockIdx.x] = x[blockIdx.x];
      last = atomicAdd(count, 1) == gridDim.x - 1;
    }
    __syncthreads();
    if (last && threadIdx.x == 0) {
      float sum = 0;
      for (int i = 0; i < gridDim.x; ++i) sum += part[i];
      *y = sum;
    }
  }
  extern "C" __global__ void no_barrier(const float* x, float* y) {
    y[threadIdx.x] = x[threadIdx.x];
    y[threadIdx.x + 128] = y[(threadIdx.x + 32) % 128];
  }
  // Lanes store in steps of eight words: two blocks share the last one's.
  extern "C" __global__ void steps(float* y) {
    const int i = blockIdx.x * (blockDim.x - 1) + threadIdx.x;
    y[8 * i] = blockIdx.x + 1;
  }
  extern "C" __global__ void bytes(unsigned char* y) { y[0] = blockIdx.x; }
  // The fence comes before the stores of the other warps.
  extern "C" __global__ void early_fence(const float* x, float* y, float* part, int* count) {
    __shared__ int ticket;
    if (threadIdx.x == 0) { __threadfence(); ticket = atomicAdd(count, 1); }
    part[blockIdx.x * blockDim.x + threadIdx.x] = x[threadIdx.x];
    __syncthreads();
    if (ticket == gridDim.x - 1 && threadIdx.x == 0) {
      __threadfence();
      float sum = 0;
      for (int i = 0; i < gridDim.x * blockDim.x; ++i) sum += part[i];
      *y = sum;
    }
  }
)";

struct RaceRig {
  RaceRig(const std::string& ptx, uint64_t seed) : bench(ptx, seed) {
    std::vector<float> values(256, 1.0f);
    x = bench.Upload(values, "x");
    y = bench.Upload(values, "y");
    part = bench.Upload(std::vector<float>(1024), "part");
    count = bench.Upload(std::vector<int>{0, 0}, "count");
  }
  Bench bench;
  uint64_t x, y, part, count;
};

TEST(GlobalRaces, AreSeenOnEverySeed) {
  const std::string ptx = CompilePtx(kRacy);
  for (const uint64_t seed : {1u, 2u, 3u, 4u, 5u, 6u}) {
    RaceRig s(ptx, seed);
    const auto racy = [&](const LaunchOutcome& done, std::string_view text) {
      EXPECT_EQ(done.status, Status::kOk) << done.message;
      ASSERT_THAT(s.bench.HazardKinds(), HasSubstr("global_race")) << text << " with seed " << seed;
      EXPECT_THAT(s.bench.last_hazards[0].text, HasSubstr(std::string(text)));
      EXPECT_GT(s.bench.last_hazards[0].line, 0);
    };
    racy(s.bench.Run("adds", {4}, {32}, 0, s.x, s.y), "stores at byte 0 of y in the same launch");
    racy(s.bench.Run("warps_add", {1}, {128}, 0, s.x, s.y), "a __syncthreads() is missing");
    racy(s.bench.Run("sets_and_adds", {4}, {32}, 0, s.x, s.y), "byte 0 of y");
    racy(s.bench.Run("last_without_fence", {8}, {32}, 0, s.x, s.y, s.part, s.count), "of part");
    racy(s.bench.Run("bytes", {4}, {32}, 0, s.y), "overwrites what block");
    racy(s.bench.Run("steps", {2}, {32}, 0, s.part), "of part");
    racy(s.bench.Run("early_fence", {4}, {64}, 0, s.x, s.y, s.part, s.count + 4), "of part");
  }
}

// One order of the two accesses shows them: what reads first and is overwritten later is not kept.
TEST(GlobalRaces, OfAReaderThatComesFirstAreSeenOnSomeSeeds) {
  const std::string ptx = CompilePtx(kRacy);
  int neighbour = 0, barrier = 0;
  for (uint64_t seed = 1; seed <= 12; ++seed) {
    RaceRig s(ptx, seed);
    s.bench.Run("reads_its_neighbour", {8}, {32}, 0, s.y);
    neighbour += s.bench.HazardKinds() == "global_race";
    s.bench.Run("no_barrier", {1}, {128}, 0, s.x, s.y);
    barrier += s.bench.HazardKinds() == "global_race";
  }
  EXPECT_GE(neighbour, 6);
  EXPECT_GE(barrier, 6);
}

constexpr std::string_view kOrdered = R"(
  #include <cuda_fp16.h>
  #include <cooperative_groups.h>
  extern "C" __global__ void same_value(int* y) { y[0] = 7; }
  extern "C" __global__ void atomics(const float* x, float* y) { atomicAdd(y, x[threadIdx.x]); }
  // The maximum by compare-and-swap reads plainly first.
  extern "C" __global__ void swap_max(const float* x, float* y) {
    int old = __float_as_int(*y), seen;
    do { seen = old; if (__int_as_float(seen) >= x[threadIdx.x]) break;
         old = atomicCAS((int*)y, seen, __float_as_int(x[threadIdx.x])); } while (old != seen);
  }
  // As in the reduction that every course has: no fence after the ticket.
  extern "C" __global__ void last_block(const float* x, float* y, float* part, int* count) {
    __shared__ bool last;
    part[blockIdx.x * blockDim.x + threadIdx.x] = x[threadIdx.x];
    __threadfence();
    __syncthreads();
    if (threadIdx.x == 0) last = atomicAdd(count, 1) == gridDim.x - 1;
    __syncthreads();
    if (last && threadIdx.x < 32) {
      float sum = 0;
      for (int i = 0; i < gridDim.x * blockDim.x; ++i) sum += part[i];
      if (threadIdx.x == 0) *y = sum;
    }
  }
  // One thread's fence covers what its block stored before the barrier.
  extern "C" __global__ void one_fence(const float* x, float* y, float* part, int* count) {
    __shared__ bool last;
    part[blockIdx.x * blockDim.x + threadIdx.x] = x[threadIdx.x];
    __syncthreads();
    if (threadIdx.x == 0) { __threadfence(); last = atomicAdd(count, 1) == gridDim.x - 1; __threadfence(); }
    __syncthreads();
    if (last) y[threadIdx.x] = part[(gridDim.x - 1 - threadIdx.x % gridDim.x) * blockDim.x + threadIdx.x];
  }
  // The last of all warps, with no barrier at all.
  extern "C" __global__ void last_warp(const float* x, float* y, float* part, int* count) {
    int warp = (blockIdx.x * blockDim.x + threadIdx.x) / 32, lane = threadIdx.x % 32, ticket = 0;
    part[warp * 32 + lane] = x[lane];
    __threadfence(); __syncwarp();
    if (lane == 0) ticket = atomicAdd(count, 1);
    ticket = __shfl_sync(~0u, ticket, 0);
    if (ticket == gridDim.x * blockDim.x / 32 - 1) {
      __threadfence();
      float sum = 0;
      for (int i = 0; i <= ticket; ++i) sum += part[i * 32 + lane];
      y[lane] = sum;
    }
  }
  extern "C" __global__ void lock(float* y, int* count) {
    if (threadIdx.x == 0) {
      while (atomicCAS(count, 0, 1) != 0) {}
      __threadfence();
      y[0] += 1;
      __threadfence();
      atomicExch(count, 0);
    }
  }
  // Each block waits for the flag of the one before it.
  extern "C" __global__ void chain(float* y, volatile int* flags) {
    if (threadIdx.x == 0) {
      float before = 0;
      if (blockIdx.x > 0) { while (flags[blockIdx.x - 1] == 0) {} __threadfence(); before = y[blockIdx.x - 1]; }
      y[blockIdx.x] = before + 1;
      __threadfence();
      flags[blockIdx.x] = 1;
    }
  }
  extern "C" __global__ void grid_sync(float* y) {
    auto grid = cooperative_groups::this_grid();
    int i = blockIdx.x * blockDim.x + threadIdx.x, n = gridDim.x * blockDim.x;
    for (int round = 0; round < 3; ++round) {
      float next = y[(i + 32) % n] + 1;
      grid.sync();
      y[i] = next;
      grid.sync();
    }
  }
  // Neighbouring warps and blocks write the halves of one word.
  extern "C" __global__ void halves(const __half* x, __half* y, int cols) {
    int row = (blockIdx.x * blockDim.x + threadIdx.x) / 32;
    for (int c = threadIdx.x % 32; c < cols; c += 32) y[row * cols + c] = x[row * cols + c];
  }
  // Rounds in place, a barrier after each access.
  extern "C" __global__ void rounds(float* y) {
    int t = threadIdx.x;
    for (int step = 1; step < 128; step *= 2) {
      float other = t >= step ? y[t - step] : 0;
      __syncthreads();
      y[t] += other;
      __syncthreads();
    }
  }
  extern "C" __global__ void volatile_parts(const float* x, volatile float* part, float* y, int* count) {
    if (threadIdx.x != 0) return;
    part[blockIdx.x] = x[blockIdx.x];
    __threadfence();
    if (atomicAdd(count, 1) != gridDim.x - 1) return;
    float sum = 0;
    for (int i = 0; i < gridDim.x; ++i) sum += part[i];
    *y = sum;
  }
)";

TEST(GlobalRaces, AreNotSeenWhereSomethingOrders) {
  const std::string ptx = CompilePtx(kOrdered, "80");
  for (const uint64_t seed : {1u, 2u, 3u, 4u}) {
    RaceRig s(ptx, seed);
    const auto clean = [&](const LaunchOutcome& done, const char* name) {
      EXPECT_EQ(done.status, Status::kOk) << name << ": " << done.message;
      EXPECT_EQ(s.bench.HazardKinds(), "") << name << ": " << s.bench.last_hazards[0].text;
      ASSERT_TRUE(s.bench.gpu.Fill(s.count, 0, 8).has_value());
    };
    const Dim3 four{4}, wide{64};
    clean(s.bench.Run("same_value", four, wide, 0, s.y), "same_value");
    clean(s.bench.Run("atomics", four, wide, 0, s.x, s.y), "atomics");
    clean(s.bench.Run("swap_max", four, wide, 0, s.x, s.y), "swap_max");
    clean(s.bench.Run("last_block", four, wide, 0, s.x, s.y, s.part, s.count), "last_block");
    EXPECT_EQ(s.bench.Download<float>(s.y, 1)[0], 256.0f);
    clean(s.bench.Run("one_fence", four, wide, 0, s.x, s.y, s.part, s.count), "one_fence");
    clean(s.bench.Run("last_warp", four, wide, 0, s.x, s.y, s.part, s.count), "last_warp");
    clean(s.bench.Run("lock", {16}, wide, 0, s.y, s.count), "lock");
    EXPECT_EQ(s.bench.Download<float>(s.y, 1)[0], 24.0f);
    const uint64_t flags = s.bench.Upload(std::vector<int>(16), "flags");
    clean(s.bench.Run("chain", {16}, wide, 0, s.y, flags), "chain");
    EXPECT_EQ(s.bench.Download<float>(s.y, 16)[15], 16.0f);
    s.bench.cooperative = true;
    clean(s.bench.Run("grid_sync", four, wide, 0, s.y), "grid_sync");
    s.bench.cooperative = false;
    const uint64_t half = s.bench.Upload(std::vector<uint16_t>(280, ToHalf(1)), "half");
    clean(s.bench.Run("halves", four, wide, 0, half, s.part, 35), "halves");
    clean(s.bench.Run("rounds", {1}, {128}, 0, s.y), "rounds");
    clean(s.bench.Run("volatile_parts", four, wide, 0, s.x, s.part, s.y, s.count),
          "volatile_parts");
  }
}

// What one launch stored is there for the next; numbers of old authors mean nothing in it.
TEST(GlobalRaces, LaunchesAreOrdered) {
  Bench bench(CompilePtx(R"(
    extern "C" __global__ void put(float* y) { y[blockIdx.x * 32 + threadIdx.x] = blockIdx.x; }
    extern "C" __global__ void take(float* y) {
      float v = y[(gridDim.x - 1 - blockIdx.x) * 32 + threadIdx.x];
      y[1024 + blockIdx.x * 32 + threadIdx.x] = v;
    })"));
  const uint64_t y = bench.Make(8192, "y");
  for (int i = 0; i < 3; ++i) {
    bench.Run("put", {32}, {32}, 0, y);
    bench.Run("take", {32}, {32}, 0, y);
    EXPECT_CLEAN(bench);
  }
}

}  // namespace
}  // namespace kw::eval
