// Each kind of malformed source, with its reason, its line and what the author is told.
#include <vector>

#include "sample.h"

namespace kw::eval {
namespace {

struct Fault {
  const char* name;
  std::string source;
  const char* reason;
  int line;
  const char* told;  // part of the feedback
};

std::string Replaced(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

const std::vector<Fault>& Faults() {
  static const std::vector<Fault> faults = {
      {"Empty", "", "empty", 0, "empty"},
      {"OnlySpace", " \n\t\r\n", "empty", 0, "empty"},
      {"ZeroByte", Good() + std::string(1, '\0'), "not_text", 10, "zero byte"},
      {"MissingBraceOfKernel", Replaced(Good(), "= x[i]; }\n}\n", "= x[i]; }\n"), "unbalanced", 2,
       "most likely before line 5"},
      {"MissingBraceAtTheEnd", Good().substr(0, Good().size() - 2), "unbalanced", 7,
       "'{' is never closed"},
      {"MissingInnerBrace", Replaced(Good(), "y[i] = x[i]; }", "y[i] = x[i];"), "unbalanced", 2,
       "never closed"},
      {"ExtraBrace", Good() + "}\n", "unbalanced", 10, "closes nothing"},
      {"MissingParenthesis", Replaced(Good(), "if (i < n) {", "if (i < n {"), "unbalanced", 5,
       "'}' meets the '(' of line 4"},
      {"ExtraParenthesis", Replaced(Good(), "if (i < n)", "if (i < n))"), "unbalanced", 4,
       "')' meets the '{' of line 2"},
      {"MissingBracket", Replaced(Good(), "y[i] = x[i]", "y[i = x[i]"), "unbalanced", 4,
       "'}' meets the '[' of line 4"},
      {"WrongBracket", Replaced(Good(), "y[i]", "y[i)"), "unbalanced", 4, "')' meets the '['"},
      {"UnclosedParameterList", std::string(kKernel) + "extern \"C\" void run(const float* x,",
       "unbalanced", 6, "'(' is never closed"},
      {"UnclosedComment", Good() + "/* the end\n\n", "unterminated", 10, "comment"},
      {"UnclosedCommentAfterOthers", "/* a */ // b\n/* c */ /* d\n" + Good(), "unterminated", 2,
       "comment"},
      {"UnclosedString", "const char* a = \"abc;\n" + Good(), "unterminated", 1, "string literal"},
      {"UnclosedChar", "const char a = 'x;\n" + Good(), "unterminated", 1, "character literal"},
      {"UnclosedRawString", "\nconst char* a = R\"x(abc)\";\n" + Good(), "unterminated", 2,
       "raw string"},
      {"StringToTheEnd", Good() + "const char* a = \"\\", "unterminated", 10, "string literal"},
      {"NoRun", kKernel, "no_entry_point", 0, "extern \"C\" void run(const float* x, float* y"},
      {"OtherName", Replaced(Good(), "void run(", "void launch("), "no_entry_point", 6,
       "named `launch`"},
      {"OtherCase", Replaced(Good(), "void run(", "void Run("), "no_entry_point", 6, "named `Run`"},
      {"RunInComment", std::string(kKernel) + "/*\n" + kRun + "*/\n", "no_entry_point", 0, "`run`"},
      {"RunInLineComment", std::string(kKernel) + "// extern \"C\" void run() {}\n",
       "no_entry_point", 0, "`run`"},
      {"RunInString", std::string(kKernel) + "const char* a = \"void run(int) {}\";\n",
       "no_entry_point", 0, "`run`"},
      {"RunInRawString", std::string(kKernel) + "const char* a = R\"(\n" + kRun + ")\";\n",
       "no_entry_point", 0, "`run`"},
      {"RunInNamespace", std::string(kKernel) + "namespace mine {\n" + kRun + "}\n",
       "no_entry_point", 7, "inside a namespace"},
      {"RunInNestedNamespace", std::string(kKernel) + "namespace a::b {\n" + kRun + "}\n",
       "no_entry_point", 7, "inside a namespace"},
      {"RunInUnnamedNamespace",
       std::string(kKernel) + "namespace {\nextern \"C\" {\n" + kRun + "}\n}\n", "no_entry_point",
       8, "inside a namespace"},
      {"RunInClass", std::string(kKernel) + "struct A {\n  void run(int) {}\n};\n",
       "no_entry_point", 7, "inside other braces"},
      {"RunOfAClass", std::string(kKernel) + "struct A { void go(); };\nvoid A::run(int) {}\n",
       "no_entry_point", 0, "`run`"},
      {"RunOnlyDeclared",
       std::string(kKernel) + "extern \"C\" void run(const float* x, float* y, int64_t rows, "
                              "int64_t cols, cudaStream_t stream);\n",
       "no_entry_point", 6, "never defined"},
      {"RunOnlyCalled", std::string(kKernel) + "int main() {\n  run(1);\n  return run(2);\n}\n",
       "no_entry_point", 0, "`run`"},
      {"RunIsAKernel",
       "extern \"C\" __global__ void run(const float* x, float* y, long r, long c) "
       "{}\n",
       "no_entry_point", 1, "device function"},
      {"RunIsATemplate",
       std::string(kKernel) + "template <class T>\nvoid run(const T* x, T* y) {}\n",
       "no_entry_point", 7, "template"},
      {"RunIsAVariable", std::string(kKernel) + "int run = 3;\nauto a = f(run(4));\n",
       "no_entry_point", 0, "`run`"},
      {"RunIsALonger", Replaced(Good(), "void run(", "void run_kernel("), "no_entry_point", 6,
       "run_kernel"},
      {"PlainRun", Replaced(Good(), "extern \"C\" ", ""), "entry_not_extern_c", 6,
       "extern \"C\" void run(const float* x, float* y, int64_t rows, int64_t cols, cudaStream_t "
       "stream)"},
      {"StaticRun", Replaced(Good(), "extern \"C\" ", "static "), "entry_not_extern_c", 6,
       "static"},
      {"ExternCpp", Replaced(Good(), "\"C\"", "\"C++\""), "entry_not_extern_c", 6, "extern \"C\""},
      {"ExternCppBlock", "extern \"C++\" {\n" + Replaced(Good(), "extern \"C\" ", "") + "}\n",
       "entry_not_extern_c", 7, "extern \"C\""},
      {"KernelIsExternCRunIsNot",
       "extern \"C\" " + Replaced(Good(), "extern \"C\" ", "").substr(19), "entry_not_extern_c", 5,
       "extern \"C\""},
      {"BlockClosedBeforeRun",
       "extern \"C\" {\nvoid f();\n}\n" + Replaced(Good(), "extern \"C\" ", ""),
       "entry_not_extern_c", 9, "extern \"C\""},
      {"NoKernel",
       "extern \"C\" void run(const float* x, float* y, long rows, long cols, cudaStream_t stream) "
       "{\n  cudaMemcpyAsync(y, x, 4, cudaMemcpyDeviceToDevice, stream);\n}\n",
       "no_global_kernel", 0, "__global__"},
      {"KernelOnlyInComment", "// __global__ void k() {}\n" + std::string(kRun), "no_global_kernel",
       0, "__global__"},
      {"KernelOnlyInString", "const char* a = \"__global__\";\n" + std::string(kRun),
       "no_global_kernel", 0, "__global__"},
  };
  return faults;
}

TEST(Malformed, EachKindHasItsReasonItsLineAndAdvice) {
  for (const Fault& fault : Faults()) {
    const Extraction checked = PrecheckSource(fault.source, Softmax());
    EXPECT_FALSE(checked.ok) << fault.name;
    EXPECT_EQ(checked.reason, fault.reason) << fault.name << ": " << checked.feedback;
    EXPECT_EQ(checked.line, fault.line) << fault.name << ": " << checked.feedback;
    EXPECT_NE(checked.feedback.find(fault.told), std::string::npos)
        << fault.name << ": " << checked.feedback;
    if (fault.line > 0) {
      EXPECT_EQ(checked.feedback.find("line " + std::to_string(fault.line) + ":"), 0u)
          << fault.name << ": " << checked.feedback;
    }
  }
}

TEST(Malformed, TheSameReasonsComeFromAFencedAnswer) {
  for (const Fault& fault : Faults()) {
    if (std::string(fault.reason) == "empty") continue;  // an empty fence is no code
    if (std::string(fault.name) == "UnclosedRawString") continue;
    const Extraction taken =
        ExtractCandidate("Here:\n" + Fenced(fault.source + "\n"), "stop", Softmax());
    EXPECT_FALSE(taken.ok) << fault.name;
    EXPECT_EQ(taken.reason, fault.reason) << fault.name << ": " << taken.feedback;
    EXPECT_EQ(taken.source, fault.source + "\n") << fault.name;
  }
}

// Cut a correct source anywhere inside its last function: never well-formed.
TEST(Malformed, EveryTruncationInsideABodyIsSeen) {
  const std::string good = Good();
  const size_t body = good.find("k<<<");
  for (size_t length = body; length + 2 < good.size(); ++length) {
    const Extraction checked = PrecheckSource(good.substr(0, length), Softmax());
    EXPECT_FALSE(checked.ok) << good.substr(0, length);
    EXPECT_EQ(checked.reason, "unbalanced") << length;
  }
}

// Take any single bracket away: never well-formed.
TEST(Malformed, EveryMissingBracketIsSeen) {
  const std::string good = Good();
  for (size_t i = 0; i < good.size(); ++i) {
    if (std::string("(){}[]").find(good[i]) == std::string::npos) continue;
    std::string broken = good;
    broken.erase(i, 1);
    const Extraction checked = PrecheckSource(broken, Softmax());
    EXPECT_EQ(checked.reason, "unbalanced") << "without byte " << i << ": " << checked.feedback;
  }
}

TEST(Malformed, ALibraryThatTheTaskAllowsNeedsNoKernel) {
  Task task = Softmax();
  task.allowed_libraries = {"cublas"};
  EXPECT_TRUE(PrecheckSource(kRun, task).ok);
}

TEST(Malformed, ASourceBeyondTheLimitIsRefused) {
  const std::string large = Good() + std::string(5 << 20, ' ');
  const Extraction checked = PrecheckSource(large, Softmax());
  EXPECT_EQ(checked.reason, "too_large");
  EXPECT_TRUE(checked.source.empty());
}

}  // namespace
}  // namespace kw::eval
