// Every native task's reference.cpp against the Definition's Python, by PyTorch in float64.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kw/base.h"
#include "kw/base/process.h"
#include "kw/eval/task.h"

namespace kw::eval {
namespace {

using testing::HasSubstr;

const std::string kPython = std::string(KW_SOURCE_DIR) + "/build/python-env/run";

ProcessExit Check(const std::string& task) {
  return RunProcess({.argv = {KW_BINARY_DIR "/kwright", "tasks", "check", task, "--python", kPython,
                              "--cases", "33"},  // not the usual schedule: nothing is kept
                     .inherit_environment = true})
      .value();
}

class PythonReference : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (!FileExists(kPython)) GTEST_SKIP() << "scripts/python-env makes the environment";
  }
};

TEST_P(PythonReference, AgreesWithReferenceCpp) {
  const ProcessExit exit = Check(GetParam());
  EXPECT_THAT(exit.out, HasSubstr("ok: python reference: agrees")) << exit.err;
}

INSTANTIATE_TEST_SUITE_P(Tasks, PythonReference,
                         testing::ValuesIn(TaskLibrary::Open(KW_SOURCE_DIR "/data/tasks")->Names()),
                         [](const auto& test) { return test.param; });

class BrokenPythonReference : public PythonReference {};

TEST_F(BrokenPythonReference, IsNamedWithTheElementThatDiffers) {
  const ScratchDirectory scratch = *ScratchDirectory::Make("python-reference");
  const std::string folder = scratch.path() + "/silu";
  ASSERT_TRUE(MakeDirectories(folder));
  const std::string native = std::string(KW_SOURCE_DIR) + "/data/tasks/silu/silu";
  const std::vector<std::string> files = *ListDirectory(native);
  for (const std::string& file : files) {
    std::string text = *ReadFile(native + "/" + file);
    const size_t at = file == "reference.cpp" ? text.find("exp(") : text.npos;
    if (at != text.npos) text.insert(at + 4, "1e-6 + ");
    ASSERT_TRUE(WriteFileAtomic(folder + "/" + file, text));
  }
  const ProcessExit exit = Check(folder);
  EXPECT_EQ(exit.code, 1);
  EXPECT_THAT(exit.out, HasSubstr("FAILED: python reference: definition.json and reference.cpp "
                                  "disagree in float64: case c"));
}

}  // namespace
}  // namespace kw::eval
