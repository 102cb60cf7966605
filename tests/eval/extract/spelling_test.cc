// Correct sources in every spelling that people and models use: all of them pass.
#include <vector>

#include "sample.h"

namespace kw::eval {
namespace {

struct Spelling {
  const char* name;
  std::string source;
};

// `head` and `tail` around the kernel and a body.
std::string WithHead(const std::string& head) {
  return std::string(kKernel) + head + " {\n  k<<<1, 256, 0, stream>>>(x, y, rows * cols);\n}\n";
}

const std::vector<Spelling>& Spellings() {
  static const std::vector<Spelling> spellings = {
      {"Plain", Good()},
      {"RunBeforeKernel",
       "#include <cstdint>\n__global__ void k(const float*, float*, int64_t);\n" +
           std::string(kRun) +
           "__global__ void k(const float* x, float* y, int64_t n) { y[0] = x[0]; }\n"},
      {"Long", WithHead("extern \"C\" void run(const float* x, float* y, long rows, long cols, "
                        "cudaStream_t stream)")},
      {"LongLong", WithHead("extern \"C\" void run(const float* x, float* y, long long rows, long "
                            "long int cols, cudaStream_t stream)")},
      {"StdInt64", WithHead("extern \"C\" void run(const float* x, float* y, std::int64_t rows, "
                            "::std::int64_t cols, cudaStream_t stream)")},
      {"UnsignedAndSize", WithHead("extern \"C\" void run(const float* x, float* y, size_t rows, "
                                   "unsigned long long cols, cudaStream_t stream)")},
      {"Int32Axes", WithHead("extern \"C\" void run(const float* x, float* y, int rows, int cols, "
                             "cudaStream_t stream)")},
      {"Restrict", WithHead("extern \"C\" void run(const float* __restrict__ x, float* __restrict "
                            "y, const int64_t rows, int64_t const cols, cudaStream_t stream)")},
      {"EastConst", WithHead("extern \"C\" void run(float const* x, float* const y, int64_t rows, "
                             "int64_t cols, cudaStream_t const stream)")},
      {"NoConstOnInput", WithHead("extern \"C\" void run(float* x, float* y, int64_t rows, int64_t "
                                  "cols, cudaStream_t stream)")},
      {"OtherNames", WithHead("extern \"C\" void run(const float* in, float* out, int64_t a, "
                              "int64_t b, cudaStream_t s)")},
      {"NoNames", WithHead("extern \"C\" void run(const float*, float*, int64_t, int64_t, "
                           "cudaStream_t)")},
      {"ArrayParameters", WithHead("extern \"C\" void run(const float x[], float y[], int64_t "
                                   "rows, int64_t cols, cudaStream_t stream)")},
      {"DefaultStream", WithHead("extern \"C\" void run(const float* x, float* y, int64_t rows, "
                                 "int64_t cols, cudaStream_t stream = nullptr)")},
      {"DriverStream", WithHead("extern \"C\" void run(const float* x, float* y, int64_t rows, "
                                "int64_t cols, CUstream stream)")},
      {"StreamAsStruct", WithHead("extern \"C\" void run(const float* x, float* y, int64_t rows, "
                                  "int64_t cols, struct CUstream_st* stream)")},
      {"VoidPointers", WithHead("extern \"C\" void run(const void* x, void* y, int64_t rows, "
                                "int64_t cols, void* stream)")},
      {"VectorPointers", WithHead("extern \"C\" void run(const float4* x, float4* y, int64_t rows, "
                                  "int64_t cols, cudaStream_t stream)")},
      {"BitPointers", WithHead("extern \"C\" void run(const unsigned* x, uint32_t* y, int64_t "
                               "rows, int64_t cols, cudaStream_t stream)")},
      {"MaybeUnused", WithHead("extern \"C\" void run(const float* x, float* y, [[maybe_unused]] "
                               "int64_t rows, int64_t cols [[maybe_unused]], cudaStream_t "
                               "stream)")},
      {"TypedefFloat", "typedef float real;\n" +
                           WithHead("extern \"C\" void run(const real* x, real* y, int64_t rows, "
                                    "int64_t cols, cudaStream_t stream)")},
      {"UsingAlias", "using T = float; using Index = long long;\n" +
                         WithHead("extern \"C\" void run(const T* x, T* y, Index rows, Index cols, "
                                  "cudaStream_t stream)")},
      {"MacroType", "#define REAL float\n" +
                        WithHead("extern \"C\" void run(const REAL* x, REAL* y, int64_t rows, "
                                 "int64_t cols, cudaStream_t stream)")},
      {"MacroParameters", "#define SHAPE int64_t rows, int64_t cols\n" +
                              WithHead("extern \"C\" void run(const float* x, float* y, SHAPE, "
                                       "cudaStream_t stream)")},
      {"MacroCallParameters", "#define IO(t) const t* x, t* y\n" +
                                  WithHead("extern \"C\" void run(IO(float), int64_t rows, int64_t "
                                           "cols, cudaStream_t stream)")},
      {"ExternBlock", std::string("extern \"C\" {\n") + kKernel +
                          "void run(const float* x, float* y, int64_t rows, int64_t cols, "
                          "cudaStream_t stream)\n{ k<<<1, 1, 0, stream>>>(x, y, 1); }\n}\n"},
      {"ExternBlockAfterOtherCode", std::string(kKernel) + "extern \"C\"\n{\n" +
                                        "void run(const float* x, float* y, int64_t rows, int64_t "
                                        "cols, cudaStream_t stream) { }\n}  // extern \"C\"\n"},
      {"ExternBlockUnderCplusplus",
       std::string(kKernel) + "#ifdef __cplusplus\nextern \"C\" {\n#endif\n" +
           "void run(const float* x, float* y, int64_t rows, int64_t cols, cudaStream_t stream) "
           "{}\n#ifdef __cplusplus\n}\n#endif\n"},
      {"ExternByMacro", "#define EXPORT extern \"C\" __attribute__((visibility(\"default\")))\n" +
                            WithHead("EXPORT void run(const float* x, float* y, int64_t rows, "
                                     "int64_t cols, cudaStream_t stream)")},
      {"ExternByFunctionMacro",
       "#define EXPORT(t) extern \"C\" t\n" +
           WithHead("EXPORT(void) run(const float* x, float* y, int64_t rows, int64_t cols, "
                    "cudaStream_t stream)")},
      {"ExternByEarlierDeclaration",
       "#include <cstdint>\nextern \"C\" void run(const float*, float*, int64_t, int64_t, "
       "cudaStream_t);\n" +
           WithHead("void run(const float* x, float* y, int64_t rows, int64_t cols, cudaStream_t "
                    "stream)")},
      {"EntryByMacro",
       "#define ENTRY(name) extern \"C\" void name(const float* x, float* y, "
       "int64_t rows, int64_t cols, cudaStream_t stream)\n" +
           std::string(kKernel) + "ENTRY(run) { k<<<1, 1, 0, stream>>>(x, y, 1); }"},
      {"NameByMacro", "#define NAME run\n" +
                          WithHead("extern \"C\" void NAME(const float* x, float* y, int64_t rows, "
                                   "int64_t cols, cudaStream_t stream)")},
      {"Attributes", WithHead("extern \"C\" __attribute__((visibility(\"default\"))) void "
                              "run(const float* x, float* y, int64_t rows, int64_t cols, "
                              "cudaStream_t stream)")},
      {"HostKeyword", WithHead("extern \"C\" __host__ void run(const float* x, float* y, int64_t "
                               "rows, int64_t cols, cudaStream_t stream)")},
      {"TrailingReturn", WithHead("extern \"C\" auto run(const float* x, float* y, int64_t rows, "
                                  "int64_t cols, cudaStream_t stream) noexcept -> void")},
      {"BraceOnItsOwnLine", std::string(kKernel) +
                                "extern \"C\"\nvoid\nrun\n(\n  const float* x,\n  float* y,\n  "
                                "int64_t rows,\n  int64_t cols,\n  cudaStream_t stream\n)\n{\n}\n"},
      {"OverloadsBeside",
       "#include <cstdint>\nvoid run(int n) {}\ntemplate <class T> void run(T "
       "a, T b) {}\n" +
           Good()},
      {"OtherRunInNamespace", "namespace detail { void run(int) {} }\n" + Good()},
      {"OtherRunInClass", "struct Plan { void run(int) {} };\n" + Good()},
      {"NamespacedKernel",
       "namespace n {\n__global__ void k(const float* x) {}\n}\nusing namespace "
       "n;\n" +
           std::string(kRun)},
      {"TemplatedKernel",
       "#include <cstdint>\ntemplate <typename T, int N = (3 > 2) ? 8 : 4>\n__global__ void "
       "k(const "
       "T* x, T* y, int64_t n) { if (n > N) { y[0] = x[0]; } }\n"
       "extern \"C\" void run(const float* x, float* y, int64_t rows, int64_t cols, cudaStream_t "
       "stream) { k<float, 4><<<1, 1, 0, stream>>>(x, y, rows); }\n"},
      {"LaunchBounds",
       "__global__ void __launch_bounds__(256, 2) k(const float* x, float* y, long "
       "n) {}\n" +
           std::string(kRun)},
      {"ExternShared",
       "__global__ void k(const float* x, float* y, long n) { extern __shared__ "
       "float s[]; s[0] = x[0]; }\n" +
           std::string(kRun)},
      {"KernelInMacro",
       "#define KERNEL(name) __global__ void name\nKERNEL(k)(const float* x, "
       "float* y, long n) {}\n" +
           std::string(kRun)},
      {"Crlf",
       "#include <cstdint>\r\n__global__ void k(const float* x, float* y, long n) "
       "{\r\n}\r\nextern \"C\" void run(const float* x, float* y, long a, \\\r\n  long b, "
       "cudaStream_t s) {\r\n}\r\n"},
      {"NoFinalNewline", Good().substr(0, Good().size() - 1)},
      {"GlobalObjects",
       "static const int table[] = {1, 2, 3};\nconstexpr auto square = [](int v) { "
       "return v * v; };\n__constant__ float weights[4] = {1.f, 2.f};\nenum class "
       "E { kA, kB };\nstruct S { int a{0}; } s{1};\n" +
           Good()},
      {"AsmWithBraces",
       "__device__ float f(float v) { asm volatile(\"{ .reg .pred p; }\" : \"+f\"(v) "
       ": : \"memory\"); return v; }\n" +
           Good()},
  };
  return spellings;
}

// Text in which brackets and quotes do not count, before a correct source.
const std::vector<Spelling>& Lexical() {
  static const std::vector<Spelling> spellings = {
      {"LineComment", "// don't { ( [ \" run(\n" + Good()},
      {"LineCommentSpliced", "// one \\\n { ( ' two\n" + Good()},
      {"BlockComment", "/* don't } ) ] \" void run() {\n */" + Good()},
      {"CommentStar", "/***/ /**/ /* / * //* */\n" + Good()},
      {"CommentInString", "const char* a = \"/* // \";\n" + Good()},
      {"StringInComment", "/* \" */ // \"\n" + Good()},
      {"BraceInString", "const char* a = \"{ ( [ \\\" \\\\\";\n" + Good()},
      {"SplicedString", "const char* a = \"one \\\n two {\";\n" + Good()},
      {"BraceInChar", "const char a = '{', b = '\\'', c = '\"', d = '\\\\';\n" + Good()},
      {"WideLiterals",
       "const wchar_t* a = L\"{\"; char16_t b = u'{'; auto c = u8\"}\"; auto d = "
       "U\"(\";\n" +
           Good()},
      {"DigitSeparators",
       "const int a = 1'000'000, b = 0x1'F, c = 0b1'0; double d = 1'0.5e+1'0;\n" + Good()},
      {"NumberSuffixes",
       "const double a = 1.e-5, b = .5f, c = 0x1p-3, d = 10ull; int e[3];\n" + Good()},
      {"RawString", "const char* a = R\"(don't { \" \\ )\";\n" + Good()},
      {"RawStringDelimiter",
       "const char* a = R\"x-1(text )\" } )x-1\";\nauto b = u8R\"(})\";\n" + Good()},
      {"RawStringLines", "const char* a = R\"(\n{\n'\n)\";\n" + Good()},
      {"UserLiteral",
       "auto operator\"\"_kb(unsigned long long v) { return v * 1024; }\nauto a = "
       "4_kb;\n" +
           Good()},
      {"MacroWithBraces", "#define CHECK(x) do { if (x) { } } while (0)\n" + Good()},
      {"MacroSpliced", "#define SUM(a, b) \\\n  { \\\n    (a) + (b); \\\n  }\n" + Good()},
      {"MacroApostrophe", "#define NOTE don't\n#error_not don't\n" + Good()},
      {"HalfBracketMacros", "#define BEGIN {\n#define END }\nvoid f() BEGIN int a; END\n" + Good()},
      {"MacroStringWithComment", "#define PATTERN \"/*\"\n" + Good()},
      {"DirectiveComment", "#define A 1 /* one\n { two */\n#pragma once // don't\n" + Good()},
      {"IncludeApostrophe", "#include <it's>\n" + Good()},
      {"RunInComment", "// void run() {\n/* extern \"C\" void run(int) { */\n" + Good()},
      {"RunInString", "const char* a = \"void run(int) {\";\n" + Good()},
      {"Utf8", "// größer als ≥ 1\nconst char* a = \"→ {\";\n" + Good()},
      {"LogicalWords", "bool f(int a) { return a and not (a or 1); }\n" + Good()},
      {"Comparisons",
       "bool f(int a, int b) { return a < b && b > (a << 1) && a ? b : a; }\n" + Good()},
      {"Digraphs", "int f(int a<:2:>) <% return a<:0:>; %>\n" + Good()},
  };
  return spellings;
}

TEST(Spelling, EveryWayToWriteTheEntryPasses) {
  for (const Spelling& spelling : Spellings()) {
    const Extraction checked = PrecheckSource(spelling.source, Softmax());
    EXPECT_TRUE(checked.ok) << spelling.name << ": " << checked.reason << ": " << checked.feedback;
  }
}

TEST(Spelling, TextThatOnlyLooksLikeBracketsPasses) {
  for (const Spelling& spelling : Lexical()) {
    const Extraction checked = PrecheckSource(spelling.source, Softmax());
    EXPECT_TRUE(checked.ok) << spelling.name << ": " << checked.reason << ": " << checked.feedback;
  }
}

// The same prefixes must not hide a fault behind them either.
TEST(Spelling, AFaultBehindSuchTextIsStillSeen) {
  for (const Spelling& spelling : Lexical()) {
    const std::string name = spelling.name;
    if (name == "HalfBracketMacros" || name == "Digraphs") continue;  // in doubt, and pass
    const Extraction checked = PrecheckSource(spelling.source + "}\n", Softmax());
    EXPECT_EQ(checked.reason, "unbalanced") << name << ": " << checked.feedback;
    const auto lines = std::count(spelling.source.begin(), spelling.source.end(), '\n');
    EXPECT_EQ(checked.line, lines + 1) << name;
  }
}

TEST(Spelling, EveryNativeBaselinePasses) {
  const Result<TaskLibrary> library = TaskLibrary::Open(std::string(KW_SOURCE_DIR) + "/data/tasks");
  ASSERT_TRUE(library) << library.error().ToString();
  for (const std::string& name : library->Names()) {
    const Result<Task> task = library->Load(name);
    ASSERT_TRUE(task) << task.error().ToString();
    const Extraction checked = PrecheckSource(task->baseline_cu, *task);
    EXPECT_TRUE(checked.ok) << name << ": " << checked.feedback;
    const Extraction taken = ExtractCandidate(Fenced(task->baseline_cu), "stop", *task);
    EXPECT_TRUE(taken.ok) << name << ": " << taken.feedback;
    EXPECT_EQ(taken.source, task->baseline_cu) << name;
  }
}

}  // namespace
}  // namespace kw::eval
