// Right kernels in the styles of skilled authors, TASK/NAME.cu, at least two a native task besides
// its baseline: none may fail. Here at quick effort and one seed each; bench/false_positives judges
// them at every effort over many seeds.
#include <gtest/gtest.h>

#include <map>

#include "attacks/attack_files.h"
#include "e2e/evaluation.h"

namespace kw::eval {
namespace {

std::string StylesRoot() { return std::string(KW_SOURCE_DIR) + "/tests/styles"; }

// All kernels, as TASK/NAME.cu.
std::vector<std::string> StyleKernels() {
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(StylesRoot())) {
    if (entry.path().extension() == ".cu") {
      found.push_back(entry.path().lexically_relative(StylesRoot()).string());
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

class StyleVerdict : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(E2e, StyleVerdict, testing::ValuesIn(StyleKernels()),
                         [](const auto& info) { return TestName(info.param); });

TEST_P(StyleVerdict, IsPassedUnlessItsCommentSaysThatItIsOpen) {
  const std::string source = *ReadFile(StylesRoot() + "/" + GetParam());
  ASSERT_FALSE(OpeningLine(source, "style").empty());
  const auto task = NativeTask(GetParam().substr(0, GetParam().find('/')));
  ASSERT_TRUE(task) << task.error().ToString();
  const auto evaluator = MakeEvaluator(E2eConfig());
  ASSERT_TRUE(evaluator) << evaluator.error().ToString();
  const auto verdict = (*evaluator)->Evaluate(*task, source, {.seed = 1, .effort = Effort::kQuick});
  ASSERT_TRUE(verdict) << verdict.error().ToString();
  if (!OpeningLine(source, "open").empty()) {
    EXPECT_EQ(StatusName(verdict->status), "INCORRECT_NUMERICAL")
        << "passes now? Then take the line '// open:' out. " << VerdictToJson(*verdict);
    return;
  }
  EXPECT_TRUE(verdict->passed()) << VerdictToJson(*verdict);
  EXPECT_EQ(verdict->hazards, "none");
}

TEST(StyleKernels, AreTwoAtLeastForEveryNativeTask) {
  std::map<std::string, int> count;
  for (const std::string& path : StyleKernels()) ++count[path.substr(0, path.find('/'))];
  const auto library = TaskLibrary::Open(std::string(KW_SOURCE_DIR) + "/data/tasks");
  ASSERT_TRUE(library) << library.error().ToString();
  ASSERT_FALSE(library->Names().empty());
  for (const std::string& task : library->Names()) EXPECT_GE(count[task], 2) << task;
}

}  // namespace
}  // namespace kw::eval
