// What a candidate can reach from its guest, while it is loaded and while it runs; and which layers
// this kernel has.
#include <gtest/gtest.h>
#include <unistd.h>

#include "candidate.h"
#include "eval/without_landlock.h"

namespace kw::eval {
namespace {

bool LayerActive(const std::string& name) {
  for (const CageLayer& layer : ProbeCage()) {
    if (layer.name == name) return layer.active;
  }
  return false;
}

uint32_t Bits(const std::vector<float>& told, size_t at) {
  return static_cast<uint32_t>(told[at]) | static_cast<uint32_t>(told[at + 1]) << 16;
}

TEST(Cage, RequiredLayersAreActive) {
  for (const CageLayer& layer : ProbeCage()) {
    EXPECT_TRUE(layer.active || !layer.required) << layer.name << ": " << layer.why;
    EXPECT_FALSE(layer.why.empty()) << layer.name;
  }
}

TEST(Cage, NothingIsInReachOfACandidate) {
  if (!HaveNvcc()) GTEST_SKIP() << "no nvcc on this machine";
  const auto device = TestDevice();
  auto opened = device->Open({ObjectOf("escapes"), ModeParameters(), 7});
  ASSERT_TRUE(opened && opened->session) << (opened ? opened->message : opened.error().ToString());
  auto done = opened->session->Call(ModeCall(0));
  ASSERT_TRUE(done && done->status == CallOutcome::Status::kOk) << done->message;
  const std::vector<float> told = Floats(done->outputs[0]);
  uint32_t expected = 0;
  // Root that cannot become another user stays root, without capabilities.
  if (getuid() == 0 && !LayerActive("user")) expected |= 1u << 30;
  EXPECT_EQ(Bits(told, 0), expected) << "while it was loaded";
  EXPECT_EQ(Bits(told, 2), expected) << "in run";
}

TEST(Cage, NothingIsInReachWithoutLandlockEither) {
  if (!HaveNvcc()) GTEST_SKIP() << "no nvcc on this machine";
  const std::string object = ObjectOf("escapes");
  EXPECT_TRUE(HoldsWithoutLandlock([&]() -> std::string {
    if (LayerActive("landlock")) return "Landlock is there";
    const auto device = TestDevice();
    auto opened = device->Open({object, ModeParameters(), 7});
    if (!opened || !opened->session) return "the session does not open";
    auto done = opened->session->Call(ModeCall(0));
    if (!done || done->status != CallOutcome::Status::kOk) return "the call fails";
    const std::vector<float> told = Floats(done->outputs[0]);
    const uint32_t root = getuid() == 0 && !LayerActive("user") ? 1u << 30 : 0;
    if (Bits(told, 0) == root && Bits(told, 2) == root) return "";
    return std::to_string(Bits(told, 0)) + " while loading, " + std::to_string(Bits(told, 2)) +
           " in run";
  }));
}

TEST(Cage, AnObjectWithAnIndirectFunctionIsRefused) {
  if (!HaveNvcc()) GTEST_SKIP() << "no nvcc on this machine";
  const std::string rest =
      "__global__ void tell(float* y, float v) { y[threadIdx.x] = v; }\n"
      "static float one() { return 1.0f; }\n"
      "extern \"C\" float (*resolve())() { return one; }\n"
      "extern \"C\" void run(const float* x, float* y, long n, long, cudaStream_t s) {\n"
      "  tell<<<1, 32, 0, s>>>(y, answer());\n"
      "}\n";
  for (const std::string declared : {"extern \"C\"", "static"}) {
    const std::string source = declared + " float answer() __attribute__((ifunc(\"resolve\")));\n";
    auto opened = TestDevice()->Open({ObjectOfSource(source + rest), ModeParameters(), 7});
    ASSERT_TRUE(opened) << opened.error().ToString();
    EXPECT_FALSE(opened->session);
    EXPECT_FALSE(opened->unsupported);
    EXPECT_NE(opened->message.find("make it an ordinary function"), std::string::npos)
        << opened->message;
    EXPECT_EQ(opened->message.find("'answer'") != std::string::npos, declared != "static")
        << opened->message;
  }
}

TEST(Cage, ConstructorsRunInTheirOrder) {
  if (!HaveNvcc()) GTEST_SKIP() << "no nvcc on this machine";
  const auto device = TestDevice();
  const std::string source =
      "#include <string>\n"
      "__global__ void tell(float* y, float v) { y[threadIdx.x] = v; }\n"
      "static int order = 0;\n"
      "__attribute__((constructor(300))) static void Second() { order = order * 10 + 2; }\n"
      "__attribute__((constructor(200))) static void First() { order = order * 10 + 1; }\n"
      "static std::string* text = new std::string(std::to_string(order = order * 10 + 3));\n"
      "extern \"C\" void run(const float* x, float* y, long n, long, cudaStream_t s) {\n"
      "  tell<<<1, 32, 0, s>>>(y, std::stof(*text));\n"
      "}\n";
  auto opened = device->Open({ObjectOfSource(source), ModeParameters(), 7});
  ASSERT_TRUE(opened && opened->session) << (opened ? opened->message : opened.error().ToString());
  auto done = opened->session->Call(ModeCall(0, 32));
  ASSERT_TRUE(done && done->status == CallOutcome::Status::kOk) << done->message;
  EXPECT_EQ(Floats(done->outputs[0])[0], 123.0f);
}

TEST(Cage, ALibraryBesidesTheStandardOnesIsNamed) {
  if (!HaveNvcc()) GTEST_SKIP() << "no nvcc on this machine";
  const auto device = TestDevice();
  const std::string source =
      "__global__ void k(float* y) { y[0] = 1; }\n"
      "extern \"C\" void gzclose(void*);\n"
      "extern \"C\" void run(const float* x, float* y, long n, long, cudaStream_t s) {\n"
      "  if (n < 0) gzclose(y);\n  k<<<1, 1, 0, s>>>(y);\n}\n";
  auto opened = device->Open({ObjectOfSource(source, "-l:libz.so.1"), ModeParameters(), 7});
  ASSERT_TRUE(opened);
  EXPECT_FALSE(opened->session);
  EXPECT_NE(opened->message.find("needs the library libz.so.1"), std::string::npos)
      << opened->message;
}

}  // namespace
}  // namespace kw::eval
