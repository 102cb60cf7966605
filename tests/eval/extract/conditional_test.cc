// Preprocessor conditionals: what is left out does not count, and branches are alternatives.
#include "sample.h"

namespace kw::eval {
namespace {

constexpr char kHead[] =
    "extern \"C\" void run(const float* x, float* y, int64_t rows, int64_t cols, cudaStream_t s)";

std::string Reason(const std::string& source) { return PrecheckSource(source, Softmax()).reason; }

TEST(Conditional, BodyOfIfZeroDoesNotCount) {
  EXPECT_EQ(Reason("#if 0\ndon't { ( [ \"\n#endif\n" + Good()), "");
  EXPECT_EQ(Reason("#if 0  // off\n}\n#endif\n" + Good()), "");
  EXPECT_EQ(Reason("#if false\n}\n#endif\n" + Good()), "");
  EXPECT_EQ(Reason("#if (0)\n#if X\n}\n#else\n}}\n#endif\n)\n#endif\n" + Good()), "");
  EXPECT_EQ(Reason("#if 0\n/*\n#endif\n*/ }\n#endif\n" + Good()), "");
  EXPECT_EQ(Reason("#if 0\n" + std::string(kRun) + "#endif\n" + kKernel), "no_entry_point");
  EXPECT_EQ(Reason("#if 0\n" + std::string(kKernel) + "#endif\n" + kRun), "no_global_kernel");
}

TEST(Conditional, ElseOfIfZeroCounts) {
  EXPECT_EQ(Reason("#if 0\n}\n#else\n" + Good() + "#endif\n"), "");
  EXPECT_EQ(Reason("#if 0\n#elif 1\n" + Good() + "#else\n}\n#endif\n"), "");
  EXPECT_EQ(Reason("#if 0\n#elif defined(X)\n" + Good() + "#endif\n"), "");
  EXPECT_EQ(Reason(Good() + "#if 0\n{\n#else\n}\n#endif\n"), "unbalanced");
}

TEST(Conditional, ElseOfIfOneDoesNotCount) {
  EXPECT_EQ(Reason("#if 1\n" + Good() + "#else\n}\n#endif\n"), "");
  EXPECT_EQ(Reason("#if 1\n#elif X\n}\n#elif Y\n{\n#endif\n" + Good()), "");
  EXPECT_EQ(Reason("#if 1\n}\n#endif\n" + Good()), "unbalanced");
}

TEST(Conditional, BranchesThatOpenTheSameBracePass) {
  EXPECT_EQ(Reason(std::string(kKernel) + "#ifdef A\n" + kHead + " {\n#else\n" + kHead +
                   " { int a;\n#endif\n}\n"),
            "");
  EXPECT_EQ(Reason("__global__ void k(int n) {\n#if A\n  if (n) {\n#elif B\n  for (;;) {\n#else\n  "
                   "{\n#endif\n  }\n}\n" +
                   std::string(kRun)),
            "");
  EXPECT_EQ(
      Reason("__global__ void k(int n) {\n  if (n) {\n#ifdef A\n  } else {\n#endif\n  }\n}\n" +
             std::string(kRun)),
      "");
}

TEST(Conditional, BranchesThatDisagreeAreInDoubtAndPass) {
  EXPECT_EQ(Reason("#ifdef A\nvoid f() {\n#else\nvoid f();\n#endif\n" + Good()), "");
  EXPECT_EQ(Reason("#ifdef A\nnamespace a {\n#endif\n" + Good()), "");
  EXPECT_EQ(Reason("#ifdef DOCS\nThis isn't code.\n#endif\n" + Good()), "");
}

TEST(Conditional, EntryInABranchOfAnUnknownConditionCounts) {
  EXPECT_EQ(Reason("#ifdef A\n" + Good() + "#endif\n"), "");
  EXPECT_EQ(Reason(std::string(kKernel) + "#if CUDART_VERSION >= 12000\n" + kRun + "#else\n" +
                   kRun + "#endif\n"),
            "");
}

TEST(Conditional, ParametersInBranchesAreInDoubtAndPass) {
  EXPECT_EQ(Reason(std::string(kKernel) +
                   "extern \"C\" void run(\n#ifdef A\n  const float* x, float* y,\n#else\n  const "
                   "float* a, float* b,\n#endif\n  long r, long c, cudaStream_t s) {}\n"),
            "");
}

TEST(Conditional, FaultsOutsideOfConditionsAreSeen) {
  EXPECT_EQ(Reason("#ifdef A\n#define N 4\n#else\n#define N 8\n#endif\n" + Good() + "}\n"),
            "unbalanced");
  EXPECT_EQ(Reason("#pragma unroll\n#ifndef N\n#define N 8\n#endif\nvoid f() {\n" + Good()),
            "unbalanced");
}

TEST(Conditional, StrayDirectivesAreLeftToTheCompiler) {
  EXPECT_EQ(Reason("#endif\n#else\n" + Good()), "");
  EXPECT_EQ(Reason("#ifdef A\n" + Good()), "");
  EXPECT_EQ(Reason(Good() + "#if 0\n{"), "");
}

}  // namespace
}  // namespace kw::eval
