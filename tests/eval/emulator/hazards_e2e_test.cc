// Wrong kernels that hardware may run in silence, and correct ones that must not be flagged.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ptx_source.h"

namespace kw::eval {
namespace {

using Status = LaunchOutcome::Status;
using testing::HasSubstr;

constexpr std::string_view kWrong = R"(
  extern "C" __global__ void past_end(const float* x, float* y, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    y[i] = x[i];
  }
  extern "C" __global__ void no_barrier(const float* x, float* y) {
    __shared__ float s[256];
    s[threadIdx.x] = x[threadIdx.x];
    y[threadIdx.x] = s[255 - threadIdx.x];
  }
  extern "C" __global__ void reuse_without_barrier(const float* x, float* y, int tiles) {
    __shared__ float s[64];
    float acc = 0;
    for (int t = 0; t < tiles; ++t) {
      s[threadIdx.x] = x[t * 64 + threadIdx.x];
      __syncthreads();
      for (int i = 0; i < 64; ++i) acc += s[i];
    }
    y[threadIdx.x] = acc;
  }
  extern "C" __global__ void divergent_barrier(const float* x, float* y, int n) {
    __shared__ float s[64];
    s[threadIdx.x] = x[threadIdx.x];
    if (threadIdx.x < 40) { __syncthreads(); y[threadIdx.x] = s[threadIdx.x]; }
    else { y[threadIdx.x] = 0; __syncthreads(); }
  }
  extern "C" __global__ void half_wait(const float* x, float* y) {
    if (threadIdx.x < 32) __syncthreads();
    y[threadIdx.x] = x[threadIdx.x];
    if (threadIdx.x < 32) __syncthreads();
    if (threadIdx.x >= 32) { asm volatile("bar.sync 3, 96;"); }
  }
  extern "C" __global__ void shuffle_in_branch(const float* x, float* y) {
    float v = x[threadIdx.x];
    if (threadIdx.x < 16) v += __shfl_xor_sync(0xffffffffu, v, 1); else y[threadIdx.x + 32] = __shfl_xor_sync(0xffffffffu, v, 2);
    y[threadIdx.x] = v;
  }
  extern "C" __global__ void misaligned(const float* x, float* y) {
    float4 v = *reinterpret_cast<const float4*>(x + 1 + threadIdx.x * 4);
    y[threadIdx.x] = v.x + v.y + v.z + v.w;
  }
  extern "C" __global__ void reads_output(const float* x, float* y) { y[threadIdx.x] += x[threadIdx.x]; }
  extern "C" __global__ void writes_input(float* x, float* y) { y[threadIdx.x] = x[threadIdx.x]; x[threadIdx.x] = 0; }
  extern "C" __global__ void shared_uninitialised(float* y) { __shared__ float s[64]; if (threadIdx.x < 32) s[threadIdx.x] = 1; __syncthreads(); y[threadIdx.x] = s[threadIdx.x]; }
  extern "C" __global__ void shared_past_end(float* y) { extern __shared__ float s[]; s[threadIdx.x] = 1; __syncthreads(); y[threadIdx.x] = s[threadIdx.x]; }
  extern "C" __global__ void local_uninitialised(float* y, int n) { float a[8]; for (int i = 0; i < n; ++i) a[i] = i; y[threadIdx.x] = a[threadIdx.x % 8]; }
  extern "C" __global__ void prints(int* y) { y[threadIdx.x] = printf("%d of %s\n", threadIdx.x, "all"); }
  extern "C" __global__ void endless(volatile int* flag, int* out) { int n = 0; while (*flag == 0) ++n; *out = n; }
  extern "C" __global__ void endless_plain(int* out, int step) { int n = 1; for (int i = 0; i >= 0; i = (i + step) & 1023) n = n * 3 + i; *out = n; }
  extern "C" __global__ void traps(int n) { if (threadIdx.x == n) __trap(); }
)";

struct Rig {
  explicit Rig(uint64_t seed = 1) : bench(Ptx(), seed) {
    std::vector<float> values(256, 1.0f);
    x = bench.Upload(values, "x");
    y = bench.Make(256 * 4, "y");
  }
  static const std::string& Ptx() {
    static const std::string text = CompilePtx(kWrong);
    return text;
  }
  Bench bench;
  uint64_t x, y;
};

TEST(Hazards, OutOfBoundsNamesBufferDistanceLineAndThread) {
  Rig s;
  const LaunchOutcome done = s.bench.Run("past_end", {3}, {128}, 0, s.x, s.y, 256);
  EXPECT_EQ(done.status, Status::kFault);
  ASSERT_EQ(s.bench.HazardKinds(), "out_of_bounds");
  const Hazard& hazard = s.bench.last_hazards[0];
  EXPECT_EQ(hazard.kernel, "past_end");
  EXPECT_EQ(hazard.line, 4);
  EXPECT_EQ(hazard.block.x, 2u);
  EXPECT_EQ(hazard.thread.x, 0u);
  EXPECT_THAT(hazard.text, HasSubstr("right at the end of x (1024 bytes)"));
}

TEST(Hazards, FreedHostAndNullPointers) {
  Rig s;
  ASSERT_TRUE(s.bench.gpu.Free(s.x).has_value());
  LaunchOutcome done = s.bench.Run("past_end", {1}, {32}, 0, s.x, s.y, 256);
  EXPECT_EQ(done.status, Status::kFault);
  EXPECT_EQ(s.bench.HazardKinds(), "use_after_free");
  const float host = 0;
  s.bench.Run("past_end", {1}, {32}, 0, reinterpret_cast<uint64_t>(&host), s.y, 256);
  EXPECT_EQ(s.bench.HazardKinds(), "host_pointer");
  s.bench.Run("past_end", {1}, {32}, 0, uint64_t{0}, s.y, 256);
  EXPECT_EQ(s.bench.HazardKinds(), "out_of_bounds");
  EXPECT_THAT(s.bench.last_hazards[0].text, HasSubstr("null"));
}

TEST(Hazards, SharedRacesOnEverySeed) {
  for (const uint64_t seed : {1u, 2u, 3u, 4u}) {
    Rig s(seed);
    LaunchOutcome done = s.bench.Run("no_barrier", {1}, {256}, 0, s.x, s.y);
    EXPECT_EQ(done.status, Status::kOk);
    EXPECT_THAT(s.bench.HazardKinds(), HasSubstr("shared_race"));
    done = s.bench.Run("reuse_without_barrier", {1}, {64}, 0, s.x, s.y, 4);
    EXPECT_EQ(done.status, Status::kOk);
    EXPECT_EQ(s.bench.HazardKinds(), "shared_race");
    EXPECT_THAT(s.bench.last_hazards[0].text, HasSubstr("__syncthreads"));
  }
}

// Every lane loads four words, with as many between: the units of one load are not side by side.
TEST(Hazards, OfSharedLoadsWithGaps) {
  const std::string ptx = CompilePtx(R"(
    // A block of 64: s[512] by threads, then float4 number 2 * (t % 8) + odd of each of four rows.
    extern "C" __global__ void gaps(const float* x, float* y, int odd, int bare, int late) {
      __shared__ __align__(16) float s[512];
      const int t = threadIdx.x;
      for (int i = t; i < 512; i += 64) if (i != bare) s[i] = x[i];
      __syncthreads();
      if (late >= 0 && t == 32) s[late] = -1;
      float sum = 0;
      for (int row = 0; row < 4; ++row) {
        const float4 v = *(const float4*)&s[row * 128 + 8 * (t % 8) + 4 * odd];
        sum += v.x + 2 * v.y + 4 * v.z + 8 * v.w;
      }
      if (t < 32) y[t] = sum;
    }
  )");
  std::vector<float> x(512);
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i % 61);
  const auto run = [&](uint64_t seed, int odd, int bare, int late) {
    Bench bench(ptx, seed);
    const uint64_t y = bench.Make(32 * 4, "y");
    const LaunchOutcome done =
        bench.Run("gaps", {1}, {64}, 0, bench.Upload(x, "x"), y, odd, bare, late);
    EXPECT_EQ(done.status, Status::kOk) << done.message;
    const std::string kinds = bench.HazardKinds();
    const std::vector<float> got = bench.Download<float>(y, 32);
    for (size_t t = 0; kinds.empty() && t < got.size(); ++t) {
      float sum = 0;
      for (size_t row = 0; row < 4; ++row) {
        for (size_t i = 0; i < 4; ++i) {
          sum += x[row * 128 + 8 * (t % 8) + 4 * static_cast<size_t>(odd) + i] *
                 static_cast<float>(1 << i);
        }
      }
      EXPECT_EQ(got[t], sum) << t;
    }
    return kinds;
  };
  for (const uint64_t seed : {1u, 2u, 3u, 4u}) {
    EXPECT_EQ(run(seed, 0, -1, -1), "");
    EXPECT_EQ(run(seed, 1, -1, -1), "");
    // Word 6 is of an odd float4: what lies between those that are loaded does not matter.
    EXPECT_EQ(run(seed, 0, 6, 6), "");
    EXPECT_EQ(run(seed, 1, 6, -1), "uninitialised");
    EXPECT_THAT(run(seed, 1, -1, 6), HasSubstr("shared_race"));
    EXPECT_THAT(run(seed, 1, -1, 3 * 128 + 63), HasSubstr("shared_race"));
  }
}

TEST(Hazards, Barriers) {
  Rig s;
  LaunchOutcome done = s.bench.Run("divergent_barrier", {1}, {64}, 0, s.x, s.y, 64);
  EXPECT_THAT(s.bench.HazardKinds(), HasSubstr("barrier_divergence"));
  done = s.bench.Run("half_wait", {1}, {64}, 0, s.x, s.y);
  EXPECT_EQ(done.status, Status::kFault) << done.message;
  EXPECT_THAT(s.bench.HazardKinds(), HasSubstr("barrier_divergence"));
}

TEST(Hazards, ShuffleMaskThatNamesAbsentLanes) {
  Rig s;
  const LaunchOutcome done = s.bench.Run("shuffle_in_branch", {1}, {32}, 0, s.x, s.y);
  EXPECT_EQ(done.status, Status::kOk) << done.message;
  EXPECT_THAT(s.bench.HazardKinds(), HasSubstr("shuffle_mask"));
}

TEST(Hazards, MisalignedUninitialisedAndInputs) {
  Rig s;
  LaunchOutcome done = s.bench.Run("misaligned", {1}, {32}, 0, s.x, s.y);
  EXPECT_EQ(done.status, Status::kFault);
  EXPECT_EQ(s.bench.HazardKinds(), "misaligned");
  done = s.bench.Run("reads_output", {1}, {64}, 0, s.x, s.y);
  EXPECT_EQ(done.status, Status::kOk);
  EXPECT_EQ(s.bench.HazardKinds(), "uninitialised");
  EXPECT_THAT(s.bench.last_hazards[0].text, HasSubstr("of y"));
  ASSERT_TRUE(s.bench.gpu.Protect(s.x).has_value());
  done = s.bench.Run("writes_input", {1}, {64}, 0, s.x, s.y);
  EXPECT_EQ(done.status, Status::kOk);
  EXPECT_EQ(s.bench.HazardKinds(), "input_written");
  EXPECT_EQ(s.bench.Download<float>(s.x, 1).at(0), 0.0f);
  done = s.bench.Run("shared_uninitialised", {1}, {64}, 0, s.y);
  EXPECT_EQ(s.bench.HazardKinds(), "uninitialised");
  done = s.bench.Run("local_uninitialised", {1}, {64}, 0, s.y, 7);
  EXPECT_EQ(s.bench.HazardKinds(), "uninitialised");
  EXPECT_THAT(s.bench.last_hazards[0].text, HasSubstr("local array"));
  EXPECT_EQ(s.bench.last_hazards[0].thread.x % 8, 7u);
  done = s.bench.Run("local_uninitialised", {1}, {64}, 0, s.y, 8);
  EXPECT_EQ(s.bench.HazardKinds(), "");
  done = s.bench.Run("prints", {1}, {64}, 0, s.y);
  EXPECT_EQ(s.bench.HazardKinds(), "");
  EXPECT_EQ(s.bench.Download<int>(s.y, 64)[63], 2);
  done = s.bench.Run("shared_past_end", {1}, {64}, 128, s.y);
  EXPECT_EQ(done.status, Status::kFault);
  EXPECT_EQ(s.bench.HazardKinds(), "out_of_bounds");
  EXPECT_THAT(s.bench.last_hazards[0].text, HasSubstr("dynamic shared memory"));
}

TEST(Hazards, EndlessLoopsEndByTheBudget) {
  Rig s;
  const uint64_t flag = s.bench.Upload(std::vector<int>{0}, "flag");
  for (const bool plain : {false, true}) {
    s.bench.gpu.SetBudget(1'000'000);
    const LaunchOutcome done = plain ? s.bench.Run("endless_plain", {2}, {32}, 0, s.y, 3)
                                     : s.bench.Run("endless", {2}, {32}, 0, flag, s.y);
    EXPECT_EQ(done.status, Status::kBudget);
    EXPECT_THAT(done.message, HasSubstr("test.cu:"));
    EXPECT_EQ(s.bench.gpu.budget_left(), 0u);
  }
}

// A step takes as long with one lane as with eight.
TEST(Hazards, LoopsOfOneLaneEndAsSoonAsThoseOfEight) {
  Rig s;
  const auto steps = [&](uint32_t threads) {
    s.bench.gpu.SetBudget(1'000'000);
    const LaunchOutcome done = s.bench.Run("endless_plain", {1}, {threads}, 0, s.y, 3);
    EXPECT_EQ(done.status, Status::kBudget);
    return done.counters.lane_instructions / threads;
  };
  EXPECT_EQ(steps(1), steps(8));
  EXPECT_LT(steps(32), steps(8));
}

TEST(Hazards, TrapsAndRefusedLaunches) {
  Rig s;
  LaunchOutcome done = s.bench.Run("traps", {1}, {32}, 0, 5);
  EXPECT_EQ(done.status, Status::kFault);
  EXPECT_EQ(s.bench.HazardKinds(), "trap");
  const auto refused = [&](Dim3 grid, Dim3 block, uint32_t shared, std::string_view code) {
    const LaunchOutcome outcome = s.bench.Run("shared_past_end", grid, block, shared, s.y);
    EXPECT_EQ(outcome.status, Status::kInvalidLaunch);
    EXPECT_THAT(outcome.message, testing::StartsWith(std::string(code) + ":"));
  };
  refused({1}, {1025}, 0, "cudaErrorInvalidConfiguration");
  refused({1}, {64, 32}, 0, "cudaErrorInvalidConfiguration");
  refused({1, 70000}, {32}, 0, "cudaErrorInvalidConfiguration");
  refused({0}, {32}, 0, "cudaErrorInvalidConfiguration");
  refused({1}, {0}, 0, "cudaErrorInvalidConfiguration");
  refused({1}, {32}, 50000, "cudaErrorInvalidValue");
  EXPECT_EQ(s.bench.Run("absent", {1}, {32}, 0).status, Status::kInvalidLaunch);
}

TEST(Hazards, NoneInCorrectKernelsWithUnusualSynchronisation) {
  Bench bench(CompilePtx(R"(
    #include <cuda_fp16.h>
    // Lanes that return early, then a barrier.
    extern "C" __global__ void early_return(const float* x, float* y, int n) {
      __shared__ float s[64];
      int t = threadIdx.x;
      if (t >= n) return;
      s[t] = x[t]; __syncthreads(); y[t] = s[n - 1 - t];
    }
    // Producer and consumer warps with named barriers.
    extern "C" __global__ void producer(const float* x, float* y, int rounds) {
      __shared__ float s[2][32];
      int lane = threadIdx.x & 31;
      if (threadIdx.x < 32) {
        for (int r = 0; r < rounds; ++r) {
          int b = r & 1;
          if (r >= 2) asm volatile("bar.sync %0, 64;" :: "r"(3 + b));
          s[b][lane] = x[r * 32 + lane];
          asm volatile("bar.arrive %0, 64;" :: "r"(1 + b) : "memory");
        }
      } else {
        for (int r = 0; r < rounds; ++r) {
          int b = r & 1;
          asm volatile("bar.sync %0, 64;" :: "r"(1 + b) : "memory");
          y[r * 32 + lane] = s[b][31 - lane];
          if (r + 2 < rounds) asm volatile("bar.arrive %0, 64;" :: "r"(3 + b) : "memory");
        }
      }
    }
    // Half elements: neighbouring warps share words at odd row lengths.
    extern "C" __global__ void halves(const __half* x, __half* y, int cols) {
      extern __shared__ __half h[];
      int row = threadIdx.x / 32, lane = threadIdx.x % 32;
      for (int c = lane; c < cols; c += 32) h[row * cols + c] = x[row * cols + c];
      __syncthreads();
      for (int c = lane; c < cols; c += 32) y[row * cols + c] = h[(1 - row) * cols + c];
    }
    // All warps write the same value.
    extern "C" __global__ void same_value(int* y) { __shared__ int f; f = 7; __syncthreads(); y[threadIdx.x] = f; }
    // The load of a partial that nobody wrote may come before the condition.
    extern "C" __global__ void chosen(const float* x, float* y, int n) {
      __shared__ float warps[4];
      if (threadIdx.x % 32 == 0) warps[threadIdx.x / 32] = x[threadIdx.x];
      __syncthreads();
      if (threadIdx.x == 0) {
        float most = warps[0];
        #pragma unroll
        for (int w = 1; w < 4; ++w)
          if (w * 32 < n) most = most > warps[w] ? most : warps[w];
        *y = most;
      }
    }
    // The last warp to arrive sums what the others have written.
    extern "C" __global__ void last_warp(const float* x, float* y) {
      __shared__ float part[4]; __shared__ int count;
      if (threadIdx.x == 0) count = 0;
      __syncthreads();
      float v = x[threadIdx.x];
      for (int o = 16; o; o >>= 1) v += __shfl_xor_sync(~0u, v, o);
      int old = 0;
      if (threadIdx.x % 32 == 0) { part[threadIdx.x / 32] = v; __threadfence_block(); old = atomicAdd(&count, 1); __threadfence_block(); }
      old = __shfl_sync(~0u, old, 0);
      if (old == 3 && threadIdx.x % 32 == 0) *y = ((volatile float*)part)[0] + part[1] + part[2] + part[3];
    }
    // A flag in shared memory.
    extern "C" __global__ void flag(const float* x, float* y) {
      __shared__ float s[32]; __shared__ volatile int ready;
      if (threadIdx.x == 0) ready = 0;
      __syncthreads();
      if (threadIdx.x < 32) { s[threadIdx.x] = x[threadIdx.x]; __threadfence_block(); __syncwarp(); if (threadIdx.x == 0) ready = 1; }
      else { while (ready == 0) {} __threadfence_block(); y[threadIdx.x] = s[threadIdx.x - 32]; }
    }
    // Volatile sums inside one warp.
    extern "C" __global__ void warp_synchronous(const float* x, float* y) {
      __shared__ volatile float s[64];
      int t = threadIdx.x;
      s[t] = x[t]; __syncwarp();
      float v = s[t]; 
      if (t < 32) { for (int o = 16; o; o >>= 1) { v += s[t ^ o]; __syncwarp(); s[t] = v; __syncwarp(); } }
      y[t] = v;
    })",
                         "80"));
  std::vector<float> values(256);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
  const uint64_t x = bench.Upload(values, "x"), y = bench.Make(1024, "y");
  const auto clean = [&](const LaunchOutcome& done, const char* name) {
    EXPECT_EQ(done.status, Status::kOk) << name << ": " << done.message;
    EXPECT_EQ(bench.HazardKinds(), "") << name << ": " << bench.last_hazards[0].text;
  };
  clean(bench.Run("early_return", {1}, {64}, 0, x, y, 40), "early_return");
  EXPECT_EQ(bench.Download<float>(y, 1)[0], 39.0f);
  clean(bench.Run("producer", {1}, {64}, 0, x, y, 7), "producer");
  EXPECT_EQ(bench.Download<float>(y, 224)[32 * 6], 32.0f * 6 + 31);
  const uint64_t h = bench.Upload(std::vector<uint16_t>(200, ToHalf(1)), "h"),
                 g = bench.Make(400, "g");
  clean(bench.Run("halves", {1}, {64}, 140, h, g, 35), "halves");
  clean(bench.Run("same_value", {1}, {128}, 0, y), "same_value");
  clean(bench.Run("chosen", {1}, {64}, 0, x, y, 64), "chosen");
  EXPECT_EQ(bench.Download<float>(y, 1)[0], 32.0f);
  clean(bench.Run("last_warp", {1}, {128}, 0, x, y), "last_warp");
  EXPECT_EQ(bench.Download<float>(y, 1)[0], 127.0f * 64);
  clean(bench.Run("flag", {1}, {64}, 0, x, y), "flag");
  EXPECT_EQ(bench.Download<float>(y, 64)[40], 8.0f);
  clean(bench.Run("warp_synchronous", {1}, {32}, 0, x, y), "warp_synchronous");
}

}  // namespace
}  // namespace kw::eval
