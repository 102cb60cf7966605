// What the lanes of a warp tell each other, and instructions that change no result.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../ptx_source.h"
#include "fmt/format.h"
#include "scalar.h"

namespace kw::eval::conformance {
namespace {

using Status = LaunchOutcome::Status;
using Lanes = std::vector<u32>;

// Runs `body` on %a (of `in`), and returns %r of each lane.
Lanes OnWarp(const std::string& body, const Lanes& in) {
  Bench bench(
      ".version 9.0\n.target sm_90\n.address_size 64\n"
      ".visible .entry k(.param .u64 from, .param .u64 to) {\n"
      ".reg .pred %p, %q; .reg .b32 %a, %r, %t, %i; .reg .b64 %d<4>, %w;\n"
      "mov.u32 %i, %tid.x; mul.wide.u32 %d0, %i, 4;\n"
      "ld.param.u64 %d1, [from]; add.u64 %d1, %d1, %d0; ld.global.u32 %a, [%d1];\n"
      "ld.param.u64 %d2, [to]; add.u64 %d2, %d2, %d0; mov.u32 %r, 0;\n" +
      body + "\nst.global.u32 [%d2], %r; ret;\n}\n");
  const uint64_t to = bench.Make(128, "to");
  const LaunchOutcome done = bench.Run("k", {1}, {32}, 0, bench.Upload(in, "from"), to);
  EXPECT_EQ(done.status, Status::kOk) << body << ": " << done.message;
  EXPECT_CLEAN(bench);
  return done.status == Status::kOk ? bench.Download<u32>(to, 32) : Lanes(32);
}

Lanes Values() {
  Lanes in(32);
  for (u32 i = 0; i < 32; ++i) in[i] = i * 2654435761u >> 3 ^ (i % 5 == 0 ? 0x80000000u : 0);
  return in;
}

TEST(Warps, ShufflesOfEveryMode) {
  const Lanes in = Values();
  for (const std::string mode : {"up", "down", "bfly", "idx"}) {
    for (const u32 width : {32u, 16u, 8u}) {
      for (const u32 by : {0u, 1u, 3u, 7u, 15u, 31u}) {
        const u32 segment = 32 - width, clamp = mode == "up" ? 0 : 31;
        const u32 c = segment << 8 | clamp;
        // The result's register is the source's: every lane must read before any writes.
        const Lanes got =
            OnWarp(fmt::format("shfl.sync.{}.b32 %a|%p, %a, {}, {}, -1; selp.u32 %t, 1, 0, "
                               "%p; shl.b32 %a, %a, 1; or.b32 %r, %a, %t;",
                               mode, by, c),
                   in);
        for (u32 i = 0; i < 32; ++i) {
          const u32 first = i & segment, last = first | (clamp & ~segment);
          i64 from = i;
          if (mode == "up") from = i64{i} - by;
          if (mode == "down") from = i64{i} + by;
          if (mode == "bfly") from = i ^ by;
          if (mode == "idx") from = first | (by & ~segment & 31);
          const bool inside = mode == "up" ? from >= first : from <= last;
          const u32 want = in[inside ? static_cast<size_t>(from) : i];
          EXPECT_EQ(got[i], want << 1 | (inside ? 1u : 0u))
              << mode << " " << by << " of " << width << " lane " << i;
        }
      }
    }
  }
}

TEST(Warps, VotesMatchesAndReductions) {
  const Lanes in = Values();
  Lanes few(32);
  for (u32 i = 0; i < 32; ++i) few[i] = i * 7 % 3;
  u32 odd = 0;
  for (u32 i = 0; i < 32; ++i) odd |= (in[i] & 1) << i;
  const std::string test = "and.b32 %t, %a, 1; setp.ne.u32 %p, %t, 0;\n";
  EXPECT_EQ(OnWarp(test + "vote.sync.ballot.b32 %r, %p, -1;", in), Lanes(32, odd));
  EXPECT_EQ(OnWarp(test + "vote.sync.ballot.b32 %r, !%p, -1;", in), Lanes(32, ~odd));
  EXPECT_EQ(OnWarp(test + "vote.sync.any.pred %q, %p, -1; selp.u32 %r, 1, 0, %q;", in),
            Lanes(32, odd != 0));
  EXPECT_EQ(OnWarp(test + "vote.sync.all.pred %q, %p, -1; selp.u32 %r, 1, 0, %q;", in),
            Lanes(32, ~odd == 0));
  EXPECT_EQ(OnWarp(test + "vote.sync.uni.pred %q, %p, -1; selp.u32 %r, 1, 0, %q;", in),
            Lanes(32, odd == 0 || ~odd == 0));
  EXPECT_EQ(OnWarp("activemask.b32 %r;", in), Lanes(32, ~0u));
  const Lanes chosen = OnWarp(
      "elect.sync %r|%p, -1; selp.u32 %t, 1, 0, %p; shl.b32 %r, %r, 1; or.b32 %r, %r, %t;", in);
  u32 elected = 0;
  for (const u32 v : chosen) {
    elected += v & 1;
    EXPECT_EQ(v >> 1, chosen[0] >> 1);
  }
  EXPECT_EQ(elected, 1u);
  EXPECT_EQ(chosen[chosen[0] >> 1] & 1, 1u);
  const Lanes any = OnWarp("match.any.sync.b32 %r, %a, -1;", few);
  const Lanes wide =
      OnWarp("cvt.u64.u32 %w, %a; shl.b64 %w, %w, 33; match.any.sync.b64 %r, %w, -1;", few);
  for (u32 i = 0; i < 32; ++i) {
    u32 same = 0;
    for (u32 j = 0; j < 32; ++j) same |= (few[i] == few[j] ? 1u : 0u) << j;
    EXPECT_EQ(any[i], same);
    EXPECT_EQ(wide[i], same);
  }
  const std::string all =
      "match.all.sync.b32 %r|%p, %a, -1; selp.u32 %t, 1, 0, %p; xor.b32 %r, %r, %t;";
  EXPECT_EQ(OnWarp(all, Lanes(32, 6)), Lanes(32, ~1u));
  EXPECT_EQ(OnWarp(all, few), Lanes(32, 0));
  u32 sum = 0, ones = ~0u, some = 0, parity = 0, least = ~0u, most = 0;
  i32 low = INT32_MAX, high = INT32_MIN;
  for (const u32 v : in) {
    sum += v, ones &= v, some |= v, parity ^= v;
    least = std::min(least, v), most = std::max(most, v);
    low = std::min(low, static_cast<i32>(v)), high = std::max(high, static_cast<i32>(v));
  }
  const std::pair<const char*, u32> kReductions[] = {{"add.u32", sum},
                                                     {"add.s32", sum},
                                                     {"and.b32", ones},
                                                     {"or.b32", some},
                                                     {"xor.b32", parity},
                                                     {"min.u32", least},
                                                     {"max.u32", most},
                                                     {"min.s32", static_cast<u32>(low)},
                                                     {"max.s32", static_cast<u32>(high)}};
  for (const auto& [op, want] : kReductions) {
    EXPECT_EQ(OnWarp(fmt::format("redux.sync.{} %r, %a, -1;", op), in), Lanes(32, want)) << op;
  }
}

TEST(Ignored, Instructions) {
  const Lanes in = Values();
  for (const std::string_view text :
       {"prefetch.global.L1 [%d1];", "prefetch.global.L2 [%d1];", "prefetchu.L1 [%d1];",
        "discard.global.L2 [%d2], 128;", "applypriority.global.L2::evict_normal [%d1], 128;",
        "createpolicy.fractional.L2::evict_last.b64 %w, 1.0;", "griddepcontrol.wait;",
        "griddepcontrol.launch_dependents;", "nanosleep.u32 20;", "pmevent 1;",
        "setmaxnreg.inc.sync.aligned.u32 64;", "membar.cta;", "membar.gl;", "membar.sys;",
        "fence.sc.gpu;", "fence.acq_rel.cta;", "fence.proxy.alias;", "brkpt;"}) {
    EXPECT_EQ(OnWarp(std::string(text) + " mov.u32 %r, %a;", in), in) << text;
  }
  // exit ends the thread before its store.
  const Lanes some =
      OnWarp("setp.gt.u32 %p, %i, 15; st.global.u32 [%d2], %a; @%p exit; xor.b32 %r, %a, -1;", in);
  for (u32 i = 0; i < 32; ++i) EXPECT_EQ(some[i], i > 15 ? in[i] : ~in[i]);
}

}  // namespace
}  // namespace kw::eval::conformance
