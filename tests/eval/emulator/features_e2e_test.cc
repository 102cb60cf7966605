// What ordinary kernels use beyond arithmetic: halves, tensor cores, atomics, calls, locks.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "ptx_source.h"

namespace kw::eval {
namespace {

using Status = LaunchOutcome::Status;

std::vector<float> Normal(size_t n, uint32_t seed = 7) {
  std::mt19937 gen(seed);
  std::normal_distribution<float> normal;
  std::vector<float> v(n);
  for (float& x : v) x = normal(gen);
  return v;
}
std::vector<uint16_t> Halves(const std::vector<float>& values) {
  std::vector<uint16_t> out;
  for (const float v : values) out.push_back(ToHalf(v));
  return out;
}
std::vector<uint16_t> Bf16(const std::vector<float>& values) {
  std::vector<uint16_t> out;
  for (const float v : values) {
    uint32_t bits;
    std::memcpy(&bits, &v, 4);
    out.push_back(static_cast<uint16_t>(bits >> 16));
  }
  return out;
}
float FromBf16(uint16_t h) {
  const uint32_t bits = static_cast<uint32_t>(h) << 16;
  float v;
  std::memcpy(&v, &bits, 4);
  return v;
}

#define EXPECT_CLEAN(bench)            \
  EXPECT_EQ((bench).HazardKinds(), "") \
      << ((bench).last_hazards.empty() ? "" : (bench).last_hazards[0].text)

TEST(Features, HalfArithmeticRoundsOnce) {
  for (const std::string_view arch : {"75", "80", "90"}) {
    Bench bench(CompilePtx(R"(
      #include <cuda_fp16.h>
      extern "C" __global__ void ops(const __half* a, const __half* b, const __half* c, __half* out, int n) {
        int i = blockIdx.x * blockDim.x + threadIdx.x;
        if (i >= n) return;
        out[i] = __hadd(a[i], b[i]);
        out[n + i] = __hmul(a[i], b[i]);
        out[2 * n + i] = __hfma(a[i], b[i], c[i]);
        out[3 * n + i] = __hmax(a[i], b[i]);
        out[4 * n + i] = __float2half(__half2float(a[i]) / __half2float(b[i]));
        out[5 * n + i] = __hgt(a[i], b[i]) ? a[i] : __hneg(b[i]);
      }
      extern "C" __global__ void pairs(const __half2* a, const __half2* b, __half2* out, int n) {
        int i = blockIdx.x * blockDim.x + threadIdx.x;
        if (i >= n) return;
        out[i] = __hfma2(a[i], b[i], __hadd2(a[i], __float2half2_rn(1.5f)));
        out[n + i] = __h2div(a[i], b[i]);
        float2 f = __half22float2(a[i]);
        out[2 * n + i] = __floats2half2_rn(f.y, f.x);
        out[3 * n + i] = h2exp(a[i]);
        out[4 * n + i] = __hmin2(__habs2(a[i]), b[i]);
      })",
                           arch));
    const int n = 1000;
    const auto fa = Normal(n), fb = Normal(n, 8), fc = Normal(n, 9);
    const auto a = Halves(fa), b = Halves(fb), c = Halves(fc);
    const uint64_t da = bench.Upload(a, "a"), db = bench.Upload(b, "b"), dc = bench.Upload(c, "c");
    const uint64_t out = bench.Make(6 * n * 2, "out");
    LaunchOutcome done = bench.Run("ops", {8}, {128}, 0, da, db, dc, out, n);
    ASSERT_EQ(done.status, Status::kOk) << done.message;
    const auto got = bench.Download<uint16_t>(out, 6 * n);
    for (size_t i = 0; i < n; ++i) {
      const double x = FromHalf(a[i]), y = FromHalf(b[i]), z = FromHalf(c[i]);
      ASSERT_EQ(got[i], ToHalf(static_cast<float>(x + y)));
      ASSERT_EQ(got[n + i], ToHalf(static_cast<float>(x * y)));
      ASSERT_NEAR(FromHalf(got[2 * n + i]), x * y + z, 0x1p-11 * std::fabs(x * y + z) + 1e-7);
      ASSERT_EQ(got[3 * n + i], x > y ? a[i] : b[i]);
      ASSERT_EQ(got[4 * n + i], ToHalf(static_cast<float>(x) / static_cast<float>(y)));
      ASSERT_EQ(got[5 * n + i], x > y ? a[i] : static_cast<uint16_t>(b[i] ^ 0x8000));
    }
    done = bench.Run("pairs", {4}, {128}, 0, da, db, out, n / 2);
    ASSERT_EQ(done.status, Status::kOk) << done.message;
    const auto pairs = bench.Download<uint16_t>(out, 5 * n);
    for (size_t i = 0; i < n; ++i) {
      const double x = FromHalf(a[i]), y = FromHalf(b[i]);
      const float t = FromHalf(ToHalf(static_cast<float>(x + 1.5)));
      ASSERT_NEAR(FromHalf(pairs[i]), x * y + t, 0x1p-11 * std::fabs(x * y + t) + 1e-7);
      ASSERT_NEAR(FromHalf(pairs[n + i]), x / y, 2e-3 * std::fabs(x / y) + 1e-6);
      ASSERT_EQ(pairs[2 * n + i], a[i ^ 1]);
      ASSERT_NEAR(FromHalf(pairs[3 * n + i]), std::exp(x), 2e-3 * std::exp(x));
      ASSERT_EQ(FromHalf(pairs[4 * n + i]),
                std::min(std::fabs(static_cast<float>(x)), static_cast<float>(y)));
    }
    EXPECT_CLEAN(bench);
  }
}

TEST(Features, Bfloat16) {
  for (const std::string_view arch : {"80", "90"}) {
    Bench bench(CompilePtx(R"(
      #include <cuda_bf16.h>
      extern "C" __global__ void ops(const __nv_bfloat16* a, const __nv_bfloat16* b, __nv_bfloat16* out, float* f, int n) {
        int i = blockIdx.x * blockDim.x + threadIdx.x;
        if (i >= n) return;
        out[i] = __hadd(a[i], b[i]);
        out[n + i] = __hmul(a[i], b[i]);
        out[2 * n + i] = __float2bfloat16(__bfloat162float(a[i]) * 3.0f);
        f[i] = __bfloat162float(__hfma(a[i], b[i], a[i])) + (__hlt(a[i], b[i]) ? 100.f : 0.f);
      })",
                           arch));
    const int n = 500;
    const auto a = Bf16(Normal(n)), b = Bf16(Normal(n, 8));
    const uint64_t out = bench.Make(3 * n * 2, "out"), f = bench.Make(n * 4, "f");
    const LaunchOutcome done =
        bench.Run("ops", {4}, {128}, 0, bench.Upload(a, "a"), bench.Upload(b, "b"), out, f, n);
    ASSERT_EQ(done.status, Status::kOk) << done.message;
    const auto got = bench.Download<uint16_t>(out, 3 * n);
    const auto floats = bench.Download<float>(f, n);
    for (size_t i = 0; i < n; ++i) {
      const double x = FromBf16(a[i]), y = FromBf16(b[i]);
      ASSERT_NEAR(FromBf16(got[i]), x + y, 0x1p-8 * std::fabs(x + y));
      ASSERT_NEAR(FromBf16(got[n + i]), x * y, 0x1p-8 * std::fabs(x * y));
      ASSERT_NEAR(FromBf16(got[2 * n + i]), x * 3, 0x1p-8 * std::fabs(x * 3));
      const double want = x * y + x + (x < y ? 100 : 0);
      ASSERT_NEAR(floats[i], want, 0x1p-8 * (std::fabs(x * y + x)) + 1e-5);
    }
    EXPECT_CLEAN(bench);
  }
}

TEST(Features, WmmaOfEveryShape) {
  Bench bench(CompilePtx(R"(
    #include <mma.h>
    #include <cuda_fp16.h>
    using namespace nvcuda;
    template <int M, int N, int K, class T, class LA, class LB>
    __device__ void product(const T* a, const T* b, float* c, int lda, int ldb) {
      wmma::fragment<wmma::matrix_a, M, N, K, T, LA> fa;
      wmma::fragment<wmma::matrix_b, M, N, K, T, LB> fb;
      wmma::fragment<wmma::accumulator, M, N, K, float> fc;
      wmma::fill_fragment(fc, 0.f);
      for (int k = 0; k < 32; k += K) {
        wmma::load_matrix_sync(fa, a + (__is_same(LA, wmma::row_major) ? k : k * lda), lda);
        wmma::load_matrix_sync(fb, b + (__is_same(LB, wmma::row_major) ? k * ldb : k), ldb);
        wmma::mma_sync(fc, fa, fb, fc);
      }
      for (int i = 0; i < fc.num_elements; ++i) fc.x[i] *= 2.0f;
      wmma::store_matrix_sync(c, fc, N, wmma::mem_row_major);
    }
    using R = wmma::row_major; using C = wmma::col_major;
    extern "C" __global__ void s16(const half* a, const half* b, float* c) { product<16, 16, 16, half, R, R>(a, b, c, 32, 16); }
    extern "C" __global__ void s32(const half* a, const half* b, float* c) { product<32, 8, 16, half, R, C>(a, b, c, 32, 32); }
    extern "C" __global__ void s8(const half* a, const half* b, float* c) { product<8, 32, 16, half, C, R>(a, b, c, 8, 32); }
    // Through shared memory, half accumulators filled from float ones by element.
    extern "C" __global__ void half_out(const half* a, const half* b, half* c) {
      __shared__ __align__(32) half sa[16 * 24], sb[16 * 24];
      for (int i = threadIdx.x; i < 256; i += 32) { sa[i / 16 * 24 + i % 16] = a[i]; sb[i / 16 * 24 + i % 16] = b[i]; }
      __syncwarp();
      wmma::fragment<wmma::matrix_a, 16, 16, 16, half, R> fa;
      wmma::fragment<wmma::matrix_b, 16, 16, 16, half, R> fb;
      wmma::fragment<wmma::accumulator, 16, 16, 16, float> fc;
      wmma::fragment<wmma::accumulator, 16, 16, 16, half> fh;
      wmma::fill_fragment(fc, 0.f);
      wmma::load_matrix_sync(fa, sa, 24);
      wmma::load_matrix_sync(fb, sb, 24);
      wmma::mma_sync(fc, fa, fb, fc);
      for (int i = 0; i < fc.num_elements; ++i) fh.x[i] = __float2half(fc.x[i]);
      wmma::store_matrix_sync(c, fh, 16, wmma::mem_row_major);
    })",
                         "80"));
  const auto a = Halves(Normal(1024)), b = Halves(Normal(1024, 8));
  const uint64_t da = bench.Upload(a, "a"), db = bench.Upload(b, "b"),
                 dc = bench.Make(256 * 4, "c");
  struct Case {
    const char* kernel;
    size_t m, n;
    bool a_row, b_row;
    size_t lda, ldb;
  };
  for (const Case& t :
       {Case{"s16", 16, 16, true, true, 32, 16}, Case{"s32", 32, 8, true, false, 32, 32},
        Case{"s8", 8, 32, false, true, 8, 32}}) {
    const LaunchOutcome done = bench.Run(t.kernel, {1}, {32}, 0, da, db, dc);
    ASSERT_EQ(done.status, Status::kOk) << done.message;
    EXPECT_GT(done.counters.tensor, 0u);
    const auto got = bench.Download<float>(dc, t.m * t.n);
    for (size_t i = 0; i < t.m; ++i) {
      for (size_t j = 0; j < t.n; ++j) {
        double want = 0;
        for (size_t k = 0; k < 32; ++k) {
          want += static_cast<double>(FromHalf(a[t.a_row ? i * t.lda + k : k * t.lda + i])) *
                  FromHalf(b[t.b_row ? k * t.ldb + j : j * t.ldb + k]);
        }
        ASSERT_NEAR(got[i * t.n + j], 2 * want, 1e-4) << t.kernel << " " << i << "," << j;
      }
    }
  }
  const uint64_t dh = bench.Make(512, "h");
  const LaunchOutcome done = bench.Run("half_out", {1}, {32}, 0, da, db, dh);
  ASSERT_EQ(done.status, Status::kOk) << done.message;
  const auto got = bench.Download<uint16_t>(dh, 256);
  for (size_t i = 0; i < 16; ++i) {
    for (size_t j = 0; j < 16; ++j) {
      double want = 0;
      for (size_t k = 0; k < 16; ++k)
        want += static_cast<double>(FromHalf(a[i * 16 + k])) * FromHalf(b[k * 16 + j]);
      ASSERT_NEAR(FromHalf(got[i * 16 + j]), want, 5e-3 * std::max(1.0, std::fabs(want)));
    }
  }
  EXPECT_CLEAN(bench);
}

TEST(Features, MmaWithLdmatrixAndAsyncCopies) {
  Bench bench(CompilePtx(R"(
    #include <cuda_fp16.h>
    #include <cstdint>
    // C[16 x 8] = A[16 x 16] B[8 x 16]^T, B as column major.
    extern "C" __global__ void mma_k(const half* a, const half* b, float* c) {
      __shared__ __align__(16) half sa[256], sb[128];
      unsigned pa = (unsigned)__cvta_generic_to_shared(sa), pb = (unsigned)__cvta_generic_to_shared(sb);
      int t = threadIdx.x;
      asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" :: "r"(pa + t * 16), "l"(a + t * 8));
      if (t < 16) asm volatile("cp.async.ca.shared.global [%0], [%1], 16;" :: "r"(pb + t * 16), "l"(b + t * 8));
      asm volatile("cp.async.commit_group;");
      asm volatile("cp.async.wait_group 0;");
      __syncthreads();
      unsigned r[4], q[2];
      unsigned ra = pa + ((t % 16) * 16 + (t / 16) * 8) * 2;
      asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];" : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3]) : "r"(ra));
      unsigned rb = pb + ((t % 8) * 16 + (t / 8 % 2) * 8) * 2;
      asm volatile("ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%0,%1}, [%2];" : "=r"(q[0]), "=r"(q[1]) : "r"(rb));
      float d[4] = {0, 0, 0, 0};
      asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3]) : "r"(r[0]), "r"(r[1]), "r"(r[2]), "r"(r[3]), "r"(q[0]), "r"(q[1]));
      int g = t / 4, p = t % 4 * 2;
      c[g * 8 + p] = d[0]; c[g * 8 + p + 1] = d[1]; c[(g + 8) * 8 + p] = d[2]; c[(g + 8) * 8 + p + 1] = d[3];
    }
    extern "C" __global__ void trans(const half* b, const half* a, float* c) {
      // B stored k x n, loaded with .trans.
      __shared__ __align__(16) half sb[128], sa[256];
      int t = threadIdx.x;
      for (int i = t; i < 128; i += 32) sb[i] = b[i];
      for (int i = t; i < 256; i += 32) sa[i] = a[i];
      __syncthreads();
      unsigned r[4], q[2];
      asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];" : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
        : "r"((unsigned)__cvta_generic_to_shared(sa + (t % 16) * 16 + (t / 16) * 8)));
      asm volatile("ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%0,%1}, [%2];" : "=r"(q[0]), "=r"(q[1])
        : "r"((unsigned)__cvta_generic_to_shared(sb + (t % 16) * 8)));
      float d[4] = {0, 0, 0, 0};
      asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3]) : "r"(r[0]), "r"(r[1]), "r"(r[2]), "r"(r[3]), "r"(q[0]), "r"(q[1]));
      int g = t / 4, p = t % 4 * 2;
      c[g * 8 + p] = d[0]; c[g * 8 + p + 1] = d[1]; c[(g + 8) * 8 + p] = d[2]; c[(g + 8) * 8 + p + 1] = d[3];
    })",
                         "80"));
  const auto a = Halves(Normal(256)), b = Halves(Normal(128, 8));
  const uint64_t da = bench.Upload(a, "a"), db = bench.Upload(b, "b"), dc = bench.Make(512, "c");
  for (const bool transposed : {false, true}) {
    const LaunchOutcome done = transposed ? bench.Run("trans", {1}, {32}, 0, db, da, dc)
                                          : bench.Run("mma_k", {1}, {32}, 0, da, db, dc);
    ASSERT_EQ(done.status, Status::kOk) << done.message;
    const auto got = bench.Download<float>(dc, 128);
    for (size_t i = 0; i < 16; ++i) {
      for (size_t j = 0; j < 8; ++j) {
        double want = 0;
        for (size_t k = 0; k < 16; ++k) {
          want += static_cast<double>(FromHalf(a[i * 16 + k])) *
                  FromHalf(transposed ? b[k * 8 + j] : b[j * 16 + k]);
        }
        ASSERT_NEAR(got[i * 8 + j], want, 1e-4);
      }
    }
    EXPECT_CLEAN(bench);
  }
}

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

TEST(Features, DoublesWideIntegersAndBitTricks) {
  Bench bench(CompilePtx(R"(
    #include <cstdint>
    extern "C" __global__ void doubles(const double* x, double* y, int n) {
      int i = blockIdx.x * blockDim.x + threadIdx.x;
      if (i >= n) return;
      double v = x[i];
      y[i] = sin(v * 1e3) + exp(v) / (1.0 + v * v) + sqrt(fabs(v)) + log(fabs(v) + 1e-3) + tanh(v) + pow(fabs(v), 1.7);
    }
    extern "C" __global__ void floats(const float* x, float* y, int n) {
      int i = blockIdx.x * blockDim.x + threadIdx.x;
      if (i >= n) return;
      float v = x[i];
      y[i] = sinf(v * 1e4f) + expf(v) / (1.0f + v * v) + sqrtf(fabsf(v)) + log1pf(fabsf(v)) + tanhf(v) + powf(fabsf(v), 1.7f)
           + rsqrtf(fabsf(v) + 1) + floorf(v * 10) + rintf(v * 10) + fmodf(v, 0.3f) + cbrtf(v) + __fdividef(v, 3.f) + erfcf(v);
    }
    extern "C" __global__ void ints(const int64_t* x, int64_t* y, int n) {
      int i = blockIdx.x * blockDim.x + threadIdx.x;
      if (i >= n) return;
      int64_t v = x[i]; uint64_t u = (uint64_t)v; int32_t s = (int32_t)v;
      int64_t r = v / ((v & 15) + 1) + v % ((v & 7) + 3) + (int64_t)(u / ((u & 31) + 1)) + __mul64hi(v, 12345678912345LL);
      r ^= (int64_t)__popcll(u) << 3; r += __clzll(v); r -= __ffsll(v); r ^= (int64_t)__brevll(u);
      r += s / ((s & 15) + 1) + s % 7 + (int)((unsigned)s / 10u) + __mulhi(s, 77777777) + (int)__umulhi((unsigned)s, 99999999u);
      r ^= __byte_perm((unsigned)s, 0x12345678u, 0x5140) + __funnelshift_l((unsigned)s, 77u, 5) + __brev((unsigned)s) + __clz(s);
      r += (v >> (u & 63)) + (int64_t)(u >> (s & 63)) + (v << (s & 31)) + __sad(s, 5, 7u) + __dp4a(s, 0x01020304, 5);
      r += (int8_t)s + (uint8_t)(s >> 3) + (int16_t)(s >> 5) * (uint16_t)s + (s > 5 ? -s : abs(s)) + min(s, 77) + max((unsigned)s, 77u);
      y[i] = r;
    })",
                         "80"));
  const size_t n = 777;
  const auto fx = Normal(n);
  std::vector<double> dx(fx.begin(), fx.end());
  const uint64_t out = bench.Make(n * 8, "out");
  LaunchOutcome done =
      bench.Run("doubles", {7}, {128}, 0, bench.Upload(dx, "dx"), out, static_cast<int>(n));
  ASSERT_EQ(done.status, Status::kOk) << done.message;
  const auto doubles = bench.Download<double>(out, n);
  for (size_t i = 0; i < n; ++i) {
    const double v = dx[i];
    const double want = std::sin(v * 1e3) + std::exp(v) / (1 + v * v) + std::sqrt(std::fabs(v)) +
                        std::log(std::fabs(v) + 1e-3) + std::tanh(v) + std::pow(std::fabs(v), 1.7);
    ASSERT_NEAR(doubles[i], want, 1e-13 * std::max(10.0, std::fabs(want)));
  }
  const uint64_t fout = bench.Make(n * 4, "fout");
  done = bench.Run("floats", {7}, {128}, 0, bench.Upload(fx, "fx"), fout, static_cast<int>(n));
  ASSERT_EQ(done.status, Status::kOk) << done.message;
  const auto floats = bench.Download<float>(fout, n);
  for (size_t i = 0; i < n; ++i) {
    const float v = fx[i];
    const double want = std::sin(static_cast<double>(v * 1e4f)) + std::exp(v) / (1.0 + v * v) +
                        std::sqrt(std::fabs(v)) + std::log1p(std::fabs(v)) + std::tanh(v) +
                        std::pow(std::fabs(v), 1.7f) + 1 / std::sqrt(std::fabs(v) + 1.0) +
                        std::floor(v * 10) + std::rint(v * 10) + std::fmod(v, 0.3f) + std::cbrt(v) +
                        v / 3 + std::erfc(v);
    ASSERT_NEAR(floats[i], want, 1e-5 * std::max(1.0, std::fabs(want))) << v;
  }
  std::vector<int64_t> lx(n);
  std::mt19937_64 gen(5);
  for (int64_t& v : lx)
    v = static_cast<int64_t>(gen() >> (gen() % 60)) * ((gen() & 1) != 0 ? -1 : 1);
  done = bench.Run("ints", {7}, {128}, 0, bench.Upload(lx, "lx"), out, static_cast<int>(n));
  ASSERT_EQ(done.status, Status::kOk) << done.message;
  const auto longs = bench.Download<int64_t>(out, n);
  const auto brev64 = [](uint64_t v) {
    uint64_t r = 0;
    for (int k = 0; k < 64; ++k) r |= (v >> k & 1) << (63 - k);
    return r;
  };
  for (size_t i = 0; i < n; ++i) {
    const int64_t v = lx[i];
    const uint64_t u = static_cast<uint64_t>(v);
    const int32_t s = static_cast<int32_t>(v);
    const uint32_t us = static_cast<uint32_t>(s);
    uint64_t r = static_cast<uint64_t>(v / ((v & 15) + 1) + v % ((v & 7) + 3)) +
                 u / ((u & 31) + 1) +
                 static_cast<uint64_t>(
                     static_cast<int64_t>(static_cast<__int128>(v) * 12345678912345LL >> 64));
    r ^= static_cast<uint64_t>(__builtin_popcountll(u)) << 3;
    r += static_cast<uint64_t>(u == 0 ? 64 : __builtin_clzll(u));
    r -= static_cast<uint64_t>(__builtin_ffsll(v));
    r ^= brev64(u);
    r += static_cast<uint64_t>(static_cast<int64_t>(static_cast<int32_t>(
        static_cast<uint32_t>(s / ((s & 15) + 1)) + static_cast<uint32_t>(s % 7) + us / 10u +
        static_cast<uint32_t>(static_cast<int64_t>(s) * 77777777 >> 32) +
        static_cast<uint32_t>(static_cast<uint64_t>(us) * 99999999u >> 32))));
    const uint8_t bytes[8] = {static_cast<uint8_t>(us),
                              static_cast<uint8_t>(us >> 8),
                              static_cast<uint8_t>(us >> 16),
                              static_cast<uint8_t>(us >> 24),
                              0x78,
                              0x56,
                              0x34,
                              0x12};
    const uint32_t perm = bytes[0] | static_cast<uint32_t>(bytes[4]) << 8 |
                          static_cast<uint32_t>(bytes[1]) << 16 |
                          static_cast<uint32_t>(bytes[5]) << 24;
    const uint32_t funnel =
        static_cast<uint32_t>((static_cast<uint64_t>(77u) << 32 | us) << 5 >> 32);
    r ^= static_cast<uint64_t>(perm + funnel + static_cast<uint32_t>(brev64(us) >> 32) +
                               static_cast<uint32_t>(us == 0 ? 32 : __builtin_clz(us)));
    int32_t dot = 5;
    const int8_t w4[4] = {4, 3, 2, 1};
    for (int k = 0; k < 4; ++k) dot += static_cast<int8_t>(us >> (8 * k)) * w4[k];
    const uint64_t shifts =
        static_cast<uint64_t>(v >> (u & 63)) + (u >> (s & 63)) + (u << (s & 31)) +
        static_cast<uint64_t>(static_cast<uint32_t>(s > 5 ? static_cast<int64_t>(s) - 5
                                                          : 5 - static_cast<int64_t>(s)) +
                              7u);
    r += shifts + static_cast<uint64_t>(static_cast<int64_t>(dot));
    const uint32_t last =
        static_cast<uint32_t>(static_cast<int8_t>(s)) + static_cast<uint8_t>(s >> 3) +
        static_cast<uint32_t>(static_cast<int16_t>(s >> 5)) * static_cast<uint16_t>(s) +
        (s > 5   ? 0 - us
         : s < 0 ? 0 - us
                 : us) +
        static_cast<uint32_t>(std::min(s, 77)) + std::max(us, 77u);
    r += static_cast<uint64_t>(last);
    ASSERT_EQ(longs[i], static_cast<int64_t>(r)) << v;
  }
  EXPECT_CLEAN(bench);
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
