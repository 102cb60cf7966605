#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ptx_source.h"
#include "src/eval/emulator/device_memory.h"

namespace kw::eval {
namespace {

using emu::DeviceMemory;

TEST(DeviceMemory, AddressesAreNeverReusedAndKeepApart) {
  DeviceMemory memory(1, 0);
  uint64_t last = 0;
  for (int i = 0; i < 50; ++i) {
    const auto entry = memory.Allocate(100, "a");
    ASSERT_TRUE(entry.has_value());
    const uint64_t at = (*entry)->span.start;
    EXPECT_EQ(at % 256, 0u);
    EXPECT_GE(at, last + 100 + 4096);
    last = at;
    ASSERT_TRUE(memory.Free(at).has_value());
    EXPECT_FALSE(memory.Free(at).has_value());
  }
  EXPECT_EQ(memory.live_bytes(), 0u);
}

TEST(DeviceMemory, SeedDecidesAddressesAndPoison) {
  DeviceMemory one(1, 0), again(1, 0), other(2, 0);
  EXPECT_EQ((*one.Allocate(8, "a"))->span.start, (*again.Allocate(8, "a"))->span.start);
  EXPECT_NE((*one.Allocate(8, "b"))->span.start, (*other.Allocate(8, "b"))->span.start);
  EXPECT_EQ(one.poison_word(), again.poison_word());
}

TEST(DeviceMemory, FreshMemoryIsNanInEveryFormat) {
  DeviceMemory memory(5, 0);
  const uint64_t at = (*memory.Allocate(16, "a"))->span.start;
  float f;
  uint16_t h;
  ASSERT_TRUE(memory.Read(at, reinterpret_cast<char*>(&f), 4).has_value());
  ASSERT_TRUE(memory.Read(at + 2, reinterpret_cast<char*>(&h), 2).has_value());
  EXPECT_NE(f, f);
  EXPECT_TRUE(FromHalf(h) != FromHalf(h));
}

TEST(DeviceMemory, HostAccessIsChecked) {
  DeviceMemory memory(1, 1 << 20);
  const uint64_t at = (*memory.Allocate(10, "x"))->span.start;
  EXPECT_TRUE(memory.Write(at + 2, "abcdefgh").has_value());
  const auto beyond = memory.Write(at + 3, "abcdefgh");
  ASSERT_FALSE(beyond.has_value());
  EXPECT_THAT(beyond.error().ToString(), testing::HasSubstr("of x, which has 10"));
  EXPECT_FALSE(memory.Fill(at - 1, 0, 4).has_value());
  EXPECT_FALSE(memory.Read(123, nullptr, 4).has_value());
  EXPECT_TRUE(memory.Write(123, "").has_value());
  const auto much = memory.Allocate(1 << 21, "y");
  ASSERT_FALSE(much.has_value());
  EXPECT_EQ(much.error().code, ErrorCode::kLimit);
  EXPECT_THAT(much.error().message, testing::StartsWith("cudaErrorMemoryAllocation"));
}

TEST(DeviceMemory, CountsWhatIsUnwritten) {
  DeviceMemory memory(1, 0);
  DeviceMemory::Entry* entry = *memory.Allocate(100, "x");
  EXPECT_EQ(entry->span.unwritten, 100u);
  ASSERT_TRUE(memory.Write(entry->span.start + 3, std::string(50, 'x')).has_value());
  EXPECT_EQ(entry->span.unwritten, 50u);
  ASSERT_TRUE(memory.Fill(entry->span.start + 40, 0, 60).has_value());
  EXPECT_EQ(entry->span.unwritten, 3u);
  ASSERT_TRUE(memory.Write(entry->span.start, "abc").has_value());
  EXPECT_EQ(entry->span.written, nullptr);
  ASSERT_TRUE(memory.Poison(entry->span.start).has_value());
  EXPECT_EQ(entry->span.unwritten, 100u);
}

std::string CopyKernel(std::string_view width, std::string_view reg) {
  return ".version 9.0\n.target sm_80\n.address_size 64\n"
         ".visible .entry k(.param .u64 x, .param .u64 y, .param .u32 stride, .param .u32 scale) "
         "{\n"
         ".reg .b32 %r<6>; .reg .b64 %rd<8>; .reg " +
         std::string(reg) +
         " %v<4>;\n"
         "mov.u32 %r1, %tid.x; ld.param.u32 %r2, [stride]; mul.lo.s32 %r3, %r1, %r2;\n"
         "ld.param.u32 %r4, [scale]; mul.lo.s32 %r5, %r1, %r4;\n"
         "cvt.s64.s32 %rd1, %r3; cvt.s64.s32 %rd4, %r5;\n"
         "ld.param.u64 %rd2, [x]; add.s64 %rd2, %rd2, %rd1; ld.param.u64 %rd3, [y]; add.s64 %rd3, "
         "%rd3, %rd4;\n"
         "ld.global." +
         std::string(width) + " %v1, [%rd2]; st.global." + std::string(width) +
         " [%rd3], %v1; ret; }\n";
}

TEST(MemoryAccess, StridesAndWidthsCopyAndCountSectors) {
  std::vector<uint32_t> words(32 * 64);
  for (size_t i = 0; i < words.size(); ++i) words[i] = static_cast<uint32_t>(i * 2654435761u);
  for (const uint32_t stride : {0u, 4u, 8u, 12u, 128u, 252u}) {
    Bench bench(CopyKernel("b32", ".b32"));
    const uint64_t x = bench.Upload(words, "x"), y = bench.Make(128, "y");
    const LaunchOutcome done = bench.Run("k", {1}, {32}, 0, x, y, stride, 4u);
    ASSERT_EQ(done.status, LaunchOutcome::Status::kOk) << done.message;
    const auto got = bench.Download<uint32_t>(y, 32);
    uint64_t sectors = 0, last = ~0ull;
    for (uint32_t i = 0; i < 32; ++i) {
      EXPECT_EQ(got[i], words[i * stride / 4]);
      const uint64_t sector = i * stride / 32;
      sectors += sector != last;
      last = sector;
    }
    EXPECT_EQ(done.counters.global_load_sectors, sectors) << stride;
    EXPECT_EQ(done.counters.global_store_sectors, 4u);
    EXPECT_EQ(done.counters.dram_sectors, sectors + 4);
    EXPECT_EQ(done.counters.global_requests, 2u);
    EXPECT_EQ(bench.HazardKinds(), "");
  }
  for (const auto& [width, reg, bytes] :
       std::vector<std::tuple<const char*, const char*, uint32_t>>{{"b8", ".b16", 1},
                                                                   {"u8", ".b32", 1},
                                                                   {"b16", ".b16", 2},
                                                                   {"u16", ".b32", 2},
                                                                   {"b64", ".b64", 8}}) {
    Bench bench(CopyKernel(width, reg));
    const uint64_t x = bench.Upload(words, "x"), y = bench.Make(32 * bytes, "y");
    const LaunchOutcome done = bench.Run("k", {1}, {32}, 0, x, y, bytes, bytes);
    ASSERT_EQ(done.status, LaunchOutcome::Status::kOk) << done.message;
    const auto got = bench.Download<uint8_t>(y, 32 * bytes);
    EXPECT_EQ(std::memcmp(got.data(), words.data(), got.size()), 0) << width;
    EXPECT_EQ(bench.HazardKinds(), "");
  }
}

TEST(MemoryAccess, LanesMayReachDifferentAllocationsOfOneWarp) {
  constexpr std::string_view kPtx = R"(
.version 9.0
.target sm_80
.address_size 64
.visible .entry k(.param .u64 x, .param .u64 y, .param .u64 z) {
.reg .pred %p1; .reg .b32 %r<6>; .reg .b64 %rd<8>;
mov.u32 %r1, %tid.x; and.b32 %r2, %r1, 1; setp.eq.s32 %p1, %r2, 0;
ld.param.u64 %rd1, [x]; ld.param.u64 %rd2, [y]; selp.b64 %rd3, %rd1, %rd2, %p1;
mul.wide.u32 %rd4, %r1, 4; add.s64 %rd5, %rd3, %rd4; ld.u32 %r3, [%rd5];
ld.param.u64 %rd6, [z]; add.s64 %rd7, %rd6, %rd4; st.global.u32 [%rd7], %r3; ret; }
)";
  Bench bench(kPtx);
  const uint64_t x = bench.Upload(std::vector<int>(32, 5), "x"),
                 y = bench.Upload(std::vector<int>(32, 9), "y"), z = bench.Make(128, "z");
  ASSERT_EQ(bench.Run("k", {1}, {32}, 0, x, y, z).status, LaunchOutcome::Status::kOk);
  const auto got = bench.Download<int>(z, 32);
  for (size_t i = 0; i < 32; ++i) EXPECT_EQ(got[i], i % 2 == 0 ? 5 : 9);
}

TEST(MemoryAccess, BankConflictsAreExtraWavefronts) {
  constexpr std::string_view kPtx = R"(
.version 9.0
.target sm_80
.address_size 64
.shared .align 16 .b8 tile[16384];
.visible .entry k(.param .u32 stride) {
.reg .b32 %r<6>;
mov.u32 %r1, %tid.x; ld.param.u32 %r2, [stride]; mul.lo.s32 %r3, %r1, %r2; mov.u32 %r4, tile; add.s32 %r4, %r4, %r3;
st.shared.u32 [%r4], %r1; ret; }
)";
  Bench bench(kPtx);
  for (const auto& [stride, extra] : std::vector<std::pair<uint32_t, uint64_t>>{
           {4, 0}, {8, 1}, {16, 3}, {128, 31}, {132, 0}, {0, 0}}) {
    const LaunchOutcome done = bench.Run("k", {1}, {32}, 0, stride);
    ASSERT_EQ(done.status, LaunchOutcome::Status::kOk);
    EXPECT_EQ(done.counters.shared_conflicts, extra) << stride;
    EXPECT_EQ(done.counters.shared_requests, 1u);
  }
}

}  // namespace
}  // namespace kw::eval
