// A hostile candidate leaves nothing to the next one: the verdict on an honest kernel has the same
// bytes after it as on a fresh worker.
#include <gtest/gtest.h>

#include <map>

#include "attacks/attack_files.h"

namespace kw::eval {
namespace {

// One candidate a kind, the quick kinds and the violent ones among them.
std::vector<AttackFile> OneOfEachKind() {
  std::map<std::string, AttackFile> kinds;
  for (const std::string& path : AttackPaths("kernels")) {
    AttackFile file = ReadAttackFile(path);
    const bool slow = file.statuses.front() == "TIMEOUT" || path.ends_with("/endless.cu") ||
                      file.kind == "compile" || file.task != "leaky_relu";
    if (!slow) kinds.emplace(file.kind, std::move(file));
  }
  std::vector<AttackFile> files;
  for (auto& [kind, file] : kinds) files.push_back(std::move(file));
  return files;
}

std::unique_ptr<Evaluator> FreshEvaluator() {
  auto made = MakeEvaluator(E2eConfig());
  KW_CHECK(made.has_value(), "an evaluator");
  return std::move(*made);
}

TEST(AfterAHostileCandidate, AnHonestKernelsVerdictIsTheSame) {
  const auto task = NativeTask("leaky_relu");
  ASSERT_TRUE(task);
  const AttackFile honest = ReadAttackFile("legal/grid_stride.cu");
  const EvaluateOptions options{.seed = 3, .effort = Effort::kQuick};
  const auto judged = [&](Evaluator& evaluator, const std::string& source) {
    const auto verdict = evaluator.Evaluate(*task, source, options);
    EXPECT_TRUE(verdict) << verdict.error().ToString();
    return verdict ? VerdictToJson(*verdict) : "";
  };
  const std::string fresh = judged(*FreshEvaluator(), honest.source);
  const auto evaluator = FreshEvaluator();
  const std::vector<AttackFile> hostile = OneOfEachKind();
  EXPECT_GE(hostile.size(), 12u);
  for (const AttackFile& file : hostile) {
    judged(*evaluator, file.source);
    EXPECT_EQ(judged(*evaluator, honest.source), fresh) << "after " << file.path;
  }
}

}  // namespace
}  // namespace kw::eval
