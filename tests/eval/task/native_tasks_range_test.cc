// A result that a 16-bit output cannot hold would not be judged: the inputs' domains leave none.
#include <gtest/gtest.h>

#include <cmath>

#include "kw/base/file.h"
#include "kw/eval/oracle.h"
#include "src/eval/oracle/value_types.h"

namespace kw::eval {
namespace {

bool HasHalfOutput(const Task& task) {
  return std::any_of(task.outputs.begin(), task.outputs.end(), [](const Tensor& output) {
    return IsFloat(output.dtype) && DTypeBytes(output.dtype) == 2;
  });
}

double LargestOf(const std::vector<double>& values) {
  double largest = 0;
  for (const double value : values) largest = std::max(largest, std::fabs(value));
  return largest;
}

TEST(NativeTasksOfSixteenBits, HoldEveryResultThatIsTried) {
  const Result<TaskLibrary> library = TaskLibrary::Open(KW_SOURCE_DIR "/data/tasks");
  ASSERT_TRUE(library) << library.error().ToString();
  const ScratchDirectory folder = *ScratchDirectory::Make("native-tasks");
  Builder builder = *Builder::Make({.cache = folder.path()});
  const auto reference = MakeReference(builder, {.programs = KW_BINARY_DIR});
  int tried = 0;
  for (const std::string& name : library->Names()) {
    const Task task = *library->Load(name);
    // Its inputs are unbounded: sums beyond 65504 are not judged.
    if (!HasHalfOutput(task) || name == "matmul_fp16") continue;
    ++tried;
    const Result<std::vector<Case>> cases = PlanCases(task, FuzzSeed(3, task), 64);
    ASSERT_TRUE(cases) << cases.error().ToString();
    for (const Case& c : *cases) {
      const auto expected = reference->Evaluate(task, c);
      ASSERT_TRUE(expected) << expected.error().ToString();
      for (size_t i = 0; i < task.outputs.size(); ++i) {
        if (!IsFloat(task.outputs[i].dtype) || DTypeBytes(task.outputs[i].dtype) != 2) continue;
        EXPECT_LT(LargestOf((*expected)->floats[i]), LargestFinite(task.outputs[i].dtype))
            << name << " " << c.id << " " << c.group << " " << task.outputs[i].name;
      }
    }
  }
  EXPECT_GE(tried, 8);
}

}  // namespace
}  // namespace kw::eval
