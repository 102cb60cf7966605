// Device libraries that come with the toolkit: cub, curand, pipelines, grid barriers, fp8.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "ptx_source.h"

namespace kw::eval {
namespace {

using Status = LaunchOutcome::Status;

TEST(Libraries, CubBlockReduceScanAndSort) {
  Bench bench(CompilePtx(R"(
    #include <cub/cub.cuh>
    extern "C" __global__ void k(const float* x, float* sum, int* scan, float* sorted, int n) {
      using Reduce = cub::BlockReduce<float, 256>; using Scan = cub::BlockScan<int, 256>; using Sort = cub::BlockRadixSort<float, 256, 4>;
      __shared__ typename Reduce::TempStorage a; __shared__ typename Scan::TempStorage b; __shared__ typename Sort::TempStorage c;
      float v = 0; for (int i = threadIdx.x; i < n; i += 256) v += x[i];
      float s = Reduce(a).Sum(v); if (threadIdx.x == 0) *sum = s;
      int e = threadIdx.x; Scan(b).ExclusiveSum(e, e); scan[threadIdx.x] = e;
      float k[4]; for (int j = 0; j < 4; ++j) k[j] = x[threadIdx.x * 4 + j];
      Sort(c).Sort(k); for (int j = 0; j < 4; ++j) sorted[threadIdx.x * 4 + j] = k[j];
    })",
                         "80"));
  auto x = Normal(1024);
  double want = 0;
  for (const float v : x) want += v;
  const uint64_t sum = bench.Make(4, "sum"), scan = bench.Make(1024, "scan"),
                 sorted = bench.Make(4096, "sorted");
  const LaunchOutcome done =
      bench.Run("k", {1}, {256}, 0, bench.Upload(x, "x"), sum, scan, sorted, 1024);
  ASSERT_EQ(done.status, Status::kOk) << done.message;
  EXPECT_NEAR(bench.Download<float>(sum, 1)[0], want, 1e-3);
  const auto scanned = bench.Download<int>(scan, 256);
  for (int i = 0; i < 256; ++i) EXPECT_EQ(scanned[static_cast<size_t>(i)], i * (i - 1) / 2);
  std::sort(x.begin(), x.end());
  EXPECT_EQ(bench.Download<float>(sorted, 1024), x);
  EXPECT_EQ(bench.HazardKinds(), "") << bench.last_hazards[0].text;
}

TEST(Libraries, PipelinesGridBarriersAtomicsAndFp8) {
  for (const std::string_view arch : {"75", "80", "90"}) {
    Bench bench(CompilePtx(R"(
      #include <cuda/pipeline>
      #include <cuda/barrier>
      #include <cuda/atomic>
      #include <cooperative_groups.h>
      #include <cooperative_groups/memcpy_async.h>
      #include <cuda_fp8.h>
      namespace cg = cooperative_groups;
      extern "C" __global__ void pipeline(const float4* x, float4* y, int n) {
        __shared__ float4 s[2][64];
        __shared__ cuda::pipeline_shared_state<cuda::thread_scope_block, 2> state;
        auto block = cg::this_thread_block();
        auto p = cuda::make_pipeline(block, &state);
        for (int i = 0, f = 0; i < n; ++i) {
          for (; f < n && f < i + 2; ++f) { p.producer_acquire(); cuda::memcpy_async(block, s[f % 2], x + f * 64, sizeof(float4) * 64, p); p.producer_commit(); }
          p.consumer_wait(); float4 v = s[i % 2][threadIdx.x ^ 33]; v.x += 1; y[i * 64 + threadIdx.x] = v; p.consumer_release();
        }
      }
      extern "C" __global__ void barrier(const float* x, float* y) {
        __shared__ cuda::barrier<cuda::thread_scope_block> bar; __shared__ float s[128];
        if (threadIdx.x == 0) init(&bar, blockDim.x);
        __syncthreads();
        for (int r = 0; r < 3; ++r) { s[threadIdx.x] = x[threadIdx.x] + r; bar.arrive_and_wait(); y[r * 128 + threadIdx.x] = s[127 - threadIdx.x]; bar.arrive_and_wait(); }
      }
      extern "C" __global__ void grid(float* x) {
        auto g = cg::this_grid();
        for (int r = 0; r < 3; ++r) {
          if (threadIdx.x == 0) x[blockIdx.x + r % 2 * gridDim.x] = (r == 0 ? 0.f : x[(blockIdx.x + 1) % gridDim.x + (r + 1) % 2 * gridDim.x]) + blockIdx.x;
          g.sync();
        }
      }
      extern "C" __global__ void release(cuda::atomic<int, cuda::thread_scope_device>* a, int* d) {
        if (threadIdx.x == 0) {
          d[blockIdx.x] = blockIdx.x + 1; a->fetch_add(1, cuda::memory_order_release);
          while (a->load(cuda::memory_order_acquire) < (int)gridDim.x) {}
          d[gridDim.x + blockIdx.x] = d[gridDim.x - 1 - blockIdx.x];
        }
      }
      extern "C" __global__ void fp8(const float* x, float* y, float* z) {
        int i = threadIdx.x;
        y[i] = float(__nv_fp8_e4m3(x[i])); z[i] = float(__nv_fp8_e5m2(x[i]));
      })",
                           arch));
    const auto x = Normal(64 * 4 * 6);
    const uint64_t in = bench.Upload(x, "x"), out = bench.Make(x.size() * 4, "y");
    LaunchOutcome done = bench.Run("pipeline", {1}, {64}, 0, in, out, 6);
    ASSERT_EQ(done.status, Status::kOk) << done.message;
    const auto got = bench.Download<float>(out, x.size());
    for (size_t i = 0; i < x.size() / 4; ++i) {
      const size_t from = (i / 64 * 64 + (i % 64 ^ 33)) * 4;
      ASSERT_EQ(got[i * 4], x[from] + 1) << arch << " " << i;
      ASSERT_EQ(got[i * 4 + 3], x[from + 3]);
    }
    EXPECT_EQ(bench.HazardKinds(), "") << bench.last_hazards[0].text;
    done = bench.Run("barrier", {1}, {128}, 0, in, out);
    ASSERT_EQ(done.status, Status::kOk) << done.message;
    const auto turned = bench.Download<float>(out, 384);
    for (size_t r = 0; r < 3; ++r) {
      for (size_t i = 0; i < 128; ++i)
        ASSERT_EQ(turned[r * 128 + i], x[127 - i] + static_cast<float>(r));
    }
    EXPECT_EQ(bench.HazardKinds(), "") << bench.last_hazards[0].text;
    bench.cooperative = true;
    done = bench.Run("grid", {40}, {64}, 0, out);
    ASSERT_EQ(done.status, Status::kOk) << done.message;
    bench.cooperative = false;
    const auto values = bench.Download<float>(out, 40);
    for (int i = 0; i < 40; ++i) {
      EXPECT_EQ(values[static_cast<size_t>(i)],
                static_cast<float>(i + (i + 1) % 40 + (i + 2) % 40));
    }
    const uint64_t count = bench.Upload(std::vector<int>{0}, "count"),
                   data = bench.Make(160, "data");
    done = bench.Run("release", {20}, {32}, 0, count, data);
    ASSERT_EQ(done.status, Status::kOk) << done.message;
    const auto published = bench.Download<int>(data, 40);
    for (int i = 0; i < 20; ++i) EXPECT_EQ(published[static_cast<size_t>(20 + i)], 20 - i);
    const std::vector<float> eighths = {0.0f,    1.0f,   -1.06f, 448.0f, 1e6f,
                                        -0.001f, 0.017f, 3.3f,   240.5f, -500.f};
    std::vector<float> padded(32, 0.5f);
    std::copy(eighths.begin(), eighths.end(), padded.begin());
    const uint64_t e4 = bench.Make(128, "e4"), e5 = bench.Make(128, "e5");
    done = bench.Run("fp8", {1}, {32}, 0, bench.Upload(padded, "padded"), e4, e5);
    ASSERT_EQ(done.status, Status::kOk) << done.message;
    auto small = bench.Download<float>(e4, 10);
    EXPECT_THAT(small, testing::ElementsAre(0.0f, 1.0f, -1.0f, 448.0f, 448.0f, -0.001953125f,
                                            0.017578125f, 3.25f, 240.0f, -448.0f));
    small = bench.Download<float>(e5, 10);
    EXPECT_THAT(small, testing::ElementsAre(0.0f, 1.0f, -1.0f, 448.0f, 57344.0f, -0.0009765625f,
                                            0.015625f, 3.5f, 256.0f, -512.0f));
    EXPECT_EQ(bench.HazardKinds(), "");
  }
}

TEST(Libraries, Curand) {
  Bench bench(CompilePtx(R"(
    #include <curand_kernel.h>
    extern "C" __global__ void k(float* y) {
      curandStatePhilox4_32_10_t a; curand_init(42, threadIdx.x, 0, &a);
      float4 v = curand_normal4(&a); y[threadIdx.x] = v.x + v.y + v.z + v.w;
      curandState b; curand_init(42, threadIdx.x, 0, &b); y[256 + threadIdx.x] = curand_uniform(&b);
    })",
                         "80"));
  const uint64_t out = bench.Make(2048, "y");
  const LaunchOutcome done = bench.Run("k", {1}, {256}, 0, out);
  ASSERT_EQ(done.status, Status::kOk) << done.message;
  const auto y = bench.Download<float>(out, 512);
  double mean = 0, square = 0, uniform = 0;
  for (size_t i = 0; i < 256; ++i) mean += y[i], square += y[i] * y[i], uniform += y[256 + i];
  EXPECT_NEAR(mean / 256, 0, 0.6);
  EXPECT_NEAR(square / 256, 4, 1.5);
  EXPECT_NEAR(uniform / 256, 0.5, 0.1);
  EXPECT_EQ(bench.HazardKinds(), "") << bench.last_hazards[0].text;
}

}  // namespace
}  // namespace kw::eval
