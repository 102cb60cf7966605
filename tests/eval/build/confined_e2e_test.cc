// A compiler reads the toolkit and its scratch folder: what else a source names is refused, and
// never quoted.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>

#include "eval/without_landlock.h"
#include "kw/base/confine.h"
#include "kw/base/file.h"
#include "kw/eval/build.h"

namespace kw::eval {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr char kSecret[] = "the_content_of_a_file_of_this_user";
constexpr char kKernel[] =
    "__global__ void k(float* y) { y[0] = 1; }\n"
    "extern \"C\" void run(float* y, cudaStream_t s) { k<<<1, 1, 0, s>>>(y); }\n";

class Confined : public testing::Test {
 protected:
  void SetUp() override {
    if (builder_.toolchain().nvcc_path.empty()) GTEST_SKIP() << "there is no nvcc";
    if (LandlockVersion() == 0) GTEST_SKIP() << "this kernel has no Landlock";
    ASSERT_TRUE(WriteFileAtomic(secret_, std::string(kSecret) + "\n"));
  }
  // Refused, in words for the author, and nothing of the file is in them.
  std::string Refusal(const std::string& source) {
    const Result<BuildOutcome> outcome = builder_.BuildCandidate(source, {});
    EXPECT_TRUE(outcome) << (outcome ? "" : outcome.error().ToString());
    if (!outcome) return "";
    EXPECT_FALSE(outcome->ok) << source;
    EXPECT_EQ(outcome->reason, "compile_error");
    EXPECT_THAT(outcome->feedback, Not(HasSubstr(kSecret)));
    EXPECT_THAT(outcome->feedback, Not(HasSubstr("root:")));
    return outcome->feedback;
  }

  ScratchDirectory folder_ = *ScratchDirectory::Make("confined");
  std::string secret_ = folder_.path() + "/secret.h";
  Builder builder_ = *Builder::Make({.cache = folder_.path() + "/a cache 'with' \"quotes\""});
};

TEST_F(Confined, IncludesOutsideTheToolkitAreRefused) {
  for (const std::string& file :
       {std::string("/etc/passwd"), std::string("/dev/zero"), std::string("/proc/self/environ"),
        std::string("/proc/self/maps"), secret_, "../../../../../../../../.." + secret_}) {
    EXPECT_THAT(Refusal("#include \"" + file + "\"\n" + kKernel),
                HasSubstr("headers of the CUDA toolkit"))
        << file;
  }
}

TEST_F(Confined, IncludesMadeByMacrosAreRefused) {
  EXPECT_THAT(Refusal("#define TEXT(x) #x\n#define PATH(x) TEXT(x)\n#include PATH(" + secret_ +
                      ")\n" + kKernel),
              HasSubstr("headers of the CUDA toolkit"));
}

TEST_F(Confined, AskingForAFileTellsNothingOfIt) {
  const std::string there =
      Refusal("#if __has_include(\"" + secret_ + "\")\n#error there\n#endif\n" + kKernel);
  EXPECT_THAT(there, HasSubstr("headers of the CUDA toolkit"));
}

TEST_F(Confined, TheAssemblerReadsNoFileEither) {
  for (const char* directive : {".incbin", ".include"}) {
    EXPECT_THAT(
        Refusal("asm(\"" + std::string(directive) + " \\\"" + secret_ + "\\\"\");\n" + kKernel),
        HasSubstr("headers of the CUDA toolkit"))
        << directive;
  }
}

TEST_F(Confined, InlinePtxReadsNoFile) {
  Refusal("__global__ void k(float* y) { asm(\".include \\\"" + secret_ +
          "\\\"\"); y[0] = 1; }\n"
          "extern \"C\" void run(float* y, cudaStream_t s) { k<<<1, 1, 0, s>>>(y); }\n");
}

TEST_F(Confined, AReferenceIsCompiledTheSameWay) {
  const Result<BuildOutcome> outcome =
      builder_.BuildReference("#include \"" + secret_ + "\"\nextern \"C\" void reference() {}\n");
  ASSERT_TRUE(outcome);
  EXPECT_FALSE(outcome->ok);
  EXPECT_THAT(outcome->feedback, HasSubstr("headers of the CUDA toolkit"));
  EXPECT_THAT(outcome->feedback, Not(HasSubstr(kSecret)));
}

TEST_F(Confined, LibrariesOfTheToolkitAreInReach) {
  const Result<BuildOutcome> outcome = builder_.BuildCandidate(
      std::string("#include <cub/block/block_reduce.cuh>\n#include <cuda_fp16.h>\n"
                  "#include <vector>\n#include <cmath>\n") +
          kKernel,
      {});
  ASSERT_TRUE(outcome);
  EXPECT_TRUE(outcome->ok) << outcome->feedback;
}

TEST_F(Confined, ScratchFoldersMayHaveSpacesAndQuotes) {
  const std::string place = folder_.path() + "/scratch with 'one' and \"two\" quotes";
  ASSERT_TRUE(MakeDirectories(place));
  const char* before = std::getenv("TMPDIR");
  const std::string old = before == nullptr ? "" : before;
  setenv("TMPDIR", place.c_str(), 1);
  const Result<BuildOutcome> outcome = builder_.BuildCandidate(kKernel, {});
  if (before == nullptr) unsetenv("TMPDIR");
  if (before != nullptr) setenv("TMPDIR", old.c_str(), 1);
  ASSERT_TRUE(outcome) << outcome.error().ToString();
  EXPECT_TRUE(outcome->ok) << outcome->feedback;
}

// The older way: what preprocessors wrote is looked through before anything else reads it.
TEST_F(Confined, WithoutLandlockForeignFilesAreFoundAfterwards) {
  EXPECT_TRUE(HoldsWithoutLandlock([&]() -> std::string {
    for (const std::string& source :
         {"#include \"/etc/passwd\"\n" + std::string(kKernel),
          "#define TEXT(x) #x\n#define PATH(x) TEXT(x)\n#include PATH(" + secret_ + ")\n" + kKernel,
          "asm(\".incbin \\\"/etc/passwd\\\"\");\n" + std::string(kKernel)}) {
      const Result<BuildOutcome> outcome = builder_.BuildCandidate(source, {});
      if (!outcome) return outcome.error().ToString();
      if (outcome->ok || outcome->reason != "compile_error") return "built: " + source;
      if (outcome->feedback.find("headers of the CUDA toolkit") == std::string::npos ||
          outcome->feedback.find(kSecret) != std::string::npos) {
        return outcome->feedback;
      }
    }
    const Result<BuildOutcome> reference =
        builder_.BuildReference("#include \"" + secret_ + "\"\nextern \"C\" void reference() {}\n");
    if (!reference) return reference.error().ToString();
    if (reference->ok || reference->feedback.find(kSecret) != std::string::npos) {
      return "reference: " + reference->feedback;
    }
    const Result<BuildOutcome> good =
        builder_.BuildCandidate("#include <vector>\n" + std::string(kKernel), {});
    return good && good->ok ? "" : "an honest source was refused";
  }));
}

TEST_F(Confined, AGibibyteOfSourceIsRefusedAtOnce) {
  EXPECT_THAT(Refusal(std::string(1 << 30, ' ')), HasSubstr("1073741824 bytes; at most 4194304"));
}

}  // namespace
}  // namespace kw::eval
