// Task folders that break one promise each, made from a good one, and all of data/tasks.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kw/base/file.h"
#include "kw/base/text.h"
#include "kw/eval/calibration.h"

namespace kw::eval {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// y[row] = scale * (sum of row of x) + bias[index[row]], and how many of x are above zero.
constexpr char kDefinition[] = R"({"name": "sums", "op_type": "test", "axes": {
  "rows": {"type": "var"}, "cols": {"type": "var"}, "table": {"type": "var"}},
  "inputs": {"x": {"shape": ["rows", "cols"], "dtype": "float32"},
             "bias": {"shape": ["table"], "dtype": "float32"},
             "index": {"shape": ["rows"], "dtype": "int32"},
             "scale": {"shape": null, "dtype": "float32"}},
  "outputs": {"y": {"shape": ["rows"], "dtype": "float32"},
              "above": {"shape": ["rows"], "dtype": "int64"}},
  "reference": "def run(x, bias, index, scale):\n    return None\n"})";
constexpr char kWorkloads[] =
    R"({"definition": "sums", "workload": {"uuid": "w1", "axes": {"rows": 8, "cols": 64, "table": 5},
  "inputs": {}}, "solution": null, "evaluation": null})";
constexpr char kSettings[] = R"([tolerance]
float32 = 1e-5
[tolerance.relative]
float32 = 1e-5
[inputs.index]
kind = "index"
of = "table"
[inputs.scale]
values = [0.5, 2]
[axes.rows]
sizes = [1, 5, 33]
[axes.cols]
sizes = [1, 31, 300]
[axes.table]
sizes = [1, 7]
)";
constexpr char kReference[] = R"(#include <cstdint>
#include <vector>
extern "C" void reference(const double* x, const double* bias, const int64_t* index, double scale,
                          double* y, int64_t* above, int64_t rows, int64_t cols, int64_t table) {
  for (int64_t row = 0; row < rows; ++row) {
    double sum = 0;
    above[row] = 0;
    for (int64_t i = 0; i < cols; ++i) {
      sum += x[row * cols + i];
      if (x[row * cols + i] > 0) ++above[row];
    }
    y[row] = scale * sum + bias[index[row]];
  }
}
)";

class TaskCheckTest : public testing::Test {
 protected:
  // The good task, with one text in its files replaced by another.
  Task Altered(const std::string& from = "", const std::string& to = "") {
    std::map<std::string, std::string> files = {{"definition.json", kDefinition},
                                                {"workloads.jsonl", OneLine(kWorkloads)},
                                                {"task.toml", kSettings},
                                                {"reference.cpp", kReference},
                                                {"baseline.cu", "// not judged here\n"}};
    bool found = from.empty();
    for (auto& [name, text] : files) {
      for (size_t at = text.find(from); !from.empty() && at != text.npos;
           at = text.find(from, at + to.size())) {
        text.replace(at, from.size(), to);
        found = true;
      }
    }
    EXPECT_TRUE(found) << from;
    const Result<Task> task = LoadTaskFiles(files, "folder");
    EXPECT_TRUE(task) << task.error().ToString();
    return *task;
  }
  static std::string OneLine(std::string text) {
    std::replace(text.begin(), text.end(), '\n', ' ');
    return text;
  }

  TaskCheck Check(const Task& task, int count = 16) {
    const auto cases = PlanCases(task, FuzzSeed(1, task), count);
    EXPECT_TRUE(cases) << cases.error().ToString();
    const auto fresh = MakeReference(builder_, {.programs = KW_BINARY_DIR});
    const auto check = CheckTask(task, alternatives_, *cases, *reference_, *fresh, {});
    EXPECT_TRUE(check) << check.error().ToString();
    return check.value_or(TaskCheck{});
  }
  // "name: text" of the steps in this state, one a line.
  static std::string StepsIn(const TaskCheck& check, CheckStep::State state) {
    std::string text;
    for (const CheckStep& step : check.steps) {
      if (step.state == state) text += step.name + ": " + step.text + "\n";
    }
    return text;
  }
  std::string FailureOf(const std::string& from, const std::string& to) {
    return StepsIn(Check(Altered(from, to)), CheckStep::State::kFailed);
  }
  std::string WarningOf(const std::string& from, const std::string& to) {
    const TaskCheck check = Check(Altered(from, to));
    EXPECT_TRUE(check.ok()) << StepsIn(check, CheckStep::State::kFailed);
    return StepsIn(check, CheckStep::State::kWarning);
  }

  Alternatives alternatives_;
  // Compiled once for all runs of this suite.
  Builder builder_ = *Builder::Make({.cache = std::string(KW_BINARY_DIR) + "/e2e-cache/build"});
  std::unique_ptr<Reference> reference_ = MakeReference(builder_, {.programs = KW_BINARY_DIR});
};

TEST_F(TaskCheckTest, FindsNothingWrongWithAGoodTask) {
  const TaskCheck check = Check(Altered());
  EXPECT_TRUE(check.ok());
  EXPECT_EQ(StepsIn(check, CheckStep::State::kFailed), "");
  EXPECT_EQ(StepsIn(check, CheckStep::State::kWarning), "");
  EXPECT_EQ(check.steps.size(), 8u);
  EXPECT_EQ(check.digest, Check(Altered()).digest);
}

TEST_F(TaskCheckTest, TheDigestIsThatOfTheExpectedOutputs) {
  const std::string digest = Check(Altered()).digest;
  EXPECT_EQ(digest.size(), 32u);
  // The hash of the folder is the same for PlanCases' sake: only the reference is another.
  Task task = Altered();
  const auto cases = PlanCases(task, FuzzSeed(1, task), 16);
  EXPECT_EQ(*ExpectedDigest(task, *cases, *reference_), digest);
  task.hash += "other";
  task.reference_cpp = Altered("scale * sum", "1.001 * scale * sum").reference_cpp;
  EXPECT_NE(*ExpectedDigest(task, *cases, *reference_), digest);
}

TEST_F(TaskCheckTest, NamesAnInputThatIsIgnored) {
  EXPECT_THAT(FailureOf("bias[index[row]]", "bias[0]"),
              HasSubstr("every input matters: input 'index' changes no output"));
  EXPECT_THAT(FailureOf("scale * sum + bias", "sum + bias"), HasSubstr("input 'scale' changes"));
  EXPECT_THAT(FailureOf("scale * sum + bias[index[row]]", "scale * sum"),
              AllOf(HasSubstr("input 'bias' changes no output"),
                    HasSubstr("input 'index' changes no output")));
}

TEST_F(TaskCheckTest, NamesAnAxisThatIsIgnored) {
  EXPECT_THAT(FailureOf("i < cols; ++i", "i < 1; ++i"),
              HasSubstr("axis 'cols': what 'x' holds beyond its first index changes no output"));
  const Task task = Altered();
  std::vector<Case> cases = *PlanCases(task, FuzzSeed(1, task), 32);
  std::erase_if(cases, [](const Case& c) { return c.axes.at("cols") != 1; });
  const auto check = CheckTask(task, {}, cases, *reference_, *reference_, {});
  ASSERT_TRUE(check) << check.error().ToString();
  EXPECT_THAT(StepsIn(*check, CheckStep::State::kFailed),
              HasSubstr("axis 'cols' is never larger than 1 or never another: give it more sizes "
                        "in task.toml, [axes.cols]"));
}

TEST_F(TaskCheckTest, NamesAnElementThatIsNotWritten) {
  const std::string failure = FailureOf("    y[row] = ", "    if (row != 4) y[row] = ");
  EXPECT_THAT(failure, HasSubstr("reference: "));
  EXPECT_THAT(failure, HasSubstr("did not write element 4 of 'y'"));
}

TEST_F(TaskCheckTest, NamesAWriteOutOfBoundsACrashAndACompileError) {
  EXPECT_THAT(FailureOf("    y[row] = ", "    above[rows] = y[row] = "),
              HasSubstr("it went out of bounds of 'above'"));
  EXPECT_THAT(FailureOf("double sum = 0;", "double sum = *(volatile double*)8;"),
              HasSubstr("it crashed"));
  EXPECT_THAT(FailureOf("double sum = 0;", "double sum = zero;"),
              HasSubstr("reference.cpp:6: error"));
}

TEST_F(TaskCheckTest, SeesAnOutputThatIsReadBeforeItIsWritten) {
  EXPECT_THAT(FailureOf("above[row] = 0;", "above[row] += 1;"),
              HasSubstr("outputs are only written: element 0 of 'above' depends on"));
}

TEST_F(TaskCheckTest, SeesWhatAReferenceKeepsBetweenCalls) {
  EXPECT_THAT(FailureOf("    double sum = 0;",
                        "    static double last = 0; double sum = last;\n"
                        "    last = 1e-3 * rows;"),
              HasSubstr("deterministic: element 0 of 'y' is another"));
}

TEST_F(TaskCheckTest, SeesValuesThatAreNotFinite) {
  EXPECT_THAT(FailureOf("scale * sum + bias", "scale * sum + 0.0 / (above[row] > 0) + bias"),
              AllOf(HasSubstr("expected values: element "), HasSubstr("is NaN"),
                    HasSubstr("of 'y', case c"), HasSubstr("(group ")));
  // An infinity may be what the Definition says.
  EXPECT_THAT(
      WarningOf("scale * sum + bias", "scale * sum + (above[row] > 0 ? 0 : 1.0 / 0.0) + bias"),
      AllOf(HasSubstr("expected values: elements are infinite"), HasSubstr("of 'y', case c"),
            HasSubstr("(group ")));
}

TEST_F(TaskCheckTest, SeesAToleranceBelowTheHonestError) {
  const std::string failure = FailureOf("float32 = 1e-5", "float32 = 1e-9");
  EXPECT_THAT(failure, HasSubstr("tolerance: that of float32 is below the honest error"));
  EXPECT_THAT(failure, HasSubstr("times as much"));
}

TEST_F(TaskCheckTest, SeesAToleranceThatIsTooWide) {
  EXPECT_THAT(WarningOf("float32 = 1e-5", "float32 = 1e-3"), HasSubstr("times the honest error"));
  EXPECT_THAT(FailureOf("[tolerance]\nfloat32 = 1e-5", "[tolerance]\nfloat32 = 3e3"),
              HasSubstr("'y' of zeros passes"));
}

TEST_F(TaskCheckTest, WarnsWhereTheHonestErrorCannotBeMeasured) {
  EXPECT_THAT(WarningOf("double sum = 0;", "long double sum = 0;"),
              AllOf(HasSubstr("the honest error cannot be measured"),
                    HasSubstr("the task's reference.cpp:6")));
}

// `kReference` by another way: the sum of the elements above a number and of those below.
std::string TwoSums(const std::string& apart) {
  return R"(#include <cstdint>
extern "C" void reference(const double* x, const double* bias, const int64_t* index, double scale,
                          double* y, int64_t* above, int64_t rows, int64_t cols, int64_t table) {
  for (int64_t row = 0; row < rows; ++row) {
    double high = 0, low = 0;
    above[row] = 0;
    for (int64_t i = 0; i < cols; ++i) {
      const double value = x[row * cols + i];
      if (value > 0) ++above[row];
      (value > 0 ? high : low) += value + )" +
         apart + R"(;
    }
    y[row] = scale * (high + low - cols * double()" +
         apart + R"()) + bias[index[row]];
  }
}
)";
}

TEST_F(TaskCheckTest, CountsTheErrorsOfAlternatives) {
  alternatives_ = {{"twosums", TwoSums("0")}};
  EXPECT_TRUE(Check(Altered()).ok());
  // Right in float64; in float32 it loses what the tolerance does not allow.
  alternatives_ = {{"apart", TwoSums("1e4")}};
  EXPECT_THAT(FailureOf("", ""),
              AllOf(HasSubstr("tolerance: that of float32 is below the honest error"),
                    HasSubstr("'apart'")));
}

TEST_F(TaskCheckTest, NamesAnAlternativeThatComputesSomethingElse) {
  std::string wrong = TwoSums("0");
  wrong.replace(wrong.find("+ bias"), 1, "-");
  alternatives_ = {{"minus", wrong}};
  EXPECT_THAT(FailureOf("", ""),
              HasSubstr("alternatives: alternative_minus.cpp computes another 'y'"));
  alternatives_ = {{"broken", "int f() { return x; }"}};
  EXPECT_THAT(FailureOf("", ""),
              HasSubstr("alternatives: alternative_broken.cpp does not compile"));
}

class NativeTasks : public TaskCheckTest, public testing::WithParamInterface<std::string> {};

TEST_P(NativeTasks, HoldWhatTheyPromise) {
  const auto library = TaskLibrary::Open(std::string(KW_SOURCE_DIR) + "/data/tasks");
  const Result<Task> task = library->Load(GetParam());
  ASSERT_TRUE(task) << task.error().ToString();
  const TaskCheck check = Check(*task);
  EXPECT_EQ(StepsIn(check, CheckStep::State::kFailed), "");
  EXPECT_EQ(check.digest.size(), 32u);
}

std::vector<std::string> NativeNames() {
  const auto library = TaskLibrary::Open(std::string(KW_SOURCE_DIR) + "/data/tasks");
  return library ? library->Names() : std::vector<std::string>{};
}

INSTANTIATE_TEST_SUITE_P(All, NativeTasks, testing::ValuesIn(NativeNames()), [](const auto& info) {
  std::string name = info.param;
  for (char& c : name) {
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  }
  return name;
});

}  // namespace
}  // namespace kw::eval
