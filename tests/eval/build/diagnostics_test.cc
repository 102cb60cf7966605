#include "src/eval/build/diagnostics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kw/base/text.h"

namespace kw::eval {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(ParseCompilerErrors, ReadsEdgErrorsWithTheirContinuation) {
  const auto found = ParseCompilerErrors(
      "kernel.cu(4): error: no instance of overloaded function \"f\" matches the argument list\n"
      "            argument types are: (double *)\n"
      "  __attribute__((global)) void g(double* d) { f(d); }\n"
      "                                              ^\n"
      "kernel.cu(3): note #3322-D: number of parameters does not match\n"
      "  __attribute__((device)) int f(int*, int);\n"
      "                              ^\n"
      "\n"
      "1 error detected in the compilation of \"kernel.cu\".\n",
      "kernel.cu");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].file, "kernel.cu");
  EXPECT_EQ(found[0].line, 4);
  EXPECT_EQ(found[0].message,
            "no instance of overloaded function \"f\" matches the argument list; argument types "
            "are: (double *)");
}

TEST(ParseCompilerErrors, ReadsGccErrorsAndLeavesOutWarnings) {
  const auto found = ParseCompilerErrors(
      "kernel.cu:2:5: warning: unused variable 'x'\n"
      "kernel.cu:1:10: fatal error: missing.h: No such file or directory\n"
      "    1 | #include <missing.h>\n"
      "      |          ^~~~~~~~~~~\n"
      "compilation terminated.\n",
      "kernel.cu");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].line, 1);
  EXPECT_EQ(found[0].message, "missing.h: No such file or directory");
}

TEST(ParseCompilerErrors, NamesTheLineThatInstantiatedAHeader) {
  const auto found = ParseCompilerErrors(
      "/usr/include/c++/12/bits/thing.h(70): error: no operator matches\n"
      "          detected during instantiation of \"void h(T)\" at line 9 of kernel.cu\n",
      "kernel.cu");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].file, "thing.h");
  EXPECT_EQ(found[0].from_line, 9);
}

TEST(ParseCompilerErrors, FindsNothingInTextWithoutErrors) {
  EXPECT_TRUE(ParseCompilerErrors("", "kernel.cu").empty());
  EXPECT_TRUE(ParseCompilerErrors("all is well\n): \n:::\n(: error\n", "kernel.cu").empty());
}

constexpr char kPtx[] =
    ".file 1 \"kernel.cu\"\n"    // 1
    ".file 2 \"other.h\"\n"      // 2
    ".visible .entry _Z1kPf(\n"  // 3
    ".loc 1 7 3\n"               // 4
    "add.f32 %f1, %f2, %f3;\n"   // 5
    ".loc 2 99 3\n"              // 6
    "bogus.f32 %f1;\n";          // 7

TEST(ParsePtxasErrors, PlacesErrorsOnTheAuthorsLine) {
  const auto found = ParsePtxasErrors(
      "ptxas kernel.ptx, line 7; error   : Not a name of any known instruction: 'bogus'\n"
      "ptxas fatal   : Ptx assembly aborted due to errors\n",
      kPtx, "kernel.cu");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].file, "kernel.cu");
  EXPECT_EQ(found[0].line, 7);
  EXPECT_EQ(found[0].message, "ptxas: Not a name of any known instruction: 'bogus'");
}

TEST(ParsePtxasErrors, DemanglesKernels) {
  const auto found = ParsePtxasErrors(
      "ptxas error   : Entry function '_Z1kPf' uses too much shared data (0x13880 bytes, 0xc000 "
      "max)\n",
      kPtx, "kernel.cu");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_THAT(found[0].message, HasSubstr("'k(float*)' uses too much shared data"));
}

TEST(ParseLinkErrors, NamesEachUndefinedSymbolOnce) {
  const auto found = ParseLinkErrors(
      "/usr/bin/ld: kernel.o: in function `run':\n"
      "kernel.cudafe1.cpp:(.text+0x107): undefined reference to `host_only(int)'\n"
      "kernel.cudafe1.cpp:(.text+0x117): undefined reference to `host_only(int)'\n"
      "collect2: error: ld returned 1 exit status\n");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_THAT(found[0].message, HasSubstr("host_only(int)"));
}

TEST(FormatDiagnostics, ShowsThePlaceTheMessageAndTheSourceLine) {
  EXPECT_EQ(FormatDiagnostics({{"kernel.cu", 2, "expected a \";\"", 0}}, "int a;\n  int b\n",
                              "kernel.cu"),
            "kernel.cu:2: error: expected a \";\"\n    int b");
}

TEST(FormatDiagnostics, ShowsTheSameErrorOnce) {
  const Diagnostic same{"kernel.cu", 1, "wrong", 0};
  EXPECT_EQ(FormatDiagnostics({same, same}, "int a;", "kernel.cu"),
            "kernel.cu:1: error: wrong\n    int a;");
}

TEST(FormatDiagnostics, KeepsToTwentyLinesAndSaysHowManyAreLeftOut) {
  std::vector<Diagnostic> many;
  for (int i = 1; i <= 50; ++i) many.push_back({"kernel.cu", i, "error " + std::to_string(i), 0});
  const std::string text = FormatDiagnostics(many, std::string(200, '\n'), "kernel.cu");
  EXPECT_EQ(Lines(text).size(), 20u);
  EXPECT_THAT(text, HasSubstr("... and 31 more"));
}

TEST(FormatDiagnostics, ShowsNoLineOfAForeignFileAsTheAuthors) {
  const std::string text = FormatDiagnostics({{"passwd", 1, "wrong", 0}}, "secret();", "kernel.cu");
  EXPECT_THAT(text, Not(HasSubstr("secret")));
}

TEST(WithoutPaths, KeepsTheLastComponentOnly) {
  EXPECT_EQ(WithoutPaths("cannot open /home/me/.cache/x.h: no"), "cannot open x.h: no");
  EXPECT_EQ(WithoutPaths("\"/a/b/c.cu\" a/b c / d // e"), "\"c.cu\" a/b c / d // e");
}

}  // namespace
}  // namespace kw::eval
