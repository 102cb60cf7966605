#include "src/eval/build/readable.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace kw::eval {
namespace {

const std::vector<std::string> kReadable = {"/usr", "/opt/cuda/include"};

TEST(Readable, FilesOfTheToolkitAndOfTheScratchFolderAreNoForeigners) {
  EXPECT_EQ(
      ForeignFile("# 1 \"kernel.cu\"\n# 1 \"<built-in>\" 1\n# 3 \"/usr/include/math.h\" 1 3\n"
                  "# 9 \"/opt/cuda/include/cuda.h\"\n# 2 \"/scratch/x/kernel.cu\" 2\nint a;\n",
                  kReadable, "/scratch/x"),
      std::nullopt);
}

TEST(Readable, AFileFromElsewhereIsNamed) {
  for (const char* file : {"/etc/passwd", "/usrlocal/x.h", "/usr/../etc/shadow", "../other/x.h",
                           "/opt/cuda/secret.h"}) {
    const auto found = ForeignFile("int a;\n# 1 \"" + std::string(file) + "\" 1\nroot:x:0:0\n",
                                   kReadable, "/scratch/x");
    EXPECT_EQ(found, file);
  }
}

TEST(Readable, TheAssemblersDirectivesAreNamed) {
  EXPECT_EQ(ForeignFile("asm(\".incbin \\\"/etc/passwd\\\"\");\n", kReadable, "/s"), ".incbin");
  EXPECT_EQ(ForeignFile("asm(\".include \\\"/etc/passwd\\\"\");\n", kReadable, "/s"), ".include");
}

TEST(Readable, OnlyRefusalsAreExplained) {
  EXPECT_NE(ExplainRefusedFile("passwd: Permission denied"), std::nullopt);
  EXPECT_NE(ExplainRefusedFile("file not found: passwd"), std::nullopt);
  EXPECT_TRUE(RefusedByAssembler("ccX.s: Assembler messages:\nccX.s:4: Error: can't open "
                                 "/home/me/secret.h for reading: Permission denied\n")
                  ->starts_with("secret.h: "));
  EXPECT_EQ(RefusedByAssembler("ccX.s:4: Error: no such instruction: `bogus'\n"), std::nullopt);
  EXPECT_EQ(ExplainRefusedFile("missing.h: No such file or directory"), std::nullopt);
}

TEST(Readable, AToolchainInABinFolderBringsWhatLiesBesideIt) {
  Toolchain toolchain;
  toolchain.info.nvcc_path = "/home/someone/cuda/bin/nvcc";
  toolchain.info.gxx_path = "/home/someone/wrappers/g++";
  const std::vector<std::string> readable = ReadableBy(toolchain);
  const auto has = [&](const char* path) {
    return std::find(readable.begin(), readable.end(), path) != readable.end();
  };
  EXPECT_TRUE(has("/home/someone/cuda/bin"));
  EXPECT_TRUE(has("/home/someone/cuda/nvvm"));
  EXPECT_TRUE(has("/home/someone/wrappers"));
  EXPECT_FALSE(has("/home/someone/cuda"));
  EXPECT_FALSE(has("/home/someone/include"));
}

}  // namespace
}  // namespace kw::eval
