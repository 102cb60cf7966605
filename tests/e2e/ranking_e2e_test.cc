// The modelled times of real kernels rank ordinary optimisations rightly, on several devices. Each
// folder of tests/e2e/ranking holds faster.cu and slower.cu; the first line names task and shape.
#include <gtest/gtest.h>

#include "e2e/evaluation.h"

namespace kw::eval {
namespace {

std::vector<std::string> Pairs() {
  auto names = ListDirectory(std::string(KW_SOURCE_DIR) + "/tests/e2e/ranking");
  return names ? *names : std::vector<std::string>();
}

// A native task whose one timed workload has the given axes ("rows=4096", "cols=512").
Result<Task> AtShape(const std::string& name, const std::vector<std::string>& axes,
                     const std::string& folder) {
  KW_ASSIGN(const Task native, NativeTask(name));
  std::map<std::string, std::string> files = native.files;
  std::string sizes, inputs;
  for (const std::string& axis : axes) {
    const size_t equals = axis.find('=');
    sizes +=
        (sizes.empty() ? "\"" : ", \"") + axis.substr(0, equals) + "\": " + axis.substr(equals + 1);
  }
  for (const Tensor& input : native.inputs) {
    inputs += (inputs.empty() ? "\"" : ", \"") + input.name + "\": " +
              (input.is_scalar ? R"({"type": "scalar", "value": 0.1})" : R"({"type": "random"})");
  }
  files["workloads.jsonl"] =
      "{\"definition\": \"" + name + "\", \"workload\": {\"uuid\": \"w\", \"axes\": {" + sizes +
      "}, \"inputs\": {" + inputs + "}}, \"solution\": null, \"evaluation\": null}\n";
  return LoadTaskFiles(files, folder);
}

class Ranking : public testing::TestWithParam<std::tuple<std::string, std::string>> {
 protected:
  Verdict Judge(const std::string& file, const std::string& device) {
    const auto source = ReadFile(std::string(KW_SOURCE_DIR) + "/tests/e2e/ranking/" + file);
    EXPECT_TRUE(source);
    std::vector<std::string> words = FirstLineWords(*source, "task");
    const auto task = AtShape(words[0], {words.begin() + 1, words.end()}, "/nowhere");
    EXPECT_TRUE(task) << task.error().ToString();
    EvaluatorConfig config = E2eConfig();
    config.device = device;
    const auto evaluator = MakeEvaluator(config);
    EXPECT_TRUE(evaluator) << evaluator.error().ToString();
    const auto verdict =
        (*evaluator)->Evaluate(*task, *source, {.seed = 1, .effort = Effort::kQuick});
    EXPECT_TRUE(verdict) << verdict.error().ToString();
    EXPECT_TRUE(verdict->passed()) << VerdictToJson(*verdict);
    return *verdict;
  }
};
INSTANTIATE_TEST_SUITE_P(E2e, Ranking,
                         testing::Combine(testing::ValuesIn(Pairs()),
                                          testing::Values("a100_sxm4", "t4")),
                         [](const auto& info) {
                           return TestName(std::get<0>(info.param) + "_" + std::get<1>(info.param));
                         });

TEST_P(Ranking, TheOptimisedKernelIsFaster) {
  const auto& [pair, device] = GetParam();
  const Verdict faster = Judge(pair + "/faster.cu", device);
  const Verdict slower = Judge(pair + "/slower.cu", device);
  ASSERT_EQ(faster.workloads.size(), 1u);
  ASSERT_EQ(slower.workloads.size(), 1u);
  EXPECT_EQ(faster.device_name, device);
  EXPECT_LT(faster.workloads[0].time.us * 1.02, slower.workloads[0].time.us)
      << faster.feedback << "\n\n"
      << slower.feedback;
}

}  // namespace
}  // namespace kw::eval
