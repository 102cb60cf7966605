// Single instructions against exact results, with the handlers of this machine and the plain
// ones.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cfenv>
#include <cmath>
#include <random>

#include "fmt/format.h"
#include "ptx_source.h"
#include "src/eval/emulator/program.h"

namespace kw::eval {
namespace {

using Status = LaunchOutcome::Status;

// Runs `body` on three inputs of 64 bits (a, b, c; also as %wa, %ha, %fa, %da, ...) for each
// element, and returns %d (or %w, %h, %f, %e widened) as bits.
std::vector<uint64_t> Evaluate(std::string_view body, std::string_view result,
                               const std::vector<uint64_t>& a, const std::vector<uint64_t>& b,
                               const std::vector<uint64_t>& c) {
  const std::string ptx = fmt::format(R"(
.version 9.0
.target sm_90
.address_size 64
.visible .entry k(.param .u64 pa, .param .u64 pb, .param .u64 pc, .param .u64 pd, .param .u32 n) {{
.reg .pred %p<8>; .reg .b32 %r<9>; .reg .b64 %rd<9>;
.reg .b64 %a, %b, %c, %d; .reg .b32 %wa, %wb, %wc, %w, %w2; .reg .b16 %ha, %hb, %hc, %h, %h2;
.reg .f32 %fa, %fb, %fc, %f; .reg .f64 %da, %db, %dc, %e;
mov.u32 %r1, %tid.x; mov.u32 %r2, %ctaid.x; mov.u32 %r3, %ntid.x; mad.lo.s32 %r1, %r2, %r3, %r1;
ld.param.u32 %r4, [n]; setp.ge.u32 %p1, %r1, %r4; @%p1 ret;
mul.wide.u32 %rd1, %r1, 8;
ld.param.u64 %rd2, [pa]; add.s64 %rd2, %rd2, %rd1; ld.global.b64 %a, [%rd2];
ld.param.u64 %rd3, [pb]; add.s64 %rd3, %rd3, %rd1; ld.global.b64 %b, [%rd3];
ld.param.u64 %rd4, [pc]; add.s64 %rd4, %rd4, %rd1; ld.global.b64 %c, [%rd4];
ld.param.u64 %rd5, [pd]; add.s64 %rd5, %rd5, %rd1;
cvt.u32.u64 %wa, %a; cvt.u32.u64 %wb, %b; cvt.u32.u64 %wc, %c;
cvt.u16.u64 %ha, %a; cvt.u16.u64 %hb, %b; cvt.u16.u64 %hc, %c;
mov.b32 %fa, %wa; mov.b32 %fb, %wb; mov.b32 %fc, %wc;
mov.b64 %da, %a; mov.b64 %db, %b; mov.b64 %dc, %c;
mov.u64 %d, 0; mov.u32 %w, 0; mov.u16 %h, 0;
{}
{}
st.global.b64 [%rd5], %d;
ret;
}}
)",
                                      body,
                                      result == "d"   ? ""
                                      : result == "w" ? "cvt.u64.u32 %d, %w;"
                                      : result == "h" ? "cvt.u64.u16 %d, %h;"
                                      : result == "f" ? "mov.b32 %w, %f; cvt.u64.u32 %d, %w;"
                                                      : "mov.b64 %d, %e;");
  Bench bench(ptx);
  const uint64_t out = bench.Make(a.size() * 8, "out");
  const LaunchOutcome done =
      bench.Run("k", {static_cast<uint32_t>((a.size() + 63) / 64)}, {64}, 0, bench.Upload(a, "a"),
                bench.Upload(b, "b"), bench.Upload(c, "c"), out, static_cast<int>(a.size()));
  EXPECT_EQ(done.status, Status::kOk) << done.message << "\n" << body;
  if (done.status != Status::kOk) return std::vector<uint64_t>(a.size(), 0);
  EXPECT_EQ(bench.HazardKinds(), "");
  return bench.Download<uint64_t>(out, a.size());
}

// With both builds of the handlers.
class Arithmetic : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    emu::SetVectorHandlers(GetParam());
    if (GetParam() && !emu::VectorHandlersInUse()) GTEST_SKIP() << "this machine has no AVX2";
  }
  void TearDown() override { emu::SetVectorHandlers(true); }

  // Random bits, and the values at the edges of the formats.
  std::vector<uint64_t> Floats(uint32_t seed) {
    std::mt19937 gen(seed);
    std::vector<uint64_t> out;
    const std::vector<uint32_t> edges = {0,          0x80000000, 0x3f800000, 0xbf800000, 0x7f800000,
                                         0xff800000, 0x7fc00000, 1,          0x80000001, 0x007fffff,
                                         0x00800000, 0x7f7fffff, 0xff7fffff, 0x33800000, 0x4b000001,
                                         0x3f000000, 0xc0200000};
    for (const uint32_t e : edges) out.push_back(e);
    while (out.size() < 397) {
      const uint32_t r = gen();
      // A third with close exponents, where sums cancel.
      out.push_back(out.size() % 3 == 0 ? (r & 0x807fffff) | (126 + r % 4) << 23 : r);
    }
    std::shuffle(out.begin(), out.end(), gen);
    return out;
  }
  std::vector<uint64_t> Integers(uint32_t seed) {
    std::mt19937_64 gen(seed);
    std::vector<uint64_t> out = {0,          1,          2,          31,         32,         33,
                                 63,         64,         0x7fffffff, 0x80000000, 0xffffffff, ~0ull,
                                 1ull << 63, ~0ull >> 1, 0x7fff,     0x8000,     0xffff};
    while (out.size() < 300) out.push_back(gen() >> gen() % 64);
    std::shuffle(out.begin(), out.end(), gen);
    return out;
  }
};

float F(uint64_t bits) { return std::bit_cast<float>(static_cast<uint32_t>(bits)); }
double D(uint64_t bits) { return std::bit_cast<double>(bits); }

void ExpectSameFloat(uint64_t got, float want, std::string_view what, uint64_t a, uint64_t b) {
  const float g = F(got);
  if (std::isnan(want)) {
    ASSERT_TRUE(std::isnan(g)) << what;
  } else {
    ASSERT_EQ(static_cast<uint32_t>(got), std::bit_cast<uint32_t>(want))
        << what << " of " << F(a) << " and " << F(b);
  }
}

TEST_P(Arithmetic, FloatRoundsOnceInEveryDirection) {
  const auto a = Floats(1), b = Floats(2), c = Floats(3);
  const std::pair<const char*, int> modes[] = {
      {"rn", FE_TONEAREST}, {"rz", FE_TOWARDZERO}, {"rm", FE_DOWNWARD}, {"rp", FE_UPWARD}};
  for (const auto& [name, mode] : modes) {
    const auto sum = Evaluate(fmt::format("add.{}.f32 %f, %fa, %fb;", name), "f", a, b, c);
    const auto product = Evaluate(fmt::format("mul.{}.f32 %f, %fa, %fb;", name), "f", a, b, c);
    const auto fused = Evaluate(fmt::format("fma.{}.f32 %f, %fa, %fb, %fc;", name), "f", a, b, c);
    const auto quotient = Evaluate(fmt::format("div.{}.f32 %f, %fa, %fb;", name), "f", a, b, c);
    const auto root = Evaluate(fmt::format("sqrt.{}.f32 %f, %fa;", name), "f", a, b, c);
    for (size_t i = 0; i < a.size(); ++i) {
      volatile float x = F(a[i]), y = F(b[i]), z = F(c[i]);
      std::fesetround(mode);
      const volatile float s = x + y, p = x * y, f = std::fma(x, y, z), q = x / y, r = std::sqrt(x);
      std::fesetround(FE_TONEAREST);
      // Signs of exact zeros depend on the mode in ways of their own.
      if (s != 0) ExpectSameFloat(sum[i], s, "add", a[i], b[i]);
      ExpectSameFloat(product[i], p, "mul", a[i], b[i]);
      if (f != 0) ExpectSameFloat(fused[i], f, "fma", a[i], b[i]);
      ExpectSameFloat(quotient[i], q, "div", a[i], b[i]);
      ExpectSameFloat(root[i], r, "sqrt", a[i], a[i]);
    }
  }
}

TEST_P(Arithmetic, FlushToZeroAffectsOperandsAndResults) {
  const auto a = Floats(4), b = Floats(5), c = Floats(6);
  const auto flush = [](float x) { return std::fabs(x) < 0x1p-126f ? std::copysign(0.0f, x) : x; };
  const auto sum = Evaluate("add.ftz.f32 %f, %fa, %fb;", "f", a, b, c);
  const auto product = Evaluate("mul.ftz.f32 %f, %fa, %fb;", "f", a, b, c);
  for (size_t i = 0; i < a.size(); ++i) {
    const float x = flush(F(a[i])), y = flush(F(b[i]));
    ExpectSameFloat(sum[i], flush(x + y), "add.ftz", a[i], b[i]);
    ExpectSameFloat(product[i], flush(x * y), "mul.ftz", a[i], b[i]);
  }
}

TEST_P(Arithmetic, ExtremesIgnoreNanAndOrderZeros) {
  const std::vector<uint64_t> a = {0x7fc00000, 0x3f800000, 0, 0x80000000, 0x7fc00000, 0xc0000000};
  const std::vector<uint64_t> b = {0x3f800000, 0x7fc00000, 0x80000000, 0, 0x7fc00000, 0x40000000};
  const auto most = Evaluate("max.f32 %f, %fa, %fb;", "f", a, b, a);
  const auto least = Evaluate("min.f32 %f, %fa, %fb;", "f", a, b, a);
  const auto strict = Evaluate("max.NaN.f32 %f, %fa, %fb;", "f", a, b, a);
  EXPECT_EQ(F(most[0]), 1.0f);
  EXPECT_EQ(F(most[1]), 1.0f);
  EXPECT_EQ(most[2], 0u);
  EXPECT_EQ(most[3], 0u);
  EXPECT_EQ(least[2], 0x80000000u);
  EXPECT_EQ(least[3], 0x80000000u);
  EXPECT_TRUE(std::isnan(F(most[4])));
  EXPECT_EQ(F(least[5]), -2.0f);
  EXPECT_TRUE(std::isnan(F(strict[0])) && std::isnan(F(strict[1])));
  EXPECT_EQ(F(strict[5]), 2.0f);
}

TEST_P(Arithmetic, ApproximateFunctionsAreNearTheExactOnes) {
  std::vector<uint64_t> a;
  for (int i = -400; i <= 400; ++i)
    a.push_back(std::bit_cast<uint32_t>(0.317f * static_cast<float>(i)));
  const auto ex2 = Evaluate("ex2.approx.f32 %f, %fa;", "f", a, a, a);
  const auto lg2 = Evaluate("lg2.approx.f32 %f, %fa;", "f", a, a, a);
  const auto sine = Evaluate("sin.approx.f32 %f, %fa;", "f", a, a, a);
  const auto cosine = Evaluate("cos.approx.f32 %f, %fa;", "f", a, a, a);
  const auto tanh = Evaluate("tanh.approx.f32 %f, %fa;", "f", a, a, a);
  const auto root = Evaluate("rsqrt.approx.f32 %f, %fa;", "f", a, a, a);
  for (size_t i = 0; i < a.size(); ++i) {
    const double x = F(a[i]);
    EXPECT_NEAR(F(ex2[i]) / std::exp2(x), 1, 3e-7) << x;
    EXPECT_NEAR(F(sine[i]), std::sin(x), 1e-6) << x;
    EXPECT_NEAR(F(cosine[i]), std::cos(x), 1e-6) << x;
    EXPECT_NEAR(F(tanh[i]), std::tanh(x), 5e-4 * std::fabs(std::tanh(x)) + 1e-30) << x;
    if (x > 0) {
      EXPECT_NEAR(F(lg2[i]), std::log2(x), 2.4e-7 * std::max(1.0, std::fabs(std::log2(x)))) << x;
      EXPECT_NEAR(F(root[i]) * std::sqrt(x), 1, 3e-7);
    }
  }
  const std::vector<uint64_t> edges = {0x7f800000,
                                       0xff800000,
                                       0,
                                       0x80000000,
                                       0x7fc00000,
                                       0xbf800000,
                                       std::bit_cast<uint32_t>(128.0f),
                                       std::bit_cast<uint32_t>(-149.0f)};
  const auto e = Evaluate("ex2.approx.f32 %f, %fa;", "f", edges, edges, edges);
  EXPECT_EQ(F(e[0]), INFINITY);
  EXPECT_EQ(F(e[1]), 0.0f);
  EXPECT_EQ(F(e[2]), 1.0f);
  EXPECT_TRUE(std::isnan(F(e[4])));
  EXPECT_EQ(F(e[5]), 0.5f);
  EXPECT_EQ(F(e[6]), INFINITY);
  EXPECT_EQ(F(e[7]), 0x1p-149f);
  const auto l = Evaluate("lg2.approx.f32 %f, %fa;", "f", edges, edges, edges);
  EXPECT_EQ(F(l[0]), INFINITY);
  EXPECT_EQ(F(l[2]), -INFINITY);
  EXPECT_TRUE(std::isnan(F(l[1])) && std::isnan(F(l[4])) && std::isnan(F(l[5])));
}

TEST_P(Arithmetic, HalfOperationsRoundOnce) {
  std::mt19937 gen(9);
  std::vector<uint64_t> a, b, c;
  for (int i = 0; i < 600; ++i) {
    a.push_back(gen() & 0xffff), b.push_back(gen() & 0xffff), c.push_back(gen() & 0xffff);
  }
  const auto sum = Evaluate("add.f16 %h, %ha, %hb;", "h", a, b, c);
  const auto product = Evaluate("mul.f16 %h, %ha, %hb;", "h", a, b, c);
  const auto fused = Evaluate("fma.rn.f16 %h, %ha, %hb, %hc;", "h", a, b, c);
  const auto pairs = Evaluate(
      "mov.b32 %wa, {%ha, %hb}; mov.b32 %wb, {%hb, %hc}; add.f16x2 %w, %wa, %wb;", "w", a, b, c);
  const auto half = [](double exact) {
    // The nearest half of an exact double.
    if (std::isnan(exact)) return uint16_t{0x7fff};
    const double size = std::fabs(exact);
    uint16_t bits;
    if (size >= 65520) {
      bits = 0x7c00;
    } else {
      const int e = size < 0x1p-14 ? -14 : std::ilogb(size);
      const double steps = std::nearbyint(std::ldexp(size, 10 - e));
      bits = static_cast<uint16_t>(size < 0x1p-14 ? static_cast<int>(steps)
                                                  : (e + 14) * 1024 + static_cast<int>(steps));
    }
    return static_cast<uint16_t>(bits | (std::signbit(exact) ? 0x8000 : 0));
  };
  for (size_t i = 0; i < a.size(); ++i) {
    const double x = FromHalf(static_cast<uint16_t>(a[i])),
                 y = FromHalf(static_cast<uint16_t>(b[i])),
                 z = FromHalf(static_cast<uint16_t>(c[i]));
    const auto expect = [&](uint64_t got, double want, const char* what) {
      if (std::isnan(want)) {
        ASSERT_TRUE(std::isnan(FromHalf(static_cast<uint16_t>(got)))) << what;
      } else {
        ASSERT_EQ(got, half(want)) << what << " " << x << " " << y << " " << z;
      }
    };
    expect(sum[i], x + y, "add");
    expect(product[i], x * y, "mul");
    // Products of halves and their sums with a half are exact in 64 bits of significand.
    const long double exact = static_cast<long double>(x) * y + z;
    if (std::isfinite(static_cast<double>(exact)) && static_cast<double>(exact) == exact) {
      expect(fused[i], static_cast<double>(exact), "fma");
    }
    expect(pairs[i] & 0xffff, x + y, "low");
    expect(pairs[i] >> 16, y + z, "high");
  }
}

TEST_P(Arithmetic, ConversionsBetweenFloatsAndIntegers) {
  std::vector<uint64_t> f = Floats(11);
  for (const float v :
       {0.5f, 1.5f, 2.5f, -0.5f, -1.5f, 2147483648.0f, -2147483648.0f, 4294967296.0f, 9.2233720e18f,
        1.8446744e19f, 3e19f, 127.6f, 255.4f, -129.f}) {
    f.push_back(std::bit_cast<uint32_t>(v));
  }
  const auto whole = [](double v, std::string_view mode) {
    return mode == "rni"   ? std::nearbyint(v)
           : mode == "rzi" ? std::trunc(v)
           : mode == "rmi" ? std::floor(v)
                           : std::ceil(v);
  };
  for (const std::string_view mode : {"rni", "rzi", "rmi", "rpi"}) {
    const auto s32 = Evaluate(fmt::format("cvt.{}.s32.f32 %w, %fa;", mode), "w", f, f, f);
    const auto u32 = Evaluate(fmt::format("cvt.{}.u32.f32 %w, %fa;", mode), "w", f, f, f);
    const auto s64 = Evaluate(fmt::format("cvt.{}.s64.f32 %d, %fa;", mode), "d", f, f, f);
    const auto u64 = Evaluate(fmt::format("cvt.{}.u64.f32 %d, %fa;", mode), "d", f, f, f);
    const auto s8 = Evaluate(fmt::format("cvt.{}.s8.f32 %w, %fa;", mode), "w", f, f, f);
    const auto f32 = Evaluate(fmt::format("cvt.{}.f32.f32 %f, %fa;", mode), "f", f, f, f);
    for (size_t i = 0; i < f.size(); ++i) {
      const double v = whole(F(f[i]), mode);
      if (std::isnan(v)) {
        ASSERT_EQ(s32[i], 0u);
        ASSERT_EQ(u32[i], 0u);
        ASSERT_EQ(s64[i], 1ull << 63);
        continue;
      }
      ASSERT_EQ(s32[i],
                static_cast<uint32_t>(static_cast<int32_t>(std::clamp(v, -0x1p31, 0x1p31 - 1))))
          << v;
      ASSERT_EQ(u32[i], static_cast<uint32_t>(std::clamp(v, 0.0, 0x1p32 - 1))) << v;
      ASSERT_EQ(s8[i], static_cast<uint32_t>(static_cast<int32_t>(std::clamp(v, -128.0, 127.0))))
          << v;
      ASSERT_EQ(static_cast<int64_t>(s64[i]), v >= 0x1p63   ? INT64_MAX
                                              : v < -0x1p63 ? INT64_MIN
                                                            : static_cast<int64_t>(v))
          << v;
      ASSERT_EQ(u64[i], v >= 0x1p64 ? UINT64_MAX : v <= 0 ? 0 : static_cast<uint64_t>(v)) << v;
      ExpectSameFloat(f32[i], static_cast<float>(v), "cvt", f[i], f[i]);
    }
  }
  const auto n = Integers(12);
  const std::pair<const char*, int> modes[] = {
      {"rn", FE_TONEAREST}, {"rz", FE_TOWARDZERO}, {"rm", FE_DOWNWARD}, {"rp", FE_UPWARD}};
  for (const auto& [name, mode] : modes) {
    const auto from_s32 = Evaluate(fmt::format("cvt.{}.f32.s32 %f, %wa;", name), "f", n, n, n);
    const auto from_u64 = Evaluate(fmt::format("cvt.{}.f32.u64 %f, %a;", name), "f", n, n, n);
    const auto from_s64 = Evaluate(fmt::format("cvt.{}.f64.s64 %e, %a;", name), "d64", n, n, n);
    const auto narrow = Evaluate(fmt::format("cvt.{}.f32.f64 %f, %da;", name), "f", n, n, n);
    for (size_t i = 0; i < n.size(); ++i) {
      std::fesetround(mode);
      volatile int32_t s = static_cast<int32_t>(n[i]);
      volatile uint64_t u = n[i];
      volatile int64_t l = static_cast<int64_t>(n[i]);
      volatile double d = D(n[i]);
      const volatile float fs = static_cast<float>(s), fu = static_cast<float>(u),
                           fd = static_cast<float>(d);
      const volatile double dl = static_cast<double>(l);
      std::fesetround(FE_TONEAREST);
      ExpectSameFloat(from_s32[i], fs, "f32.s32", n[i], n[i]);
      ExpectSameFloat(from_u64[i], fu, "f32.u64", n[i], n[i]);
      ASSERT_EQ(D(from_s64[i]), dl);
      ExpectSameFloat(narrow[i], fd, "f32.f64", n[i], n[i]);
    }
  }
}

TEST_P(Arithmetic, IntegersOfAllWidths) {
  const auto a = Integers(21), b = Integers(22), c = Integers(23);
  const auto each = [&](std::string_view body, std::string_view result, auto want) {
    const auto got = Evaluate(body, result, a, b, c);
    for (size_t i = 0; i < a.size(); ++i) {
      ASSERT_EQ(got[i], static_cast<uint64_t>(want(a[i], b[i], c[i])))
          << body << " " << a[i] << " " << b[i] << " " << c[i];
    }
  };
  using u32 = uint32_t;
  using i32 = int32_t;
  each("mad.lo.s32 %w, %wa, %wb, %wc;", "w", [](u32 x, u32 y, u32 z) { return x * y + z; });
  each("mul.hi.s32 %w, %wa, %wb;", "w",
       [](i32 x, i32 y, u32) { return static_cast<u32>(int64_t{x} * y >> 32); });
  each("mul.wide.s16 %w, %ha, %hb;", "w",
       [](int16_t x, int16_t y, u32) { return static_cast<u32>(x * y); });
  each("mad.wide.u32 %d, %wa, %wb, %c;", "d",
       [](u32 x, u32 y, uint64_t z) { return uint64_t{x} * y + z; });
  each("mul.hi.u64 %d, %a, %b;", "d", [](uint64_t x, uint64_t y, u32) {
    return static_cast<uint64_t>(static_cast<unsigned __int128>(x) * y >> 64);
  });
  each("div.s32 %w, %wa, %wb;", "w", [](i32 x, i32 y, u32) {
    return y == 0 ? ~0u : y == -1 ? 0u - static_cast<u32>(x) : static_cast<u32>(x / y);
  });
  each("rem.u32 %w, %wa, %wb;", "w", [](u32 x, u32 y, u32) { return y == 0 ? x : x % y; });
  each("div.u64 %d, %a, %b;", "d",
       [](uint64_t x, uint64_t y, u32) { return y == 0 ? ~0ull : x / y; });
  each("shl.b32 %w, %wa, %wb;", "w", [](u32 x, u32 n, u32) { return n > 31 ? 0 : x << n; });
  each("shr.s32 %w, %wa, %wb;", "w",
       [](i32 x, u32 n, u32) { return static_cast<u32>(x >> std::min(n, 31u)); });
  each("shr.u64 %d, %a, %wb;", "d", [](uint64_t x, u32 n, u32) { return n > 63 ? 0 : x >> n; });
  each("shr.s16 %h, %ha, %wb;", "h",
       [](int16_t x, u32 n, u32) { return static_cast<uint16_t>(x >> std::min(n, 15u)); });
  each("bfe.u32 %w, %wa, 5, 9;", "w", [](u32 x, u32, u32) { return x >> 5 & 511; });
  each("bfe.s32 %w, %wa, 5, 9;", "w",
       [](u32 x, u32, u32) { return static_cast<u32>(static_cast<i32>(x << 18) >> 23); });
  each("bfi.b32 %w, %wa, %wb, 7, 12;", "w",
       [](u32 x, u32 y, u32) { return (y & ~(0xfffu << 7)) | (x & 0xfff) << 7; });
  each("lop3.b32 %w, %wa, %wb, %wc, 0xe8;", "w",
       [](u32 x, u32 y, u32 z) { return (x & y) | (x & z) | (y & z); });
  each("lop3.b32 %w, %wa, %wb, %wc, 0x1a;", "w", [](u32 x, u32 y, u32 z) {
    u32 r = 0;
    for (int i = 0; i < 32; ++i)
      r |= (0x1au >> ((x >> i & 1) * 4 + (y >> i & 1) * 2 + (z >> i & 1)) & 1) << i;
    return r;
  });
  each("shf.r.clamp.b32 %w, %wa, %wb, %wc;", "w", [](u32 x, u32 y, u32 n) {
    return static_cast<u32>((uint64_t{y} << 32 | x) >> std::min(n, 32u));
  });
  each("add.sat.s32 %w, %wa, %wb;", "w", [](i32 x, i32 y, u32) {
    return static_cast<u32>(std::clamp<int64_t>(int64_t{x} + y, INT32_MIN, INT32_MAX));
  });
  each("sad.u32 %w, %wa, %wb, %wc;", "w",
       [](u32 x, u32 y, u32 z) { return (x > y ? x - y : y - x) + z; });
  each("bfind.u32 %w, %wa;", "w",
       [](u32 x, u32, u32) { return x == 0 ? ~0u : 31u - static_cast<u32>(__builtin_clz(x)); });
  each("min.s64 %d, %a, %b;", "d", [](int64_t x, int64_t y, u32) { return std::min(x, y); });
  each("max.u16 %h, %ha, %hb;", "h", [](uint16_t x, uint16_t y, u32) { return std::max(x, y); });
  each(
      "setp.lt.s32 %p2, %wa, %wb; setp.gt.and.u32 %p3|%p4, %wb, %wc, %p2; selp.b32 %w, 1, 0, %p3; "
      "@%p4 add.s32 %w, %w, 2;",
      "w", [](u32 x, u32 y, u32 z) {
        const bool p = static_cast<i32>(x) < static_cast<i32>(y);
        return (y > z && p ? 1 : 0) + (!(y > z) && p ? 2 : 0);
      });
  each("cvt.s64.s8 %d, %wa;", "d",
       [](u32 x, u32, u32) { return static_cast<int64_t>(static_cast<int8_t>(x)); });
  each("cvt.u32.s16 %w, %ha;", "w",
       [](u32 x, u32, u32) { return static_cast<u32>(static_cast<int16_t>(x)); });
  each("cvt.sat.u8.s32 %w, %wa;", "w", [](i32 x, u32, u32) { return std::clamp(x, 0, 255); });
  each("add.cc.u32 %w, %wa, %wb; addc.u32 %w, %wc, 0;", "w",
       [](u32 x, u32 y, u32 z) { return z + (x + y < x ? 1u : 0u); });
  each("bmsk.clamp.b32 %w, %wa, %wb;", "w", [](u32 x, u32 y, u32) {
    return x > 31 ? 0 : static_cast<u32>(((1ull << std::min(y, 32u)) - 1) << x);
  });
  each("prmt.b32 %w, %wa, %wb, 0xf2c4;", "w", [](u32 x, u32 y, u32) {
    const uint64_t all = uint64_t{y} << 32 | x;
    const auto byte = [&](int i) { return static_cast<u32>(all >> (8 * i)) & 0xff; };
    const auto sign = [&](int i) { return (byte(i) & 0x80) != 0 ? 0xffu : 0u; };
    return byte(4) | sign(4) << 8 | byte(2) << 16 | sign(7) << 24;
  });
}

INSTANTIATE_TEST_SUITE_P(Builds, Arithmetic, testing::Bool(),
                         [](const auto& info) { return info.param ? "Vector" : "Plain"; });

TEST(ArithmeticCases, UnknownInstructionsAreNamedOnlyWhenExecuted) {
  constexpr std::string_view kPtx = R"(
.version 9.0
.target sm_90
.address_size 64
.visible .entry k(.param .u32 n) {
.reg .pred %p1; .reg .b32 %r<4>;
ld.param.u32 %r1, [n];
setp.eq.s32 %p1, %r1, 0;
@%p1 bra DONE;
.loc 1 17 3
@%p1 tex.1d.v4.f32.s32 {%r1, %r2, %r3, %r3}, [t, {%r1}];
tex.1d.v4.f32.s32 {%r1, %r2, %r3, %r3}, [t, {%r1}];
DONE:
ret;
}
.file 1 "a.cu"
)";
  Bench bench(kPtx);
  EXPECT_EQ(bench.Run("k", {1}, {32}, 0, 0).status, Status::kOk);
  const LaunchOutcome done = bench.Run("k", {1}, {32}, 0, 1);
  EXPECT_EQ(done.status, Status::kUnsupported);
  EXPECT_THAT(done.message, testing::HasSubstr("tex.1d.v4"));
  EXPECT_THAT(done.message, testing::HasSubstr("a.cu:17"));
}

}  // namespace
}  // namespace kw::eval
