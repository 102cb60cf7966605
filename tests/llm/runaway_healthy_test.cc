// Texts that repeat themselves for a reason, and the loops that hide beside them.
#include <gtest/gtest.h>

#include <filesystem>

#include "guarded_text.h"
#include "llm/author_prompts.h"

namespace kw::llm {
namespace {

using guard_test::EachByte;
using guard_test::EveryCut;
using guard_test::Pieces;
using guard_test::Show;
using guard_test::Times;
using guard_test::TokenLike;
using guard_test::Watch;
using guard_test::Watched;

void ExpectHealthy(const std::string& text, const std::string& name) {
  for (const Pieces& pieces : EveryCut(text, 41)) {
    const std::optional<FoundLoop> loop = Watch(pieces).loop;
    EXPECT_FALSE(loop) << name << ": " << Show(loop);
    if (loop) return;
  }
}

// A loop that is found after so many repeats of the unit, counted where it begins in the text.
void ExpectLoopAfter(int64_t repeats, const std::string& before, const std::string& unit) {
  const std::string text = before + Times(unit, repeats + 20);
  for (const Pieces& pieces : {EachByte(text), TokenLike(text)}) {
    const Watched watched = Watch(pieces);
    ASSERT_TRUE(watched.loop) << before << unit;
    EXPECT_LE(watched.fed, before.size() + (static_cast<size_t>(repeats) + 1) * unit.size() + 8)
        << before << unit << Show(watched.loop);
    EXPECT_GE(watched.fed + unit.size(), before.size() + static_cast<size_t>(repeats) * unit.size())
        << before << unit << Show(watched.loop);
    EXPECT_LE(watched.loop->kept_bytes, before.size() + 4 * unit.size());
  }
}

constexpr std::string_view kFence = "```cuda\n#include <cuda_runtime.h>\n";

TEST(RunawayHealthy, InitialisersUpToTheirBound) {
  struct Array {
    std::string declaration, element;
    int64_t bound;
  };
  const std::vector<Array> arrays = {
      {"__constant__ float t[256] = {", "0.0f, ", 256},
      {"static const int32_t t[64]={", "-1,", 64},
      {"float t[16][16] = {\n", "0.0f, ", 256},
      {"#define N 48\n#define M (2 * 16)\n__device__ float t[N][M] = {", "1.f, ", 48 * 32},
      {"constexpr int kSize = 128;\nconst half table[kSize] = {", "kZero, ", 128},
      {"enum { kRows = 20, kColumns = 30 };\nint t[kRows * kColumns] = {", "kNone, ", 600},
      {"float4 t[32] = {", "0.25f, ", 128},
      {"uint8_t t[0x80] {", "0xFF, ", 128},
      {"std::array<float, 200> t = {", "0.5f, ", 200},
      {"std::array<std::array<int, 10>, 10> t{{", "7, ", 100},
      {"float x = 1; float t[1'000] = {  // \"{\n", "x, ", 1000},
  };
  for (const Array& array : arrays) {
    const std::string before = std::string(kFence) + array.declaration;
    ExpectHealthy(before + Times(array.element, array.bound) + "};\n```\n", array.declaration);
    ExpectLoopAfter(array.bound + 1, before, array.element);
  }
}

TEST(RunawayHealthy, InitialisersWithoutABoundUpToFourThousand) {
  for (const std::string declaration :
       {"float t[] = {", "std::vector<int> v = {", "std::vector<int> v{", "Table t[64] = {",
        "float t[UNKNOWN] = {", "int t[N + 1] = {", "fill({", "return {", "f(a, {",
        "const float values[][4] = {", "auto t = {"}) {
    const std::string before = std::string(kFence) + declaration;
    ExpectHealthy(before + Times("zero, ", 4096) + "};\n", declaration);
    ExpectLoopAfter(4097, before, "zero, ");
  }
}

TEST(RunawayHealthy, InitialisersOfSeveralLinesAndRows) {
  std::string table = std::string(kFence) + "__constant__ float kTable[64][16] = {\n";
  for (int row = 0; row < 64; ++row) {
    table += "    {" + Times("0.0f, ", 15) + "0.0f},  // row\n";
  }
  ExpectHealthy(table + "};\n```\n", "rows");
  std::string flat = std::string(kFence) + "const int kMask[32 * 32] = {\n";
  for (int row = 0; row < 64; ++row) flat += "    " + Times("ON, ", 16) + "\n";
  ExpectHealthy(flat + "};\n", "lines");
  std::string identity = "float e[32][32] = {";
  for (int i = 0; i < 1024; ++i) identity += i % 33 == 0 ? "one, " : "nil, ";
  ExpectHealthy(identity + "};\n", "identity");
}

TEST(RunawayHealthy, WhatIsNoInitialiserHasNoBound) {
  for (const std::string before :
       {"__global__ void f(float t[256]) {\n", "auto f = [&](int i) {", "struct Table {",
        "if (t[256] == 0) {", "float t[256] = {0};\n", "float t[256] = {1, 2, 3};\nint x = ",
        "[&t]{", "float t[256] = { f(0); ", "// float t[256] = {\n", "\"float t[256] = {\" ",
        "float t[256] = {\n```\nThat was it.\n"}) {
    ExpectLoopAfter(12, std::string(kFence) + before, "next, ");
  }
}

TEST(RunawayHealthy, LoopsWithoutElementsAreLoopsInsideAListToo) {
  const std::string list = std::string(kFence) + "float t[] = {1, 2, 3";
  ExpectLoopAfter(12, list, "\n");
  ExpectLoopAfter(12, list, " and the");
  ExpectLoopAfter(12, list, ", 0};\nint y[] = {1");
  ExpectLoopAfter(12, list, "```\n```cuda\n");
  ExpectLoopAfter(12, list, "0;\nx, ");
}

TEST(RunawayHealthy, RulersAndPaddingUpToFiveHundredCharacters) {
  for (const std::string unit : {"-",    "=",     "*",  "/",  "#",
                                 "~",    "_",     ".",  "-=", "- ",
                                 "+---", "---|",  " ",  "\t", "\xE2\x94\x80",
                                 "| ",   "}",     ")",  "0",  "F",
                                 "01",   "m",     "0'", "0 ", "0.0, ",
                                 "%f ",  "\\x00", "<>"}) {
    ExpectHealthy("// " + Times(unit, 300 / static_cast<int64_t>(unit.size())) + "\nint x;\n",
                  unit);
    const std::string text = "// " + Times(unit, 5000);
    for (const Pieces& pieces : {EachByte(text), TokenLike(text)}) {
      const Watched watched = Watch(pieces);
      ASSERT_TRUE(watched.loop) << unit;
      EXPECT_LE(watched.fed, 540 * (unit.size() == 3 ? 3u : 1u)) << unit;
    }
  }
}

TEST(RunawayHealthy, DrawingsAndTablesUpToThirtyTwoRows) {
  for (const std::string row : {"|   |   |   |\n", "+---+---+\n|   |   |\n", "| 0 | 0 | 0 |\n",
                                "// 0 0 0 0 0 0 0 0 1 1 1 1 1 1 1 1\n", "}\n", " *\n"}) {
    ExpectHealthy("A tile:\n" + Times(row, 30) + "and so on\n", row);
    ExpectLoopAfter(33, "A tile:\n", row);
  }
}

TEST(RunawayHealthy, EnumerationsUnrolledCodeAndTables) {
  std::string code(kFence), table = "| n | square | note |\n|---|---|---|\n", list;
  for (int i = 0; i < 400; ++i) {
    const std::string n = std::to_string(i);
    code += "  acc[" + n + "] += a[" + n + "] * b;\n";
    table += "| " + n + " | " + std::to_string(i * i) + " | PASSED |\n";
    list += n + ". Load the tile.\n";
  }
  code += Times("  __syncthreads();\n", 8) + Times("#pragma unroll\n", 4);
  for (int depth = 40; depth > 0; --depth) {
    code += std::string(static_cast<size_t>(depth) * 2, ' ') + "}\n";
  }
  ExpectHealthy(code + Times("}", 40) + "\n", "code");
  ExpectHealthy(table, "table");
  ExpectHealthy(list, "list");
  ExpectHealthy("x = " + Times("max(", 11) + "a" + Times(")", 60) + ";\n", "brackets");
  ExpectHealthy("uint64_t x = 0b" + Times("0", 64) + ", y = 0x" + Times("F", 16) + ";\n", "bits");
  ExpectHealthy("// s" + Times("e", 11) + Times("m", 52) + "\n", "binary64");
}

std::vector<std::string> FilesUnder(const std::string& folder, std::string_view suffix) {
  std::vector<std::string> files;
  const std::string root = std::string(KW_SOURCE_DIR) + "/" + folder;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    const std::string path = entry.path().string();
    if (entry.is_regular_file() && path.ends_with(suffix)) files.push_back(path);
  }
  std::sort(files.begin(), files.end());
  return files;
}

// Every kernel and every text of this repository, bare and as an answer would hold it.
TEST(RunawayHealthy, KernelsOfThisRepository) {
  size_t count = 0;
  for (const std::string folder : {"data/tasks", "data/corpus", "tests/e2e/kernels", "tests/styles",
                                   "tests/attacks/legal", "tests/mutation/kernels"}) {
    for (const std::string& file : FilesUnder(folder, ".cu")) {
      const std::string source = *ReadFile(file);
      ExpectHealthy(source, file);
      ExpectHealthy("Here is the kernel:\n```cuda\n" + source + "```\nIt is fast.\n", file);
      ++count;
    }
  }
  EXPECT_GT(count, 200u);
}

TEST(RunawayHealthy, TextsAndSourcesOfThisRepository) {
  size_t count = 0;
  for (const auto& [folder, suffix] : {std::pair("docs", ".md"),
                                       {"prompts", ""},
                                       {"data", ".md"},
                                       {"data", ".cpp"},
                                       {"data", ".json"},
                                       {"data", ".toml"},
                                       {"experiments", ".toml"},
                                       {"src", ".cc"},
                                       {"src", ".h"}}) {
    for (const std::string& file : FilesUnder(folder, suffix)) {
      ExpectHealthy(*ReadFile(file), file);
      ++count;
    }
  }
  ExpectHealthy(*ReadFile(std::string(KW_SOURCE_DIR) + "/README.md"), "README.md");
  EXPECT_GT(count, 300u);
}

TEST(RunawayHealthy, AnswersOfTheSimulatedAuthor) {
  const std::unique_ptr<ChatModel> author = author_test::Author();
  ASSERT_NE(author, nullptr);
  for (const author_test::TaskText& task : author_test::AllTasks()) {
    for (uint64_t seed = 0; seed < 40; ++seed) {
      ExpectHealthy(author_test::Ask(*author, author_test::KernelPrompt(task), seed).content,
                    task.name);
    }
  }
}

}  // namespace
}  // namespace kw::llm
