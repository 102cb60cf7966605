#include "ptx_source.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

namespace kw::eval {

std::string CompilePtx(std::string_view source, std::string_view arch,
                       std::vector<std::string> flags) {
  auto scratch = ScratchDirectory::Make("emulator-test");
  EXPECT_TRUE(scratch.has_value());
  if (!scratch) return "";
  const std::string cu = scratch->path() + "/test.cu", ptx = scratch->path() + "/test.ptx";
  EXPECT_TRUE(WriteFileAtomic(cu, source).has_value());
  std::string command =
      "PATH=$PATH:/usr/local/cuda/bin nvcc -std=c++17 -ptx -lineinfo -arch=compute_" +
      std::string(arch) + " -o " + ptx + " " + cu;
  for (const std::string& flag : flags) command += " " + flag;
  EXPECT_EQ(std::system(command.c_str()), 0) << command;
  auto text = ReadFile(ptx);
  EXPECT_TRUE(text.has_value());
  return text.value_or("");
}

namespace {

DeviceSheet TestSheet() {
  DeviceSheet sheet;
  sheet.name = "test";
  sheet.memory_bytes = int64_t{1} << 32;
  return sheet;
}

}  // namespace

Bench::Bench(std::string_view ptx, uint64_t seed, int threads)
    : gpu(TestSheet(), seed, Emulator::Checks::kAll, threads) {
  gpu.SetBudget(uint64_t{1} << 34);
  const Result<int> loaded = gpu.LoadModule(ptx);
  EXPECT_TRUE(loaded.has_value()) << (loaded ? "" : loaded.error().ToString());
  module = loaded.value_or(-1);
}

uint64_t Bench::Make(uint64_t bytes, std::string name) {
  const Result<uint64_t> at = gpu.Allocate(bytes, std::move(name));
  EXPECT_TRUE(at.has_value());
  return at.value_or(0);
}

void Bench::Put(uint64_t at, std::string_view bytes) {
  EXPECT_TRUE(gpu.Write(at, bytes).has_value());
}
void Bench::Get(uint64_t at, char* to, uint64_t bytes) {
  EXPECT_TRUE(gpu.Read(at, to, bytes).has_value());
}

LaunchOutcome Bench::RunPacked(const std::string& kernel, Dim3 grid, Dim3 block, uint32_t shared,
                               std::string packed) {
  LaunchRequest request;
  request.module = module;
  request.kernel = kernel;
  request.grid = grid;
  request.block = block;
  request.dynamic_shared = shared;
  request.parameters = std::move(packed);
  request.cooperative = cooperative;
  return gpu.Launch(request);
}

std::string Bench::HazardKinds() {
  std::string kinds;
  last_hazards = gpu.TakeHazards();
  for (const Hazard& hazard : last_hazards) {
    if (!kinds.empty()) kinds += " ";
    kinds += hazard.kind;
  }
  return kinds;
}

uint16_t ToHalf(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, 4);
  const uint16_t sign = static_cast<uint16_t>(bits >> 16 & 0x8000);
  bits &= 0x7fffffff;
  if (bits >= 0x47800000)
    return static_cast<uint16_t>(sign | (bits > 0x7f800000 ? 0x7e00 : 0x7c00));
  if (bits < 0x38800000) {
    float magnitude;
    std::memcpy(&magnitude, &bits, 4);
    return static_cast<uint16_t>(sign |
                                 static_cast<uint16_t>(__builtin_rintf(magnitude * 0x1p24f)));
  }
  bits += 0xfff + (bits >> 13 & 1);
  return static_cast<uint16_t>(sign | (bits - 0x38000000) >> 13);
}

float FromHalf(uint16_t bits) {
  const int e = bits >> 10 & 31, m = bits & 1023;
  float v = e == 0    ? static_cast<float>(m) * 0x1p-24f
            : e == 31 ? (m ? __builtin_nanf("") : __builtin_inff())
                      : static_cast<float>(__builtin_ldexp(1024 + m, e - 25));
  return bits & 0x8000 ? -v : v;
}

std::vector<float> Normal(size_t n, uint32_t seed) {
  std::mt19937 gen(seed);
  std::normal_distribution<float> normal;
  std::vector<float> v(n);
  for (float& x : v) x = normal(gen);
  return v;
}

}  // namespace kw::eval
