// Kinds of numbers beyond float: halves, tensor cores, doubles, wide integers, bits.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>

#include "ptx_source.h"

namespace kw::eval {
namespace {

using Status = LaunchOutcome::Status;

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

TEST(Numbers, HalfArithmeticRoundsOnce) {
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

TEST(Numbers, Bfloat16) {
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

TEST(Numbers, WmmaOfEveryShape) {
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

TEST(Numbers, MmaWithLdmatrixAndAsyncCopies) {
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

TEST(Numbers, DoublesWideIntegersAndBitTricks) {
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

}  // namespace
}  // namespace kw::eval
