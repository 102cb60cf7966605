// Approximate functions, closer than PTX promises, and what is not known. All other scalar
// instructions: conformance/.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>

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
};

float F(uint64_t bits) { return std::bit_cast<float>(static_cast<uint32_t>(bits)); }

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

// Multiply-adds in a row are done in one call.
TEST(Emulator, MultiplyAddsInARowSeeEachOthersResults) {
  std::vector<uint64_t> a, b, c;
  for (uint64_t i = 0; i < 70; ++i) {
    a.push_back(std::bit_cast<uint32_t>(0.25f + 0.01f * static_cast<float>(i)));
    b.push_back(std::bit_cast<uint32_t>(1.5f - 0.03f * static_cast<float>(i)));
    c.push_back(std::bit_cast<uint32_t>(-0.75f + 0.02f * static_cast<float>(i)));
  }
  // Factors, and a factor's own register, as results.
  constexpr std::string_view kRun = R"(
    fma.rn.f32 %f, %fa, %fb, %fc;
    fma.rn.f32 %f, %fa, %f, %fc;
    fma.rn.f32 %fa, %fa, %f, %fb;
    fma.rn.f32 %f, %fa, %f, %fc;
    fma.rn.f32 %f, %f, %f, %fa;
    fma.rn.f32 %fb, %f, %fa, %fb;
    fma.rn.f32 %f, %fb, %f, %fa;)";
  const auto run = [](float x, float y, float z) {
    float r = std::fmaf(x, y, z);
    r = std::fmaf(x, r, z);
    x = std::fmaf(x, r, y);
    r = std::fmaf(x, r, z);
    r = std::fmaf(r, r, x);
    y = std::fmaf(r, x, y);
    return std::fmaf(y, r, x);
  };
  const auto value = [](uint64_t bits) {
    return std::bit_cast<float>(static_cast<uint32_t>(bits));
  };
  const std::vector<uint64_t> whole = Evaluate(kRun, "f", a, b, c);
  // The same where only some lanes execute it, and where each instruction has a guard.
  const std::vector<uint64_t> some =
      Evaluate("mov.b32 %f, %wc; and.b32 %r5, %wa, 1; setp.eq.u32 %p2, %r5, 0; @%p2 bra skip;" +
                   std::string(kRun) + "skip:",
               "f", a, b, c);
  const std::vector<uint64_t> guarded = Evaluate(
      "mov.b32 %f, %wc; and.b32 %r5, %wa, 1; setp.ne.u32 %p2, %r5, 0;"
      "@%p2 fma.rn.f32 %f, %fa, %fb, %fc; @%p2 fma.rn.f32 %f, %fa, %f, %fc;",
      "f", a, b, c);
  for (size_t i = 0; i < a.size(); ++i) {
    const float x = value(a[i]), y = value(b[i]), z = value(c[i]);
    const bool odd = (a[i] & 1) != 0;
    EXPECT_EQ(value(whole[i]), run(x, y, z)) << i;
    EXPECT_EQ(value(some[i]), odd ? run(x, y, z) : z) << i;
    EXPECT_EQ(value(guarded[i]), odd ? std::fmaf(x, std::fmaf(x, y, z), z) : z) << i;
  }
}

}  // namespace
}  // namespace kw::eval
