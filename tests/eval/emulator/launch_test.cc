// Launches of kernels.ptx (nvcc's output for data/kernels.cu), object files, device sheets.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "ptx_source.h"
#include "src/eval/emulator/program.h"

namespace kw::eval {
namespace {

using Status = LaunchOutcome::Status;

const std::string& Kernels() {
  static const std::string text =
      ReadFile(std::string(KW_SOURCE_DIR) + "/tests/eval/emulator/data/kernels.ptx").value_or("");
  return text;
}

TEST(Launch, SoftmaxRowsSumToOneOnBothBuildsAlike) {
  std::vector<float> x(6 * 77);
  for (size_t i = 0; i < x.size(); ++i) x[i] = std::sin(static_cast<float>(i) * 1.7f) * 3;
  std::vector<float> results[2];
  for (const bool vectors : {false, true}) {
    emu::SetVectorHandlers(vectors);
    Bench bench(Kernels());
    const uint64_t out = bench.Make(x.size() * 4, "y");
    const LaunchOutcome done = bench.Run("softmax", {6}, {256}, 0, bench.Upload(x, "x"), out, 77);
    ASSERT_EQ(done.status, Status::kOk) << done.message;
    EXPECT_EQ(bench.HazardKinds(), "");
    results[vectors ? 1 : 0] = bench.Download<float>(out, x.size());
    EXPECT_EQ(done.counters.barriers, 18u);
    EXPECT_GT(done.counters.fp32, 0u);
    EXPECT_GT(done.counters.special, 0u);
    EXPECT_GT(done.counters.lane_instructions, 6u * 256 * 50);
  }
  emu::SetVectorHandlers(true);
  EXPECT_EQ(results[0], results[1]);
  for (size_t r = 0; r < 6; ++r) {
    double sum = 0;
    for (size_t c = 0; c < 77; ++c) sum += results[0][r * 77 + c];
    EXPECT_NEAR(sum, 1, 1e-6);
  }
}

TEST(Launch, EverythingIsAFunctionOfTheSeed) {
  const auto run = [](uint64_t seed) {
    Bench bench(Kernels(), seed);
    const uint64_t a = bench.Upload(std::vector<float>(64 * 64, 1.5f), "a"),
                   c = bench.Make(64 * 64 * 4, "c");
    const LaunchOutcome done = bench.Run("matmul_tiled", {4, 4}, {16, 16}, 0, a, a, c, 64);
    EXPECT_EQ(done.status, Status::kOk);
    EXPECT_EQ(bench.HazardKinds(), "");
    return std::tuple(bench.Download<float>(c, 64 * 64), done.counters.lane_instructions,
                      done.counters.global_load_sectors, done.counters.dram_sectors, a);
  };
  EXPECT_EQ(run(1), run(1));
  EXPECT_EQ(std::get<0>(run(1)), std::get<0>(run(2)));
  EXPECT_NE(std::get<4>(run(1)), std::get<4>(run(2)));
  EXPECT_EQ(std::get<2>(run(1)), std::get<2>(run(3)));
}

TEST(Launch, KernelFactsAndVariables) {
  Bench bench(Kernels());
  const auto info = bench.gpu.FindKernel(bench.module, "matmul_tiled");
  ASSERT_TRUE(info.has_value());
  EXPECT_EQ(info->parameter_bytes, 28u);
  EXPECT_EQ(info->static_shared, 2048u);
  ASSERT_EQ(info->parameters.size(), 4u);
  EXPECT_EQ(info->parameters[3], (std::pair<uint32_t, uint32_t>(24, 4)));
  EXPECT_FALSE(bench.gpu.FindKernel(bench.module, "nothing").has_value());
  EXPECT_FALSE(bench.gpu.FindKernel(7, "softmax").has_value());
  Bench with(
      ".version 9.0\n.target sm_80\n.address_size 64\n.const .align 4 .b8 c[8] = {1,2,3};\n"
      ".global .align 8 .u64 g;\n");
  const auto found = with.gpu.FindGlobal(with.module, "c");
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->second, 8u);
  EXPECT_THAT(with.Download<uint8_t>(found->first, 4), testing::ElementsAre(1, 2, 3, 0));
  EXPECT_FALSE(with.gpu.FindGlobal(with.module, "d").has_value());
  EXPECT_EQ(with.gpu.live_bytes(), 0u);
}

TEST(Launch, ShortParameterBlocksAreRefused) {
  Bench bench(Kernels());
  EXPECT_EQ(bench.RunPacked("softmax", {1}, {32}, 0, "1234").status, Status::kInvalidLaunch);
}

// ---- object files ----

// A small ELF with one fat binary, as nvcc lays them out.
// `entries` times the same PTX, of which each claims `plain_bytes` where that is not 0 and the PTX
// is a zstd frame.
std::string Object(std::string_view ptx, uint32_t wrapper_version = 1, int entries = 1,
                   uint64_t plain_bytes = 0) {
  std::string image;
  const auto put = [](std::string* to, uint64_t value, size_t bytes) {
    for (size_t i = 0; i < bytes; ++i) to->push_back(static_cast<char>(value >> (8 * i)));
  };
  std::string entry;
  for (int i = 0; i < entries; ++i) {
    put(&entry, 1, 2), put(&entry, 0x101, 2), put(&entry, 64, 4), put(&entry, ptx.size(), 8);
    put(&entry, ptx.size(), 24), put(&entry, plain_bytes == 0 ? 0x11 : 0x8011, 8);
    put(&entry, 0, 8), put(&entry, plain_bytes, 8);
    entry += ptx;
  }
  put(&image, 0xBA55ED50, 4), put(&image, 1, 2), put(&image, 16, 2), put(&image, entry.size(), 8);
  image += entry;
  const std::string names = std::string("\0.nv_fatbin\0.nvFatBinSegment\0.shstrtab\0", 39);
  constexpr uint64_t kAddress = 0x4000;
  std::string wrapper;
  put(&wrapper, 0x466243b1, 4), put(&wrapper, wrapper_version, 4), put(&wrapper, kAddress, 8),
      put(&wrapper, 0, 8);
  std::string file("\177ELF\2\1\1", 7);
  file.resize(0x28);
  const uint64_t image_at = 64, wrapper_at = image_at + image.size(), names_at = wrapper_at + 24;
  const uint64_t table = names_at + names.size();
  put(&file, table, 8);
  put(&file, 0, 10);
  put(&file, 64, 2), put(&file, 4, 2), put(&file, 3, 2);
  file += image + wrapper + names;
  const auto section = [&](uint32_t name, uint32_t type, uint64_t address, uint64_t offset,
                           uint64_t size) {
    put(&file, name, 4), put(&file, type, 4), put(&file, 0, 8), put(&file, address, 8);
    put(&file, offset, 8), put(&file, size, 8), put(&file, 0, 24);
  };
  section(0, 0, 0, 0, 0);
  section(1, 1, kAddress, image_at, image.size());
  section(12, 1, 0x8000, wrapper_at, 24);
  section(29, 3, 0, names_at, names.size());
  return file;
}

TEST(FatBinary, FindsPtxOfVersionOneWrappersOnly) {
  const auto images = ReadPtxImages(Object("hello ptx"));
  ASSERT_TRUE(images.has_value()) << images.error().ToString();
  EXPECT_THAT(*images, testing::ElementsAre("hello ptx"));
  EXPECT_THAT(*ReadPtxImages(Object("hello ptx", 2)), testing::IsEmpty());
}

// A frame of no content and unknown size: the smallest that may claim to become 16 MiB.
TEST(FatBinary, ManyEntriesOfFewBytesCannotClaimMuchMemory) {
  const std::string frame("\x28\xb5\x2f\xfd\x00\x58\x01\x00\x00", 9);
  EXPECT_THAT(*ReadPtxImages(Object(frame, 1, 4, 16 << 20)), testing::ElementsAre("", "", "", ""));
  const auto many = ReadPtxImages(Object(frame, 1, 5, 16 << 20));
  ASSERT_FALSE(many.has_value());
  EXPECT_THAT(many.error().message, testing::HasSubstr("64 MiB"));
  EXPECT_FALSE(ReadPtxImages(Object("", 1, 70'000)).has_value());
}

TEST(FatBinary, EveryCutAndEveryFlippedByteIsAnErrorOrAnAnswer) {
  const std::string object = Object("hello ptx");
  for (size_t n = 0; n < object.size(); ++n) {
    // The last 24 bytes of the last section header say nothing that is needed.
    const auto cut = ReadPtxImages(std::string_view(object).substr(0, n));
    if (n < object.size() - 24) {
      ASSERT_FALSE(cut.has_value()) << n;
      EXPECT_EQ(cut.error().code, ErrorCode::kParse);
    }
    for (const char flip : {'\xff', '\x80', '\1'}) {
      std::string changed = object;
      changed[n] = static_cast<char>(changed[n] ^ flip);
      const auto images = ReadPtxImages(changed);
      if (images) {
        EXPECT_LE(images->size(), 4u);
      }
    }
  }
  EXPECT_FALSE(ReadPtxImages("").has_value());
}

// ---- device sheets ----

TEST(DeviceSheets, AllLoadAndMakeSense) {
  const std::string folder = std::string(KW_SOURCE_DIR) + "/data/devices";
  const auto files = ListDirectory(folder);
  ASSERT_TRUE(files.has_value());
  EXPECT_GE(files->size(), 11u);
  for (const std::string& file : *files) {
    const auto sheet = LoadDeviceSheet(folder, file.substr(0, file.size() - 5));
    ASSERT_TRUE(sheet.has_value()) << sheet.error().ToString();
    EXPECT_EQ(sheet->name + ".toml", file);
    // Two flops a cycle and lane: 64 or 128 lanes an SM.
    const double lanes = sheet->fp32_tflops * 1e3 / (2 * sheet->clock_ghz * sheet->sm_count);
    EXPECT_GT(lanes, 55) << file;
    EXPECT_LT(lanes, 145) << file;
    EXPECT_GE(sheet->tensor_fp16_tflops, sheet->fp16_tflops) << file;
    EXPECT_GT(sheet->l2_gbps, sheet->dram_gbps) << file;
    EXPECT_GE(sheet->shared_per_sm, sheet->shared_per_block_optin) << file;
    EXPECT_EQ(sheet->hash.size(), 32u);
  }
}

TEST(DeviceSheets, ErrorsNameTheNearest) {
  const std::string folder = std::string(KW_SOURCE_DIR) + "/data/devices";
  const auto typo = LoadDeviceSheet(folder, "a100_smx4");
  ASSERT_FALSE(typo.has_value());
  EXPECT_THAT(typo.error().ToString(), testing::HasSubstr("a100_sxm4"));
  auto scratch = ScratchDirectory::Make("sheets");
  ASSERT_TRUE(scratch.has_value());
  const std::string good = *ReadFile(folder + "/t4.toml");
  const auto with = [&](const std::string& text) {
    EXPECT_TRUE(WriteFileAtomic(scratch->path() + "/x.toml", text).has_value());
    const auto sheet = LoadDeviceSheet(scratch->path(), "x");
    return sheet ? std::string("none") : sheet.error().ToString();
  };
  EXPECT_EQ(with(good), "none");
  EXPECT_THAT(with(good + "sm_counts = 3\n"), testing::HasSubstr("sm_count"));
  EXPECT_THAT(with("title = \"x\"\n"), testing::HasSubstr("is missing"));
  std::string worded = good;
  worded.replace(worded.find("sm = 75"), 7, "sm = \"75\"");
  EXPECT_THAT(with(worded), testing::HasSubstr("'sm'"));
  EXPECT_THAT(with("sm = \n"), testing::HasSubstr(":1:"));
}

// A second block finds in its registers what the first one left: that must not look like zero.
TEST(Launch, ARegisterThatNobodyWroteHoldsNoNumber) {
  Bench bench(R"(
    .version 8.0
    .target sm_80
    .address_size 64
    .visible .entry unwritten(.param .u64 out) {
      .reg .f32 %f<4>;
      .reg .b32 %r<2>;
      .reg .b64 %rd<4>;
      .reg .pred %p<2>;
      ld.param.u64 %rd1, [out];
      cvta.to.global.u64 %rd1, %rd1;
      mov.u32 %r1, %ctaid.x;
      mul.wide.u32 %rd2, %r1, 4;
      add.s64 %rd1, %rd1, %rd2;
      mov.f32 %f2, 0f00000000;
      fma.rn.f32 %f3, %f1, %f2, %f2;
      st.global.f32 [%rd1], %f3;
      mov.f32 %f1, 0f3F800000;
      st.global.f32 [%rd1+16], %f1;
      ret;
    })");
  const uint64_t out = bench.Make(32, "out");
  const LaunchOutcome done = bench.Run("unwritten", {4}, {1}, 0, out);
  ASSERT_EQ(done.status, Status::kOk) << done.message;
  const std::vector<float> values = bench.Download<float>(out, 8);
  for (size_t block = 0; block < 4; ++block) {
    EXPECT_TRUE(std::isnan(values[block])) << "0 times what nobody wrote, in block " << block;
    EXPECT_EQ(values[4 + block], 1.0f);
  }
}

}  // namespace
}  // namespace kw::eval
