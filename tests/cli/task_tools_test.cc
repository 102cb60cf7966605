// kwright tasks calibrate and check: as a user meets them, on good folders and broken ones.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "kw/base.h"
#include "kw/base/json.h"
#include "run_kwright.h"

namespace kw {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

class TaskTools : public testing::Test {
 protected:
  // The proposal of a calibration.
  static Json Tolerance(const std::string& task) {
    const ProcessExit exit = Kwright({"tasks", "calibrate", task, "--cases", "16", "--json"});
    EXPECT_EQ(exit.code, 0) << exit.err;
    return ParseJson(exit.out, "calibration").value().at("tolerances").at(0);
  }
  // A copy of a native task, one text of one file replaced.
  std::string Altered(const std::string& task, const std::string& file, const std::string& from,
                      const std::string& to) {
    const std::string folder = scratch_.path() + "/" + std::to_string(++copies_);
    std::filesystem::copy(std::string(KW_SOURCE_DIR) + "/data/tasks/" + task, folder);
    std::string text = *ReadFile(folder + "/" + file);
    const size_t at = text.find(from);
    EXPECT_NE(at, text.npos) << from;
    text.replace(at, from.size(), to);
    EXPECT_TRUE(WriteFileAtomic(folder + "/" + file, text));
    return folder;
  }
  // What is said of a folder that fails.
  static std::string Failure(const std::string& folder) {
    const ProcessExit exit = Kwright({"tasks", "check", folder});
    EXPECT_EQ(exit.code, 1) << exit.out << exit.err;
    const size_t at = exit.out.find("FAILED: ");
    return at == exit.out.npos ? exit.out : exit.out.substr(at);
  }

  const ScratchDirectory scratch_ = *ScratchDirectory::Make("task-tools");
  int copies_ = 0;
};

TEST_F(TaskTools, CalibrateSoftmaxProposesAFewRoundingsOfFloat32) {
  const Json tolerance = Tolerance("softmax");
  const double relative = tolerance.at("proposed").at("relative").get<double>();
  EXPECT_GE(relative, 2e-7);
  EXPECT_LE(relative, 1e-5);
  // Probabilities are small: the absolute part is smaller still.
  EXPECT_LE(tolerance.at("proposed").at("absolute").get<double>(), relative / 10);
  EXPECT_LT(tolerance.at("now_used").get<double>(), 1);
}

TEST_F(TaskTools, CalibrateRmsnormInFloat16ProposesAFewRoundingsOfTheOutput) {
  const Json tolerance = Tolerance("rmsnorm_fp16");
  EXPECT_TRUE(tolerance.at("floored").get<bool>());
  EXPECT_GE(tolerance.at("proposed").at("relative").get<double>(), 1e-3);
  EXPECT_LE(tolerance.at("proposed").at("relative").get<double>(), 3e-3);
}

TEST_F(TaskTools, CalibrateShowsATableAndABlockToPaste) {
  const ProcessExit exit = Kwright({"tasks", "calibrate", "rmsnorm_fp16", "--cases", "16"});
  EXPECT_EQ(exit.code, 0) << exit.err;
  EXPECT_THAT(exit.out,
              AllOf(HasSubstr("kahan+fma"), HasSubstr("\nzeros_and_ones "),
                    HasSubstr("now:      1.5e-06 + 0.0015 |reference|"),
                    HasSubstr("as 'half' computes it"), HasSubstr("\n[tolerance]\nfloat16 = ")));
}

TEST_F(TaskTools, CalibrateCountsAlternativesAndSaysWhatCannotBeMeasured) {
  const std::string folder = Altered("gelu/gelu", "task.toml", "", "");
  std::filesystem::remove(folder + "/alternative_erf.cpp");
  // It loses digits where gelu is small: the absolute part must grow.
  const auto absolute = [&](const std::string& task) {
    return Tolerance(task).at("proposed").at("absolute").get<double>();
  };
  EXPECT_GT(absolute("gelu"), absolute(folder));

  const ProcessExit refused =
      Kwright({"tasks", "calibrate",
               Altered("row_sum/row_sum", "reference.cpp", "double sum = 0;", "auto sum = 0.0;")});
  EXPECT_EQ(refused.code, 2);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("the task's reference.cpp:6: error"),
                                 HasSubstr("docs/design/calibration.md")));
}

TEST_F(TaskTools, CheckPassesANativeTaskAndEndsWithTheDigest) {
  const ProcessExit exit = Kwright({"tasks", "check", "softmax"});
  EXPECT_EQ(exit.code, 0) << exit.out << exit.err;
  EXPECT_THAT(exit.out,
              AllOf(StartsWith("ok: loads: softmax"), HasSubstr("ok: baseline: passes 32 cases"),
                    Not(HasSubstr("FAILED"))));
  const ProcessExit digest = Kwright({"tasks", "check", "softmax", "--digest"});
  EXPECT_EQ(digest.code, 0) << digest.err;
  EXPECT_THAT(digest.out, StartsWith("digest "));
  EXPECT_THAT(exit.out, EndsWith(digest.out));
}

TEST_F(TaskTools, CheckSaysWhetherPythonWasEverAsked) {
  const auto step = [](const std::string& folder) {
    const ProcessExit exit = Kwright({"tasks", "check", folder});
    const size_t at = exit.out.find("python reference: ");
    return at == exit.out.npos ? "" : exit.out.substr(at, exit.out.find('\n', at) - at);
  };
  const std::string folder = Altered("row_sum/row_sum", "definition.json", "", "");
  EXPECT_THAT(step(folder), HasSubstr("says what it said when it was compared"));
  ASSERT_TRUE(WriteFileAtomic(folder + "/python.digest", "another\n"));
  EXPECT_THAT(step(folder),
              AllOf(HasSubstr("has changed since it was compared"), HasSubstr("--python PYTHON")));
  std::filesystem::remove(folder + "/python.digest");
  EXPECT_THAT(step(folder), HasSubstr("was not compared with that of definition.json"));
  const ProcessExit exit = Kwright({"tasks", "check", folder, "--python", "/bin/false"});
  EXPECT_EQ(exit.code, 2);
  EXPECT_THAT(exit.err, HasSubstr("'/bin/false' does not run the comparison (it needs Python"));
}

// `make test-interop` asks Python itself.
TEST_F(TaskTools, EveryReferenceSaysWhatItSaidWhenItAgreedWithPython) {
  size_t tasks = 0;
  const std::string root = std::string(KW_SOURCE_DIR) + "/data/tasks";
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    if (entry.path().filename() != "definition.json") continue;
    ++tasks;
    const std::string folder = entry.path().parent_path().string();
    const auto kept = ReadFile(folder + "/python.digest");
    EXPECT_TRUE(kept) << "run scripts/python-env, and kwright tasks check " << folder
                      << " --python build/python-env/run";
    if (!kept) continue;
    EXPECT_EQ(Kwright({"tasks", "check", folder, "--digest"}).out, "digest " + *kept) << folder;
  }
  EXPECT_GE(tasks, 48u);
}

TEST_F(TaskTools, CheckFailsABaselineThatDoesNotPass) {
  EXPECT_THAT(Failure(Altered("row_sum/row_sum", "baseline.cu", "rows", "rows - 1")),
              HasSubstr("FAILED: baseline: baseline.cu is "));
}

TEST_F(TaskTools, CheckSaysWhatDoesNotLoad) {
  const auto altered = [&](const std::string& file, const std::string& from,
                           const std::string& to) {
    return Failure(Altered("row_sum/row_sum", file, from, to));
  };
  EXPECT_THAT(altered("definition.json", "\"cols\"\n", "\"colums\"\n"),
              AllOf(StartsWith("FAILED: loads: "), HasSubstr("definition.json"),
                    HasSubstr("'colums'"), HasSubstr("did you mean 'cols'?")));
  EXPECT_THAT(altered("task.toml", "float32 = ", "float32 = 0 # "),
              AllOf(HasSubstr("task.toml: tolerance.float32"), HasSubstr("must be more than 0")));
  EXPECT_THAT(altered("workloads.jsonl", "\"rows\"", "\"row\""),
              AllOf(HasSubstr("workloads.jsonl: line 1"), HasSubstr("'row'")));
  EXPECT_THAT(
      altered("definition.json", "\"constraints\": []", "\"constraints\": [\"cols % 2 == 0\"]"),
      AllOf(HasSubstr("workloads.jsonl: line"), HasSubstr("cols % 2 == 0")));
  std::string folder = Altered("row_sum/row_sum", "baseline.cu", "rows", "rows");
  std::filesystem::remove(folder + "/baseline.cu");
  EXPECT_THAT(Failure(folder), HasSubstr("baseline.cu is missing"));
  folder = Altered("row_sum/row_sum", "baseline.cu", "rows", "rows");
  std::filesystem::remove(folder + "/reference.cpp");
  EXPECT_THAT(Failure(folder), HasSubstr("reference.cpp is missing"));
  const ProcessExit unknown = Kwright({"tasks", "check", "sofmax"});
  EXPECT_EQ(unknown.code, 2);
  EXPECT_THAT(unknown.err, HasSubstr("did you mean 'softmax'?"));
}

TEST_F(TaskTools, CheckNamesTheFaultOfAReference) {
  EXPECT_THAT(Failure(Altered("row_sum/row_sum", "reference.cpp", "i < cols", "i < 1")),
              HasSubstr("FAILED: every axis matters: axis 'cols'"));
  const std::string missing =
      Failure(Altered("row_sum/row_sum", "reference.cpp", "y[row] = sum", "z[row] = sum"));
  EXPECT_THAT(missing, AllOf(HasSubstr("FAILED: reference: reference.cpp does not compile"),
                             HasSubstr("'z' was not declared")));
  // Nothing is judged by a reference that there is not.
  EXPECT_THAT(missing, Not(AnyOf(HasSubstr("baseline"), HasSubstr("digest"))));
}

}  // namespace
}  // namespace kw
