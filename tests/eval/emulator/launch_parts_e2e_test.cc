// The blocks of a launch on several threads: everything that comes out is as with one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ptx_source.h"

namespace kw::eval {
namespace {

constexpr std::string_view kKernels = R"(
  extern "C" __global__ void smooth(const float* x, float* y, int n) {
    __shared__ float tile[256];
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    tile[threadIdx.x] = i < n ? x[i] : 0;
    __syncthreads();
    float v = 0;
    for (int k = 0; k < 40; ++k) v += tile[(threadIdx.x + k) % blockDim.x] * (k + 1);
    if (i < n) y[i] = v;
  }
  // Rows of 33: neighbouring blocks store to one sector.
  extern "C" __global__ void odd_rows(const float* x, float* y, int cols) {
    for (int c = threadIdx.x; c < cols; c += blockDim.x) {
      float v = x[blockIdx.x * cols + c];
      for (int k = 0; k < 60; ++k) v = v * 0.9f + 0.1f;
      y[blockIdx.x * cols + c] = v;
    }
  }
  // The later a block, the more it does.
  extern "C" __global__ void triangle(const float* x, float* y, int n) {
    float v = 0;
    for (int k = threadIdx.x; k <= blockIdx.x * 8; k += blockDim.x) v += x[k % n];
    y[blockIdx.x * blockDim.x + threadIdx.x] = v;
  }
  // In place, and blocks share sectors.
  extern "C" __global__ void odd_rows_in_place(float* y, int cols) {
    for (int c = threadIdx.x; c < cols; c += blockDim.x) {
      float v = y[blockIdx.x * cols + c];
      for (int k = 0; k < 60; ++k) v = v * 0.9f + 0.1f;
      y[blockIdx.x * cols + c] = v;
    }
  }
  // Every block says the same.
  extern "C" __global__ void flags(const float* x, float* y, int n) {
    float v = 0;
    for (int k = 0; k < 60; ++k) v += x[(blockIdx.x + k) % n];
    if (v == v) y[0] = 1;
    y[1 + blockIdx.x * blockDim.x + threadIdx.x] = v;
  }
  extern "C" __global__ void races(const float* x, float* y, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    float v = 0;
    for (int k = 0; k < 60; ++k) v += x[(i + k) % n];
    y[i % 1000] = v;
  }
  extern "C" __global__ void reads_the_neighbour(float* x, float* y, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    float v = 0;
    for (int k = 0; k < 60; ++k) v += x[(i + 256 + k) % n];
    x[i] = v;
    y[i] = v;
  }
  extern "C" __global__ void past_the_end(const float* x, float* y, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    float v = 0;
    for (int k = 0; k < 60; ++k) v += x[(i + k) % n];
    y[blockIdx.x == 77 ? i + (1 << 20) : i] = v;
  }
  extern "C" __global__ void reads_what_nobody_wrote(const float* x, float* y, float* z, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    float v = 0;
    for (int k = 0; k < 60; ++k) v += x[(i + k) % n];
    y[i] = blockIdx.x == 50 ? z[i] : v;
  }
  extern "C" __global__ void one_never_ends(const float* x, float* y, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    float v = x[i % n];
    while (blockIdx.x == 90 && v == v) v = v * 0.5f + x[0];
    for (int k = 0; k < 60; ++k) v += x[(i + k) % n];
    y[i] = v;
  }
  extern "C" __global__ void counts(const float* x, float* y, int* count, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    float v = 0;
    for (int k = 0; k < 60; ++k) v += x[(i + k) % n];
    if (v > 0) atomicAdd(count, 1);
    y[i] = v;
  }
  extern "C" __global__ void clocks(const float* x, float* y, long long* t, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    float v = 0;
    for (int k = 0; k < 60; ++k) v += x[(i + k) % n];
    if (threadIdx.x == 0) t[blockIdx.x] = clock64();
    y[i] = v;
  }
)";

constexpr uint32_t kBlocks = 256, kThreads = 128;
constexpr int kCount = kBlocks * kThreads;

// All that a launch leaves behind.
struct Left {
  std::string status, bytes, hazards;
  std::vector<uint64_t> counters;
  uint64_t budget = 0;
  bool operator==(const Left&) const = default;
};

class LaunchParts : public testing::Test {
 protected:
  static const std::string& Ptx() {
    static const std::string ptx = CompilePtx(kKernels);
    return ptx;
  }

  // Three launches in a row; `more` may be a third buffer. `shared` says of how many launches
  // several threads ran the blocks.
  Left Run(const std::string& kernel, int threads, uint64_t* shared) {
    Bench bench(Ptx(), 5, threads);
    bench.gpu.SetBudget(400'000'000);
    const uint64_t x = bench.Upload(Normal(kCount), "x");
    const uint64_t y = bench.Make((kCount + 1) * 4, "y"), z = bench.Make(kCount * 8, "z");
    Left left;
    for (int launch = 0; launch < 3; ++launch) {
      const LaunchOutcome done = Start(bench, kernel, x, y, z);
      left.status += std::to_string(static_cast<int>(done.status)) + done.message + "\n";
      const Counters& c = done.counters;
      left.counters.insert(
          left.counters.end(),
          {c.lane_instructions, c.warp_instructions, c.fp32, c.integer, c.global_load_sectors,
           c.global_store_sectors, c.global_requests, c.dram_sectors, c.shared_requests,
           c.shared_conflicts, c.atomics, c.barriers, c.divergent_branches});
    }
    for (const Hazard& hazard : bench.gpu.TakeHazards()) left.hazards += hazard.text + "\n";
    for (const auto& [at, bytes] :
         {std::pair(x, kCount * 4), {y, kCount * 4 + 4}, {z, kCount * 8}}) {
      std::string part(static_cast<size_t>(bytes), 0);
      if (!bench.gpu.Read(at, part.data(), part.size())) ADD_FAILURE();
      left.bytes += part;
    }
    left.budget = bench.gpu.budget_left();
    *shared = bench.gpu.shared_launches();
    return left;
  }

  LaunchOutcome Start(Bench& bench, const std::string& kernel, uint64_t x, uint64_t y, uint64_t z) {
    const Dim3 grid{kBlocks}, block{kThreads};
    if (kernel.starts_with("odd_rows_in")) {
      if (!bench.gpu.Fill(y, 0, kCount * 4)) ADD_FAILURE();
      return bench.Run(kernel, grid, block, 0, y, 33);
    }
    if (kernel == "odd_rows") return bench.Run(kernel, grid, block, 0, x, y, 33);
    if (kernel == "counts" || kernel == "clocks" || kernel == "reads_what_nobody_wrote") {
      if (kernel == "counts" && !bench.gpu.Fill(z, 0, kCount * 8)) ADD_FAILURE();
      return bench.Run(kernel, grid, block, 0, x, y, z, kCount);
    }
    return bench.Run(kernel, grid, block, 0, x, y, kCount);
  }

  // How many of the three launches the threads shared, with nothing else being different.
  uint64_t SharedWithTheSameResults(const std::string& kernel) {
    uint64_t none = 0, shared = 0;
    const Left one = Run(kernel, 1, &none);
    for (const int threads : {2, 3}) {
      const Left several = Run(kernel, threads, &shared);
      EXPECT_EQ(several.status, one.status);
      EXPECT_EQ(several.hazards, one.hazards);
      EXPECT_EQ(several.counters, one.counters);
      EXPECT_EQ(several.budget, one.budget);
      EXPECT_TRUE(several.bytes == one.bytes) << kernel << " with " << threads << " threads";
    }
    EXPECT_EQ(none, 0u);
    return shared;
  }
};

TEST_F(LaunchParts, OfIndependentBlocksGiveTheBitsOfOneThread) {
  for (const char* kernel : {"smooth", "odd_rows", "triangle"}) {
    EXPECT_EQ(SharedWithTheSameResults(kernel), 3u) << kernel;
  }
}

TEST_F(LaunchParts, ThatMayHaveMetAreRunAgainOnOneThread) {
  for (const char* kernel : {"flags", "races", "reads_the_neighbour"}) {
    EXPECT_EQ(SharedWithTheSameResults(kernel), 0u) << kernel;
  }
  SharedWithTheSameResults("odd_rows_in_place");  // sectors are shared at some borders
}

TEST_F(LaunchParts, WithAFaultOrAHazardAreRunAgainOnOneThread) {
  for (const char* kernel : {"past_the_end", "reads_what_nobody_wrote", "one_never_ends"}) {
    EXPECT_EQ(SharedWithTheSameResults(kernel), 0u) << kernel;
  }
}

TEST_F(LaunchParts, AreNotTriedWhereBlocksSignalOrReadClocks) {
  for (const char* kernel : {"counts", "clocks"}) {
    EXPECT_EQ(SharedWithTheSameResults(kernel), 0u) << kernel;
  }
}

}  // namespace
}  // namespace kw::eval
