// Compiles references and runs them in kwright-reference.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <thread>

#include "eval/oracle/fake_task.h"
#include "kw/base/file.h"
#include "kw/eval/oracle.h"

namespace kw::eval {
namespace {

using testing::HasSubstr;

class ReferenceTest : public testing::Test {
 protected:
  std::unique_ptr<Reference> Make(int64_t cache_bytes = 1 << 20) {
    return MakeReference(builder_, {.programs = KW_BINARY_DIR, .cache_bytes = cache_bytes});
  }
  // What is said of a reference with this body.
  std::string FaultOf(const std::string& body) {
    Task task = DoubleTask();
    task.hash = body;
    task.reference_cpp =
        "#include <cstdint>\n#include <cstdio>\n#include <cstdlib>\n#include <stdexcept>\n"
        "#include <unistd.h>\n"
        "extern \"C\" void reference(const double* x, double* y, int64_t rows, int64_t cols) {\n"
        "  for (int64_t i = 0; i < rows * cols; ++i) y[i] = 2 * x[i];\n" +
        body + "\n}\n";
    const auto expected = Make()->Evaluate(task, CaseOf({{"rows", 3}, {"cols", 33}}));
    if (expected) return "";
    EXPECT_EQ(expected.error().code, ErrorCode::kInvalid) << expected.error().ToString();
    return expected.error().ToString();
  }

  ScratchDirectory folder_ = *ScratchDirectory::Make("reference");
  Builder builder_ = *Builder::Make({.cache = folder_.path()});
};

TEST_F(ReferenceTest, ComputesFromTheRoundedInputs) {
  const Task task = DoubleTask();
  const Case c = CaseOf({{"rows", 3}, {"cols", 33}});
  const auto reference = Make();
  const auto expected = reference->Evaluate(task, c);
  ASSERT_TRUE(expected) << expected.error().ToString();
  const auto inputs = FloatsOf(GenerateInputs(task, c)->tensors[0]);
  ASSERT_EQ((*expected)->floats[0].size(), inputs.size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    EXPECT_EQ((*expected)->floats[0][i], 2.0 * inputs[i]);
  }
  EXPECT_TRUE((*expected)->absolute_scale.empty());
}

TEST_F(ReferenceTest, KeepsWhatTookLongForOtherPrograms) {
  Task task = DoubleTask();
  task.reference_cpp = "#include <unistd.h>\n" + task.reference_cpp;
  task.reference_cpp.insert(task.reference_cpp.find("  for (int64_t i"),
                            "  if (cols > 32) usleep(20000);\n");
  const Case slow = CaseOf({{"rows", 3}, {"cols", 33}}), quick = CaseOf({{"rows", 3}, {"cols", 1}});
  ReferenceConfig config{.programs = KW_BINARY_DIR, .folder = folder_.path() + "/expected"};
  const auto first = MakeReference(builder_, config);
  const auto expected = first->Evaluate(task, slow);
  ASSERT_TRUE(expected) << expected.error().ToString();
  ASSERT_TRUE(first->Evaluate(task, quick));
  config.programs = "/nowhere";  // it could not compute anything
  const auto second = MakeReference(builder_, config);
  const auto found = second->Evaluate(task, slow);
  ASSERT_TRUE(found) << found.error().ToString();
  EXPECT_EQ((*found)->floats, (*expected)->floats);
  task.hash = "another";
  EXPECT_FALSE(second->Evaluate(task, slow));
}

TEST_F(ReferenceTest, PassesScalarsIntegersAndBooleans) {
  Task task;
  task.name = "mixed";
  task.hash = "mixed";
  task.axes = {VarAxis("n")};
  task.inputs = {TensorOf("i", {"n"}, DType::kInt32), ScalarOf("scale"),
                 ScalarOf("shift", DType::kInt16), ScalarOf("negate", DType::kBool)};
  task.outputs = {TensorOf("y", {"n"}), TensorOf("j", {"n"}, DType::kInt64)};
  task.reference_cpp = R"(#include <cstdint>
extern "C" void reference(const int64_t* i, double scale, int64_t shift, bool negate, double* y,
                          int64_t* j, int64_t n) {
  for (int64_t k = 0; k < n; ++k) {
    y[k] = (negate ? -scale : scale) * i[k];
    j[k] = i[k] + shift;
  }
})";
  Case c = CaseOf({{"n", 40}});
  c.scalars = {{"scale", 0.1}, {"shift", -7}, {"negate", 1}};
  const auto expected = Make()->Evaluate(task, c);
  ASSERT_TRUE(expected) << expected.error().ToString();
  const auto& y = (*expected)->floats[0];
  const auto& j = (*expected)->integers[1];
  ASSERT_EQ(y.size(), 40u);
  ASSERT_EQ(j.size(), 40u);
  for (size_t k = 0; k < y.size(); ++k) {
    EXPECT_EQ(y[k], -static_cast<double>(0.1f) * static_cast<double>(j[k] + 7));
  }
}

TEST_F(ReferenceTest, MeasuresHowMuchLargerTheOutputsOfX3Are) {
  const auto expected = Make()->Evaluate(DoubleTask(), CaseOf({{"rows", 7}, {"cols", 100}}, "x3"));
  ASSERT_TRUE(expected);
  ASSERT_EQ((*expected)->absolute_scale.size(), 1u);
  EXPECT_NEAR((*expected)->absolute_scale[0], 3, 1e-6);
}

TEST_F(ReferenceTest, MeasuresHowSensitiveEachElementIs) {
  Task task = DoubleTask();
  task.hash = "difference";
  // y[0] is a plain product, y[1] a difference that cancels.
  task.reference_cpp =
      "#include <cstdint>\nextern \"C\" void reference(const double* x, double* y, int64_t, "
      "int64_t) { y[0] = 2 * x[0]; y[1] = 1e4 * x[0] - 9999.9 * x[0] + x[1]; }\n";
  const Case c = CaseOf({{"rows", 1}, {"cols", 2}}, "constant");
  const auto reference = Make();
  const auto sensitivity = reference->Sensitivity(task, c);
  ASSERT_TRUE(sensitivity) << sensitivity.error().ToString();
  const double x = (*reference->Evaluate(task, c))->floats[0][0] / 2;
  const auto& moved = (*sensitivity)[0];
  EXPECT_GT(moved[0], 0.1 * 2 * std::fabs(x) * 0x1p-23);
  EXPECT_LE(moved[0], 2 * std::fabs(x) * 0x1p-23);
  EXPECT_LE(moved[1], 2 * std::fabs(x) * 0x1p-23);
}

TEST_F(ReferenceTest, SaysWhatIsWrongWithAReference) {
  EXPECT_EQ(FaultOf(""), "");
  EXPECT_THAT(FaultOf("y[rows * cols] = 1;"), HasSubstr("out of bounds of 'y': element 99 of 99"));
  EXPECT_THAT(FaultOf("y[-200] = 1;"), HasSubstr("in front of 'y'"));
  EXPECT_THAT(FaultOf("y[-1000] = 1;"), HasSubstr("out of bounds of 'y': element -1000"));
  EXPECT_THAT(FaultOf("y[0] = x[rows * cols + 4];"), HasSubstr("out of bounds of 'x'"));
  EXPECT_THAT(FaultOf("const_cast<double*>(x)[3] = 1;"),
              HasSubstr("wrote to the input 'x': element 3"));
  EXPECT_THAT(FaultOf("std::abort();"), HasSubstr("aborted"));
  EXPECT_THAT(FaultOf("throw std::runtime_error(\"no\");"), HasSubstr("aborted"));
  EXPECT_THAT(FaultOf("std::exit(0);"), HasSubstr("ended its process"));
  EXPECT_THAT(FaultOf("*reinterpret_cast<volatile int*>(8) = 1;"), HasSubstr("crashed"));
  EXPECT_THAT(FaultOf("volatile int64_t zero = 0; y[0] = rows / zero;"), HasSubstr("crashed"));
}

TEST_F(ReferenceTest, NamesAnElementThatIsNotWritten) {
  Task task = DoubleTask();
  task.hash = "half";
  task.reference_cpp =
      "#include <cstdint>\nextern \"C\" void reference(const double* x, double* y, int64_t r, "
      "int64_t c) { for (int64_t i = 0; i < r * c / 2; ++i) y[i] = x[i]; }\n";
  const auto expected = Make()->Evaluate(task, CaseOf({{"rows", 2}, {"cols", 10}}));
  ASSERT_FALSE(expected);
  EXPECT_THAT(expected.error().message, HasSubstr("did not write element 10 of 'y'"));
}

TEST_F(ReferenceTest, NamesACompileErrorAndAMissingFunction) {
  Task task = DoubleTask();
  task.hash = "broken";
  task.reference_cpp = "int f() { return x; }\n";
  const auto broken = Make()->Evaluate(task, CaseOf({{"rows", 1}, {"cols", 1}}));
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(broken.error().message, HasSubstr("reference.cpp:1: error"));
  task.hash = "missing";
  task.reference_cpp = "int f() { return 1; }\n";
  const auto missing = Make()->Evaluate(task, CaseOf({{"rows", 1}, {"cols", 1}}));
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(missing.error().message, HasSubstr("reference(...)"));
}

TEST_F(ReferenceTest, EndsOneThatHoldsTooMuchMemory) {
  Task task = DoubleTask();
  task.hash = "memory";
  task.reference_cpp = R"(
#include <cstdint>
#include <cstdlib>
extern "C" void reference(const double* x, double* y, int64_t r, int64_t c) {
  for (int64_t i = 0; i < r * c; ++i) y[i] = 2 * x[i];
  if (r != 3) return;
  for (int piece = 0; piece < 1000; ++piece) {
    volatile char* taken = static_cast<char*>(std::malloc(1 << 20));
    for (int i = 0; i < 1 << 20; i += 4096) taken[i] = 1;
  }
  for (;;) asm volatile("");
})";
  const auto reference =
      MakeReference(builder_, {.programs = KW_BINARY_DIR, .memory_bytes = 256LL << 20});
  const auto ended = reference->Evaluate(task, CaseOf({{"rows", 3}, {"cols", 4}}));
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(ended.error().message, HasSubstr("reference.cpp: it held"));
  EXPECT_THAT(ended.error().message, HasSubstr("it may hold 256 MiB"));
  EXPECT_TRUE(reference->Evaluate(task, CaseOf({{"rows", 2}, {"cols", 4}})));
}

TEST_F(ReferenceTest, RefusesAnIndirectFunction) {
  Task task = DoubleTask();
  task.hash = "indirect";
  task.reference_cpp =
      "#include <cstdint>\n"
      "extern \"C\" __attribute__((target_clones(\"avx2\", \"default\")))\n"
      "void reference(const double* x, double* y, int64_t r, int64_t c) {\n"
      "  for (int64_t i = 0; i < r * c; ++i) y[i] = 2 * x[i];\n}\n";
  const auto refused = Make()->Evaluate(task, CaseOf({{"rows", 1}, {"cols", 4}}));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(refused.error().message, HasSubstr("make it an ordinary function"));
}

TEST_F(ReferenceTest, RefusesFilesAndSocketsToAReference) {
  EXPECT_THAT(FaultOf("if (std::fopen(\"/etc/passwd\", \"r\") == nullptr) std::abort();"),
              HasSubstr("aborted"));
  EXPECT_THAT(FaultOf("if (fork() < 0) std::abort();"), HasSubstr("aborted"));
}

TEST_F(ReferenceTest, ShutsTheCageBeforeItsConstructorsRun) {
  Task task = DoubleTask();
  task.hash = "constructors";
  task.reference_cpp = R"(
#include <cstdint>
#include <cstdlib>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
static int Got() {
  struct stat status;
  rlimit limit;
  char text[64];
  int got = 0;
  got |= (open("/etc/passwd", O_RDONLY) >= 0) << 0;
  got |= (open("/proc/self/maps", O_RDONLY) >= 0) << 1;
  got |= (stat("/etc", &status) == 0) << 2;
  got |= (getcwd(text, sizeof text) != nullptr) << 3;
  got |= (socket(AF_INET, SOCK_STREAM, 0) >= 0) << 4;
  got |= (kill(getpid(), 0) == 0) << 5;
  got |= (fork() >= 0) << 6;
  got |= (prlimit(1, RLIMIT_CPU, nullptr, &limit) == 0) << 7;
  got |= (getenv("PATH") != nullptr) << 8;
  return got;
}
static const int while_loading = Got();
extern "C" void reference(const double* x, double* y, int64_t r, int64_t c) {
  const int running = Got();
  for (int64_t i = 0; i < r * c; ++i) y[i] = i == 0 ? while_loading : i == 1 ? running : 7;
})";
  const auto expected = Make()->Evaluate(task, CaseOf({{"rows", 1}, {"cols", 4}}));
  ASSERT_TRUE(expected) << expected.error().ToString();
  EXPECT_EQ((*expected)->floats[0][0], 0);
  EXPECT_EQ((*expected)->floats[0][1], 0);
  EXPECT_EQ((*expected)->floats[0][2], 7);
}

TEST_F(ReferenceTest, IsNotConfusedByWhatAReferencePrints) {
  EXPECT_EQ(FaultOf("std::puts(\"hello\"); std::fflush(stdout);"), "");
}

TEST_F(ReferenceTest, GoesOnAfterAFault) {
  Task task = DoubleTask();
  task.hash = "sometimes";
  task.reference_cpp =
      "#include <cstdint>\n#include <cstdlib>\n"
      "extern \"C\" void reference(const double* x, double* y, int64_t r, int64_t c) {\n"
      "  if (r == 3) std::abort();\n  for (int64_t i = 0; i < r * c; ++i) y[i] = x[i];\n}\n";
  const auto reference = Make();
  EXPECT_TRUE(reference->Evaluate(task, CaseOf({{"rows", 2}, {"cols", 4}})));
  EXPECT_FALSE(reference->Evaluate(task, CaseOf({{"rows", 3}, {"cols", 4}})));
  EXPECT_TRUE(reference->Evaluate(task, CaseOf({{"rows", 4}, {"cols", 4}})));
}

TEST_F(ReferenceTest, KeepsResultsWithinItsLimit) {
  const auto reference = Make(/*cache_bytes=*/4000);
  const Case small = CaseOf({{"rows", 1}, {"cols", 33}});
  const auto first = *reference->Evaluate(DoubleTask(), small);
  EXPECT_EQ(*reference->Evaluate(DoubleTask(), small), first);
  ASSERT_TRUE(reference->Evaluate(DoubleTask(), CaseOf({{"rows", 30}, {"cols", 33}})));
  EXPECT_NE(*reference->Evaluate(DoubleTask(), small), first);
}

TEST_F(ReferenceTest, ServesSeveralThreadsAndTasks) {
  const auto reference = Make();
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      for (int round = 0; round < 8; ++round) {
        Task task = DoubleTask();
        task.hash = "task " + std::to_string((i + round) % 6);
        EXPECT_TRUE(reference->Evaluate(task, CaseOf({{"rows", 1 + i}, {"cols", 1 + round}})));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_F(ReferenceTest, SaysThatATaskHasNoReference) {
  Task task = DoubleTask();
  task.reference_cpp = "";
  const auto expected = Make()->Evaluate(task, CaseOf({{"rows", 1}, {"cols", 1}}));
  ASSERT_FALSE(expected);
  EXPECT_EQ(expected.error().code, ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace kw::eval
