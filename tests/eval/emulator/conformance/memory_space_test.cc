// Loads, stores and atomics of every type through every state space, against the bytes they move.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "../ptx_source.h"
#include "fmt/format.h"
#include "scalar.h"

namespace kw::eval::conformance {
namespace {

using Status = LaunchOutcome::Status;

std::string Module(const std::string& body) {
  return ".version 9.0\n.target sm_90\n.address_size 64\n.global .align 16 .b8 symbol[2048];\n"
         ".const .align 16 .b8 fixed[64] = {1, 2, 3, 4, 5, 6, 7, 8};\n"
         ".visible .entry k(.param .u64 from, .param .u64 to) {\n"
         ".reg .pred %p<8>; .reg .b16 %h<9>; .reg .b32 %w<12>; .reg .b64 %d<12>;\n"
         ".shared .align 16 .b8 block[2048]; .local .align 16 .b8 own[64];\n"
         "mov.u32 %w0, %tid.x;\n" +
         body + "ret;\n}\n";
}

// Each thread moves `bytes * count` bytes from its place to the space, and from there on.
TEST(Memory, LoadsAndStoresOfEveryTypeAndSpace) {
  struct Type {
    const char* name;
    int bytes;
  };
  constexpr Type kTypes[] = {{"b8", 1},  {"u8", 1},  {"s8", 1},  {"b16", 2}, {"u16", 2},
                             {"s16", 2}, {"b32", 4}, {"u32", 4}, {"s32", 4}, {"f32", 4},
                             {"b64", 8}, {"u64", 8}, {"s64", 8}, {"f64", 8}};
  std::vector<uint8_t> data(32 * 16);
  std::iota(data.begin(), data.end(), uint8_t{77});
  for (const Type& type : kTypes) {
    for (const int count : {1, 2, 4}) {
      if (type.bytes * count > 16) continue;
      const char reg = type.bytes == 8 ? 'd' : type.bytes == 4 ? 'w' : 'h';
      std::string list;
      for (int i = 0; i < count; ++i) list += fmt::format("{}%{}{}", i ? ", " : "", reg, i + 4);
      if (count > 1) list = "{" + list + "}";
      const std::string form = (count > 1 ? fmt::format(".v{}.", count) : ".") + type.name;
      const int stride = type.bytes * count;
      for (const std::string space : {"global", "shared", "local", "generic", "symbol"}) {
        for (const std::string how : {"", ".volatile", ".relaxed.gpu"}) {
          if (!how.empty() && (count > 1 || space == "local")) continue;
          const std::string in = space == "symbol"    ? ".global"
                                 : space == "generic" ? ""
                                                      : "." + space;
          const std::string base =
              space == "shared"  ? "mov.u32 %w1, block; add.u32 %w1, %w1, %w2;"
              : space == "local" ? "mov.u64 %d3, own;"
              : space == "generic"
                  ? "mov.u64 %d3, block; cvta.shared.u64 %d3, %d3; add.u64 %d3, %d3, %d2;"
              : space == "symbol" ? "mov.u64 %d3, symbol; add.u64 %d3, %d3, %d2;"
                                  : "add.u64 %d3, %d1, 1024;";
          const std::string at = space == "shared" ? "[%w1]" : "[%d3]";
          const std::string ptx = Module(
              fmt::format("mul.lo.u32 %w2, %w0, {0}; cvt.u64.u32 %d2, %w2;\n"
                          "ld.param.u64 %d0, [from]; add.u64 %d0, %d0, %d2;\n"
                          "ld.param.u64 %d1, [to]; add.u64 %d1, %d1, %d2;\n{1}\n"
                          "ld.global{2} {3}, [%d0];\nst{4}{5}{2} {6}, {3};\nmov.b{7} %{8}4, 0;\n"
                          "ld{4}{5}{2} {3}, {6};\nst.global{2} [%d1], {3};\n",
                          stride, base, form, list, how, in, at,
                          reg == 'd'   ? 64
                          : reg == 'w' ? 32
                                       : 16,
                          reg));
          Bench bench(ptx);
          const uint64_t to = bench.Make(4096, "to");
          const LaunchOutcome done = bench.Run("k", {1}, {32}, 0, bench.Upload(data, "from"), to);
          ASSERT_EQ(done.status, Status::kOk) << space << how << form << ": " << done.message;
          const size_t n = 32 * static_cast<size_t>(stride);
          EXPECT_EQ(bench.Download<uint8_t>(to, n),
                    std::vector<uint8_t>(data.begin(), data.begin() + static_cast<long>(n)))
              << space << how << form;
          EXPECT_CLEAN(bench);
        }
      }
    }
  }
}

TEST(Memory, NarrowLoadsExtendByTheirType) {
  const std::string ptx = Module(
      "ld.param.u64 %d0, [from]; ld.param.u64 %d1, [to];\n"
      "ld.global.s8 %w1, [%d0]; st.global.u32 [%d1], %w1;\n"
      "ld.global.u8 %w1, [%d0]; st.global.u32 [%d1+4], %w1;\n"
      "ld.global.s16 %d2, [%d0]; st.global.u64 [%d1+8], %d2;\n"
      "ldu.global.u16 %w1, [%d0]; st.global.u32 [%d1+16], %w1;\n"
      "ld.const.u8 %w1, [fixed+2]; st.global.u32 [%d1+20], %w1;\n"
      "ld.global.nc.L1::no_allocate.s32 %d2, [%d0]; st.global.u64 [%d1+24], %d2;\n");
  Bench bench(ptx);
  const uint64_t to = bench.Make(32, "to");
  const LaunchOutcome done =
      bench.Run("k", {1}, {1}, 0, bench.Upload(std::vector<uint32_t>{0x8899aafe}, "from"), to);
  ASSERT_EQ(done.status, Status::kOk) << done.message;
  EXPECT_THAT(bench.Download<uint32_t>(to, 8),
              testing::ElementsAre(0xfffffffe, 0xfe, 0xffffaafe, 0xffffffff, 0xaafe, 3, 0x8899aafe,
                                   0xffffffff));
}

TEST(Memory, AddressesKnowTheirSpace) {
  std::string body = "ld.param.u64 %d1, [to];\n";
  const std::pair<const char*, const char*> kSpaces[] = {
      {"shared", "block"}, {"local", "own"}, {"global", "symbol"}};
  int at = 0;
  for (const auto& [space, name] : kSpaces) {
    body += fmt::format("mov.u64 %d2, {}; cvta.{}.u64 %d3, %d2;\n", name, space);
    for (const char* asked : {"shared", "local", "global"}) {
      body += fmt::format(
          "isspacep.{} %p1, %d3; selp.u32 %w1, 1, 0, %p1; st.global.u32 [%d1+{}], %w1;\n", asked,
          4 * at++);
    }
    body += fmt::format(
        "cvta.to.{}.u64 %d4, %d3; setp.eq.u64 %p2, %d4, %d2; selp.u32 %w1, 1, 0, %p2; "
        "st.global.u32 [%d1+{}], %w1;\n",
        space, 4 * at++);
  }
  Bench bench(Module(body));
  const uint64_t to = bench.Make(48, "to");
  const LaunchOutcome done = bench.Run("k", {1}, {1}, 0, to, to);
  ASSERT_EQ(done.status, Status::kOk) << done.message;
  EXPECT_THAT(bench.Download<uint32_t>(to, 12),
              testing::ElementsAre(1, 0, 0, 1, 0, 1, 0, 1, 0, 0, 1, 1));
}

// 32 threads update one place, in an order that the lanes give.
TEST(Memory, AtomicsOfEveryOperationAndType) {
  struct Update {
    const char* op;
    const char* type;
    u64 start;
    std::function<u64(u64, u64)> next;  // of the value and the thread's operand
  };
  const auto integer = [](auto f) { return [f](u64 old, u64 v) { return f(old, v); }; };
  const auto real = [](u64 old, u64 v) {
    return ToBits(FromBits<float>(old) + FromBits<float>(v));
  };
  const std::vector<Update> updates = {
      {"add", "u32", 5, integer([](u64 a, u64 b) { return (a + b) & 0xffffffff; })},
      {"add", "s32", 5, integer([](u64 a, u64 b) { return (a + b) & 0xffffffff; })},
      {"add", "u64", ~0ull - 3, integer([](u64 a, u64 b) { return a + b; })},
      {"min", "s32", 9,
       integer([](u64 a, u64 b) { return static_cast<i32>(a) < static_cast<i32>(b) ? a : b; })},
      {"max", "s32", 0xfffffff0,
       integer([](u64 a, u64 b) { return static_cast<i32>(a) > static_cast<i32>(b) ? a : b; })},
      {"min", "u32", 9, integer([](u64 a, u64 b) { return std::min(a, b); })},
      {"max", "u32", 9, integer([](u64 a, u64 b) { return std::max(a, b); })},
      {"min", "u64", 9, integer([](u64 a, u64 b) { return std::min(a, b); })},
      {"max", "s64", ~0ull,
       integer([](u64 a, u64 b) { return static_cast<i64>(a) > static_cast<i64>(b) ? a : b; })},
      {"and", "b32", 0x7f, integer([](u64 a, u64 b) { return a & b; })},
      {"or", "b32", 0x40, integer([](u64 a, u64 b) { return a | b; })},
      {"xor", "b32", 0x40, integer([](u64 a, u64 b) { return a ^ b; })},
      {"and", "b64", ~0ull, integer([](u64 a, u64 b) { return a & b; })},
      {"or", "b64", 1ull << 40, integer([](u64 a, u64 b) { return a | b; })},
      {"xor", "b64", 1ull << 40, integer([](u64 a, u64 b) { return a ^ b; })},
      {"inc", "u32", 3, integer([](u64 a, u64 b) { return a >= b ? 0 : a + 1; })},
      {"dec", "u32", 3, integer([](u64 a, u64 b) { return a == 0 || a > b ? b : a - 1; })},
      {"exch", "b32", 3, integer([](u64, u64 b) { return b; })},
      {"exch", "b64", 3, integer([](u64, u64 b) { return b; })},
      {"add", "f32", 0x3f800000, real},
      {"add", "f64", 0x3ff0000000000000,
       [](u64 old, u64 v) { return ToBits(FromBits<double>(old) + FromBits<double>(v)); }},
      {"add.noftz", "f16", 0x3c00,
       [](u64 old, u64 v) {
         return ToBits(Half(FromBits<Half>(old).value() + FromBits<Half>(v).value()));
       }},
      {"add.noftz", "bf16", 0x3f80,
       [](u64 old, u64 v) {
         return ToBits(Bfloat(FromBits<Bfloat>(old).value() + FromBits<Bfloat>(v).value()));
       }},
  };
  for (const Update& update : updates) {
    const std::string_view type = update.type;
    const int bytes = type.ends_with("64") ? 8 : type.ends_with("16") ? 2 : 4;
    const char reg = bytes == 8 ? 'd' : bytes == 2 ? 'h' : 'w';
    std::vector<u64> operands;
    for (u64 i = 0; i < 32; ++i) {
      operands.push_back(type == "f32"    ? ToBits(static_cast<float>(i) * 0.1f)
                         : type == "f64"  ? ToBits(static_cast<double>(i) * 0.1)
                         : type == "f16"  ? ToBits(Half(static_cast<double>(i) * 0.25))
                         : type == "bf16" ? ToBits(Bfloat(static_cast<double>(i) * 0.25))
                                          : i * 7 % 32);
    }
    for (const std::string space : {".global", ".shared", ""}) {
      for (const bool reads : {true, false}) {
        if (!reads && std::string_view(update.op) == "exch") continue;
        const std::string where = space == ".shared" ? "block" : "%d3";
        const std::string op = fmt::format("{}{}{}{}.{}.{} {}[{}], %{}1;\n", reads ? "atom" : "red",
                                           ".relaxed.gpu", space, "", update.op, update.type,
                                           reads ? fmt::format("%{}2, ", reg) : "", where, reg);
        std::string body =
            "mul.wide.u32 %d2, %w0, 8; ld.param.u64 %d0, [from]; add.u64 %d0, %d0, %d2;\n"
            "ld.param.u64 %d3, [to]; add.u64 %d4, %d3, %d2;\n"
            "setp.eq.u32 %p1, %w0, 0;\nmov.u64 %d6, 0;\n";
        body += fmt::format("mov.u64 %d5, {}; @%p1 st{}.u64 [{}], %d5; bar.sync 0;\n", update.start,
                            space, where);
        body +=
            fmt::format("mov.b{0} %{1}2, 0; ld.global.b{0} %{1}1, [%d0];\n", bytes * 8, reg) + op;
        body +=
            fmt::format("st.global.u64 [%d4+8], %d6; st.global.b{} [%d4+8], %{}2; bar.sync 0;\n",
                        bytes * 8, reg);
        if (space == ".shared")
          body += "ld.shared.u64 %d5, [block]; @%p1 st.global.u64 [%d3], %d5;\n";
        Bench bench(Module(body));
        const uint64_t to = bench.Make(33 * 8, "to");
        const LaunchOutcome done = bench.Run("k", {1}, {32}, 0, bench.Upload(operands, "from"), to);
        ASSERT_EQ(done.status, Status::kOk) << op << done.message;
        const auto got = bench.Download<u64>(to, 33);
        u64 value = update.start;
        for (size_t i = 0; i < 32; ++i) {
          EXPECT_EQ(got[i + 1], reads ? value : 0) << op << " lane " << i;
          value = update.next(value, operands[i]);
        }
        EXPECT_EQ(got[0], value) << op;
      }
    }
  }
}

TEST(Memory, AtomicsOfVectorsAndCompareAndSwap) {
  const std::string ptx = Module(
      "ld.param.u64 %d0, [from]; ld.param.u64 %d1, [to];\n"
      "mov.f32 %w1, 0f3f800000; mov.f32 %w2, 0f40000000;\n"
      "atom.global.add.v2.f32 {%w1, %w2}, [%d0], {%w2, %w1};\n"
      "st.global.v2.f32 [%d1], {%w1, %w2};\n"
      "red.global.add.v2.f32 [%d0], {%w1, %w2};\n"
      "mov.u32 %w3, 7; mov.u32 %w4, 9; atom.global.cas.b32 %w5, [%d0+8], %w3, %w4;\n"
      "atom.global.cas.b32 %w6, [%d0+8], %w3, %w4; st.global.v2.u32 [%d1+8], {%w5, %w6};\n"
      "mov.u16 %h1, 7; mov.u16 %h2, 5; atom.global.cas.b16 %h3, [%d0+12], %h1, %h2;\n"
      "st.global.u16 [%d1+16], %h3;\n");
  Bench bench(ptx);
  const std::vector<uint32_t> start = {0x3f000000, 0x3f000000, 7, 7};
  const uint64_t from = bench.Upload(start, "from"), to = bench.Make(32, "to");
  const LaunchOutcome done = bench.Run("k", {1}, {1}, 0, from, to);
  ASSERT_EQ(done.status, Status::kOk) << done.message;
  // 0.5 + 2 + 0.5 and 0.5 + 1 + 0.5.
  EXPECT_THAT(bench.Download<uint32_t>(from, 4),
              testing::ElementsAre(0x40400000, 0x40000000, 9, 5));
  EXPECT_THAT(bench.Download<uint32_t>(to, 4), testing::ElementsAre(0x3f000000, 0x3f000000, 7, 9));
}

}  // namespace
}  // namespace kw::eval::conformance
