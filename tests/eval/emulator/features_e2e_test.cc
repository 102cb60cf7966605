// What ordinary kernels use beyond arithmetic: atomics, locks, calls, local arrays, groups of
// threads.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>

#include "ptx_source.h"

namespace kw::eval {
namespace {

using Status = LaunchOutcome::Status;

TEST(Features, AtomicsLocksAndLastBlock) {
  for (const uint64_t seed : {1u, 2u, 3u}) {
    Bench bench(CompilePtx(R"(
      __device__ unsigned ticket = 0;
      __device__ int lock = 0;
      extern "C" __global__ void histogram(const int* x, int* bins, int n) {
        __shared__ int local[16];
        if (threadIdx.x < 16) local[threadIdx.x] = 0;
        __syncthreads();
        for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) atomicAdd(&local[x[i]], 1);
        __syncthreads();
        if (threadIdx.x < 16) atomicAdd(&bins[threadIdx.x], local[threadIdx.x]);
      }
      extern "C" __global__ void sum_last_block(const float* x, volatile float* part, float* out, int n) {
        __shared__ float s[128]; __shared__ bool last;
        float v = 0;
        for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) v += x[i];
        s[threadIdx.x] = v; __syncthreads();
        for (int o = 64; o > 0; o >>= 1) { if (threadIdx.x < o) s[threadIdx.x] += s[threadIdx.x + o]; __syncthreads(); }
        if (threadIdx.x == 0) { part[blockIdx.x] = s[0]; __threadfence(); last = atomicInc(&ticket, gridDim.x - 1) == gridDim.x - 1; }
        __syncthreads();
        if (last && threadIdx.x == 0) { float t = 0; for (int b = 0; b < gridDim.x; ++b) t += part[b]; *out = t; }
      }
      extern "C" __global__ void float_max(const float* x, float* out, int n) {
        int i = blockIdx.x * blockDim.x + threadIdx.x;
        if (i >= n) return;
        int* p = (int*)out; int old = *p, seen;
        do { seen = old; if (__int_as_float(seen) >= x[i]) break; old = atomicCAS(p, seen, __float_as_int(x[i])); } while (old != seen);
      }
      // A lock between the threads of a warp and between blocks.
      extern "C" __global__ void locked(int* count) {
        bool done = false;
        while (!done) {
          if (atomicCAS(&lock, 0, 1) == 0) { *(volatile int*)count = *(volatile int*)count + 1; __threadfence(); atomicExch(&lock, 0); done = true; }
        }
      }
      extern "C" __global__ void naive_lock(int* count) {
        while (atomicCAS(&lock, 0, 1) != 0) {}
        *(volatile int*)count = *(volatile int*)count + 1;
        __threadfence();
        atomicExch(&lock, 0);
      }
      // Every block waits for all others, as grid.sync() does.
      extern "C" __global__ void grid_barrier(unsigned* arrived, float* data) {
        if (threadIdx.x == 0) { data[blockIdx.x] = blockIdx.x; __threadfence(); atomicAdd(arrived, 1u);
          while (*(volatile unsigned*)arrived < gridDim.x) {} __threadfence();
          data[gridDim.x + blockIdx.x] = ((volatile float*)data)[(blockIdx.x + 1) % gridDim.x]; }
      })",
                           "80"),
                seed);
    std::vector<int> x(5000), zeros(16, 0);
    std::mt19937 gen(1);
    std::vector<int> want(16, 0);
    for (int& v : x) ++want[static_cast<size_t>(v = static_cast<int>(gen() % 16))];
    const uint64_t bins = bench.Upload(zeros, "bins");
    LaunchOutcome done = bench.Run("histogram", {7}, {96}, 0, bench.Upload(x, "x"), bins, 5000);
    ASSERT_EQ(done.status, Status::kOk) << done.message;
    EXPECT_EQ(bench.Download<int>(bins, 16), want);
    EXPECT_CLEAN(bench);

    const auto f = Normal(3000);
    double sum = 0, most = -1e9;
    for (const float v : f) sum += v, most = std::max<double>(most, v);
    const uint64_t in = bench.Upload(f, "f"), part = bench.Make(9 * 4, "part"),
                   out = bench.Make(4, "out");
    done = bench.Run("sum_last_block", {9}, {128}, 0, in, part, out, 3000);
    ASSERT_EQ(done.status, Status::kOk) << done.message;
    EXPECT_NEAR(bench.Download<float>(out, 1)[0], sum, 1e-3);
    EXPECT_CLEAN(bench);
    const uint64_t top = bench.Upload(std::vector<float>{-1e30f}, "top");
    done = bench.Run("float_max", {24}, {128}, 0, in, top, 3000);
    ASSERT_EQ(done.status, Status::kOk) << done.message;
    EXPECT_EQ(bench.Download<float>(top, 1)[0], static_cast<float>(most));
    for (const char* kernel : {"locked", "naive_lock"}) {
      const uint64_t count = bench.Upload(std::vector<int>{0}, "count");
      done = bench.Run(kernel, {4}, {64}, 0, count);
      ASSERT_EQ(done.status, Status::kOk) << done.message;
      EXPECT_EQ(bench.Download<int>(count, 1)[0], 256) << kernel;
    }
    const uint64_t arrived = bench.Upload(std::vector<unsigned>{0}, "arrived"),
                   data = bench.Make(200 * 4, "data");
    done = bench.Run("grid_barrier", {100}, {64}, 0, arrived, data);
    ASSERT_EQ(done.status, Status::kOk) << done.message;
    const auto values = bench.Download<float>(data, 200);
    for (size_t i = 0; i < 100; ++i) EXPECT_EQ(values[100 + i], static_cast<float>((i + 1) % 100));
    EXPECT_CLEAN(bench);
  }
}

TEST(Features, CallsSwitchesLocalArraysConstantsAndPrintf) {
  Bench bench(CompilePtx(R"(
    #include <cstdio>
    #include <cassert>
    __constant__ float weights[4] = {1.f, 2.f, 3.f, 4.f};
    __device__ float table[3] = {0.5f, 0.25f, 0.125f};
    __device__ __noinline__ float horner(float x, const float* c, int n) { float r = 0; for (int i = n - 1; i >= 0; --i) r = r * x + c[i]; return r; }
    __device__ __noinline__ int fib(int n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }
    struct Pair { float a; int b; double c; };
    __device__ __noinline__ Pair make(float a, int b) { return Pair{a * 2, b + 1, a * 0.5}; }
    typedef float (*Fn)(float);
    __device__ float twice(float x) { return 2 * x; }
    __device__ float square(float x) { return x * x; }
    __device__ Fn functions[2] = {twice, square};
    extern "C" __global__ void calls(const float* x, float* y, int n) {
      int i = threadIdx.x;
      if (i >= n) return;
      Pair p = make(x[i], i);
      y[i] = horner(x[i], weights, 4) + fib(i % 8) + p.a + p.b + (float)p.c;
    }
    extern "C" __global__ void switches(const int* x, int* y, int n) {
      int i = blockIdx.x * blockDim.x + threadIdx.x;
      if (i >= n) return;
      int r;
      switch (x[i]) {
        case 0: r = 7; break; case 1: r = x[i] * 3; break; case 2: r = i; break; case 3: r = i * i; break;
        case 4: r = i ^ 5; break; case 5: r = ~i; break; case 6: r = i % 7; break; case 7: r = i / 3; break; default: r = -1;
      }
      y[i] = r;
    }
    extern "C" __global__ void local_array(const float* x, float* y, int n, int pick) {
      float v[17];
      int i = threadIdx.x;
      for (int k = 0; k < 17; ++k) v[(k * 5 + i) % 17] = x[(i + k) % n];
      y[i] = v[(i + pick) % 17] + table[i % 3];
    }
    extern "C" __global__ void sorted(const int* x, int* y) {
      int v[9]; for (int k = 0; k < 9; ++k) v[k] = x[threadIdx.x * 9 + k];
      for (int a = 1; a < 9; ++a) { int b = a, t = v[a]; while (b > 0 && v[b - 1] > t) { v[b] = v[b - 1]; --b; } v[b] = t; }
      for (int k = 0; k < 9; ++k) y[threadIdx.x * 9 + k] = v[k];
    }
    extern "C" __global__ void prints(int n) { if (threadIdx.x < n) printf("t%d %5.2f %s %llu|", (int)threadIdx.x, threadIdx.x * 0.5, "ok", 1ull << 40); }
    extern "C" __global__ void asserts(int n) { assert(threadIdx.x < n); }
  )",
                         "80"));
  const auto x = Normal(40);
  const uint64_t in = bench.Upload(x, "x"), out = bench.Make(160, "y");
  LaunchOutcome done = bench.Run("calls", {1}, {64}, 0, in, out, 40);
  ASSERT_EQ(done.status, Status::kOk) << done.message;
  const auto got = bench.Download<float>(out, 40);
  const int fib[] = {0, 1, 1, 2, 3, 5, 8, 13};
  for (int i = 0; i < 40; ++i) {
    const double v = x[static_cast<size_t>(i)];
    const double want = 1 + v * (2 + v * (3 + v * 4)) + fib[i % 8] + 2 * v + i + 1 + 0.5 * v;
    ASSERT_NEAR(got[static_cast<size_t>(i)], want, 1e-4 * std::max(1.0, std::fabs(want))) << i;
  }
  EXPECT_CLEAN(bench);
  std::vector<int> cases(1000);
  std::mt19937 gen(3);
  for (int& c : cases) c = static_cast<int>(gen() % 10);
  const uint64_t dy = bench.Make(4000, "dy");
  done = bench.Run("switches", {8}, {128}, 0, bench.Upload(cases, "cases"), dy, 1000);
  ASSERT_EQ(done.status, Status::kOk) << done.message;
  const auto chosen = bench.Download<int>(dy, 1000);
  for (int i = 0; i < 1000; ++i) {
    const int want[] = {7, 3, i, i * i, i ^ 5, ~i, i % 7, i / 3, -1, -1};
    ASSERT_EQ(chosen[static_cast<size_t>(i)], want[cases[static_cast<size_t>(i)]]) << i;
  }
  const uint64_t dl = bench.Make(160, "dl");
  done = bench.Run("local_array", {1}, {40}, 0, in, dl, 40, 3);
  ASSERT_EQ(done.status, Status::kOk) << done.message;
  const auto locals = bench.Download<float>(dl, 40);
  for (int i = 0; i < 40; ++i) {
    float v[17];
    for (int k = 0; k < 17; ++k) v[(k * 5 + i) % 17] = x[static_cast<size_t>((i + k) % 40)];
    const float table[] = {0.5f, 0.25f, 0.125f};
    ASSERT_EQ(locals[static_cast<size_t>(i)], v[(i + 3) % 17] + table[i % 3]);
  }
  std::vector<int> unsorted(32 * 9);
  for (int& v : unsorted) v = static_cast<int>(gen() % 100);
  const uint64_t ds = bench.Make(unsorted.size() * 4, "ds");
  done = bench.Run("sorted", {1}, {32}, 0, bench.Upload(unsorted, "unsorted"), ds);
  ASSERT_EQ(done.status, Status::kOk) << done.message;
  for (size_t i = 0; i < 32; ++i) {
    std::sort(unsorted.begin() + static_cast<long>(i * 9),
              unsorted.begin() + static_cast<long>(i * 9 + 9));
  }
  EXPECT_EQ(bench.Download<int>(ds, unsorted.size()), unsorted);
  EXPECT_CLEAN(bench);
  done = bench.Run("prints", {1}, {32}, 0, 3);
  ASSERT_EQ(done.status, Status::kOk) << done.message;
  EXPECT_EQ(bench.gpu.TakePrintf(),
            "t0  0.00 ok 1099511627776|t1  0.50 ok 1099511627776|t2  1.00 ok 1099511627776|");
  done = bench.Run("asserts", {1}, {32}, 0, 3);
  EXPECT_EQ(done.status, Status::kFault);
  EXPECT_THAT(done.message, testing::HasSubstr("threadIdx.x < n"));
}

TEST(Features, CooperativeGroupsAndWarpIntrinsics) {
  Bench bench(CompilePtx(R"(
    #include <cooperative_groups.h>
    #include <cooperative_groups/reduce.h>
    namespace cg = cooperative_groups;
    extern "C" __global__ void tiles(const int* x, int* y) {
      auto tile = cg::tiled_partition<8>(cg::this_thread_block());
      int v = x[threadIdx.x];
      for (int o = tile.size() / 2; o > 0; o /= 2) v += tile.shfl_down(v, o);
      int total = cg::reduce(cg::tiled_partition<32>(cg::this_thread_block()), x[threadIdx.x], cg::plus<int>());
      if (tile.thread_rank() == 0) y[threadIdx.x / 8] = v * 1000 + total;
    }
    extern "C" __global__ void votes(const int* x, unsigned* y) {
      int v = x[threadIdx.x]; unsigned* out = y + threadIdx.x * 6;
      out[0] = __ballot_sync(~0u, v & 1); out[1] = __all_sync(~0u, v < 1000); out[2] = __any_sync(~0u, v == 3);
      out[3] = __match_any_sync(~0u, v & 3); out[4] = __reduce_add_sync(~0u, v); out[5] = 0;
      if (v & 1) { unsigned m = __activemask(); out[5] = __shfl_sync(m, v, __ffs(m) - 1); }
      __syncwarp();
    }
    extern "C" __global__ void count_and(const int* x, int* y) {
      y[threadIdx.x] = __syncthreads_count(x[threadIdx.x] & 1) + 1000 * __syncthreads_and(x[threadIdx.x] < 100) + 2000 * __syncthreads_or(x[threadIdx.x] == 77);
    })",
                         "80"));
  std::vector<int> x(64);
  std::mt19937 gen(2);
  for (int& v : x) v = static_cast<int>(gen() % 90);
  const uint64_t in = bench.Upload(x, "x"), out = bench.Make(64 * 6 * 4, "y");
  LaunchOutcome done = bench.Run("tiles", {1}, {64}, 0, in, out);
  ASSERT_EQ(done.status, Status::kOk) << done.message;
  auto got = bench.Download<int>(out, 8);
  for (size_t t = 0; t < 8; ++t) {
    int part = 0, total = 0;
    for (size_t i = 0; i < 8; ++i) part += x[t * 8 + i];
    for (size_t i = 0; i < 32; ++i) total += x[t / 4 * 32 + i];
    EXPECT_EQ(got[t], part * 1000 + total);
  }
  done = bench.Run("votes", {1}, {32}, 0, in, out);
  ASSERT_EQ(done.status, Status::kOk) << done.message;
  const auto votes = bench.Download<unsigned>(out, 32 * 6);
  unsigned ballot = 0, sum = 0;
  bool three = false;
  int first_odd = -1;
  for (size_t i = 0; i < 32; ++i) {
    ballot |= static_cast<unsigned>(x[i] & 1) << i;
    sum += static_cast<unsigned>(x[i]);
    three |= x[i] == 3;
    if (first_odd < 0 && (x[i] & 1)) first_odd = x[i];
  }
  for (size_t i = 0; i < 32; ++i) {
    unsigned match = 0;
    for (size_t j = 0; j < 32; ++j) match |= static_cast<unsigned>((x[i] & 3) == (x[j] & 3)) << j;
    EXPECT_EQ(votes[i * 6], ballot);
    EXPECT_EQ(votes[i * 6 + 1], 1u);
    EXPECT_EQ(votes[i * 6 + 2], three ? 1u : 0u);
    EXPECT_EQ(votes[i * 6 + 3], match);
    EXPECT_EQ(votes[i * 6 + 4], sum);
    EXPECT_EQ(votes[i * 6 + 5], x[i] & 1 ? static_cast<unsigned>(first_odd) : 0u);
  }
  done = bench.Run("count_and", {1}, {64}, 0, in, out);
  ASSERT_EQ(done.status, Status::kOk) << done.message;
  int odd = 0;
  bool any = false;
  for (const int v : x) odd += v & 1, any |= v == 77;
  got = bench.Download<int>(out, 64);
  for (const int v : got) EXPECT_EQ(v, odd + 1000 + (any ? 2000 : 0));
  EXPECT_CLEAN(bench);
}

}  // namespace
}  // namespace kw::eval
