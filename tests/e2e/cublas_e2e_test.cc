// Verdicts on candidates of tasks that allow cuBLAS: native ones, with one line more in task.toml.
// Each kernel in tests/e2e/cublas/TASK/ says in its first two lines what its verdict must be, and
// words of what its author is told.
#include "e2e/evaluation.h"

namespace kw::eval {
namespace {

Result<Task> WithCublas(const std::string& task) {
  return ChangedTask("gemm/" + task, "task.toml", [](const std::string& text) {
    return text + "\n[allow]\nlibraries = [\"cublas\"]\n";
  });
}

class CublasVerdict : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(E2e, CublasVerdict, testing::ValuesIn(Kernels("cublas")),
                         [](const auto& info) { return TestName(info.param); });

TEST_P(CublasVerdict, IsAsItsFirstLinesSay) {
  const std::string source =
      *ReadFile(std::string(KW_SOURCE_DIR) + "/tests/e2e/cublas/" + GetParam());
  const std::vector<std::string> expected = FirstLineWords(source, "expect");
  constexpr std::string_view kSays = "// says: ";
  const std::string_view told = Lines(source)[1];
  ASSERT_TRUE(told.starts_with(kSays));
  const auto task = WithCublas(GetParam().substr(0, GetParam().find('/')));
  ASSERT_TRUE(task) << task.error().ToString();
  const auto verdict = JudgeExpecting(*task, source, expected);
  ASSERT_TRUE(verdict);
  const std::string json = VerdictToJson(*verdict);
  EXPECT_NE(verdict->feedback.find(told.substr(kSays.size())), std::string::npos) << json;
  if (verdict->passed()) {
    EXPECT_EQ(verdict->hazards, "none");
    EXPECT_GT(verdict->speedup, GetParam() == "matmul/right.cu" ? 1.5 : 0) << json;
  }
}

// Without the line, the same candidate is refused, and told why.
TEST(CublasNotAllowed, IsSaidToTheAuthor) {
  const std::string source =
      *ReadFile(std::string(KW_SOURCE_DIR) + "/tests/e2e/cublas/matmul/mixed.cu");
  const auto task = NativeTask("matmul");
  ASSERT_TRUE(task) << task.error().ToString();
  const auto evaluator = MakeEvaluator(E2eConfig());
  const auto verdict = (*evaluator)->Evaluate(*task, source, {.seed = 1});
  ASSERT_TRUE(verdict) << verdict.error().ToString();
  EXPECT_EQ(verdict->status, Status::kCompileError);
  EXPECT_NE(verdict->feedback.find("This task allows no cuBLAS"), std::string::npos)
      << verdict->feedback;
}

}  // namespace
}  // namespace kw::eval
