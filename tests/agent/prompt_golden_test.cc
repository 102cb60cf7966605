// Renders every prompt and compares it whole with tests/agent/golden/NAME.txt. After a change of a
// prompt run this test with KW_UPDATE_GOLDEN=1 and read the difference.
#include <gtest/gtest.h>

#include <cstdlib>
#include <set>

#include "agent/fakes.h"
#include "src/agent/prompt_views.h"
#include "src/agent/prompts.h"

namespace kw {
namespace {

using test::MadeTask;
using test::Must;

// Braces in a source must come through as they are.
constexpr const char* kTemplateLikeSource =
    "__global__ void k(float* y) { float a[2][2] = {{1, 2}, {{{3}}, 4}}; y[0] = a[0][1]; }";

eval::DeviceSheet Sheet() {
  eval::DeviceSheet sheet;
  sheet.name = "a100_sxm4";
  sheet.title = "NVIDIA A100-SXM4-80GB";
  sheet.l2_bytes = 40 << 20;
  sheet.dram_gbps = 2039;
  sheet.fp32_tflops = 19.5;
  return sheet;
}

AttemptRecord Attempt(const std::string& source, eval::Status status, const std::string& stage,
                      const std::string& feedback, double speedup = 0) {
  AttemptRecord attempt;
  attempt.source = source;
  attempt.verdict.status = status;
  attempt.verdict.stage = stage;
  attempt.verdict.feedback = feedback;
  attempt.verdict.speedup = speedup;
  return attempt;
}

AttemptRecord ShownPassed() {
  return Attempt(kTemplateLikeSource, eval::Status::kPassed, "timing",
                 "Correct on all 16 test cases.", 1.32);
}
AttemptRecord ShownWrong() {
  return Attempt("__global__ void k();", eval::Status::kIncorrectNumerical, "oracle",
                 "case c07 (rows = 33): element 64 is 0, expected 1.25");
}
AttemptRecord ShownMalformed() {
  return Attempt("", eval::Status::kMalformed, "extract", "the code fence is never closed");
}

PromptValues Values(const std::string& name) {
  PromptValues values = TaskView(MadeTask(), Sheet());
  AddLessons(values, {});
  values.Text("malformed", "");
  if (name == "generate") {
    AddLessons(values, {.lessons = {{1, "Guard the tail", "Sizes that are no multiple of 32.",
                                     "Compare the index with the size before each access."}}});
  } else if (name == "refine") {
    AddLessons(values, {.rules = true, .lessons = {{1, "", "", "The kernel guards the tail."}}});
    values
        .List("attempts",
              {AttemptView(ShownPassed(), "Attempt 1"), AttemptView(ShownWrong(), "Attempt 2")})
        .Text("malformed", "line 12: '{' is never closed");
  } else if (name == "metr") {
    values.List("parent", {AttemptView(ShownWrong(), "an earlier kernel of yours")});
  } else if (name == "items_success") {
    values.List("attempts", {AttemptView(ShownPassed(), "Kernel 1")}).Text("max_items", "3");
  } else if (name == "items_failure") {
    values.List("attempts", {AttemptView(ShownMalformed(), "Kernel 1")}).Text("max_items", "3");
  } else if (name == "items_contrast" || name == "analyse") {
    values
        .List("attempts",
              {AttemptView(ShownPassed(), "Kernel 1"), AttemptView(ShownWrong(), "Kernel 2")})
        .Text("max_items", "5");
  } else if (name == "rules") {
    values.Text("analysis", "The better kernel guards the tail.").Text("max_rules", "3");
  } else if (name == "merge") {
    values
        .List("rules", {PromptValues().Text("number", "1").Text("text", "Guard the tail."),
                        PromptValues().Text("number", "2").Text("text", "Check the last index.")})
        .Text("max_rules", "25");
  } else if (name == "judge") {
    values.Text("rule", "The kernel guards the tail.").Text("source", kTemplateLikeSource);
  } else if (name == "retry") {
    values.Text("problem", "it holds no JSON array of items");
  }
  return values;
}

class GoldenTest : public ::testing::TestWithParam<const char*> {};

TEST_P(GoldenTest, RendersAsKept) {
  PromptSet prompts = Must(PromptSet::Load(std::string(KW_SOURCE_DIR) + "/prompts"));
  auto text = prompts.Render(GetParam(), Values(GetParam()));
  ASSERT_TRUE(text) << text.error().ToString();
  std::string path = std::string(KW_SOURCE_DIR) + "/tests/agent/golden/" + GetParam() + ".txt";
  if (std::getenv("KW_UPDATE_GOLDEN") != nullptr) Must(WriteFileAtomic(path, *text));
  EXPECT_EQ(*text, Must(ReadFile(path)));
}

const char* const kPrompts[] = {"generate",      "refine",         "metr",    "items_success",
                                "items_failure", "items_contrast", "analyse", "rules",
                                "merge",         "judge",          "retry"};
INSTANTIATE_TEST_SUITE_P(Prompts, GoldenTest, ::testing::ValuesIn(kPrompts),
                         [](const auto& info) { return std::string(info.param); });

TEST(Golden, ATaskThatAllowsALibraryNamesItAndAsksForNoKernel) {
  PromptSet prompts = Must(PromptSet::Load(std::string(KW_SOURCE_DIR) + "/prompts"));
  eval::Task task = MadeTask();
  task.allowed_libraries = {"cublas"};
  PromptValues values = TaskView(task, Sheet());
  AddLessons(values, {});
  const auto text = prompts.Render("generate", values);
  ASSERT_TRUE(text) << text.error().ToString();
  EXPECT_NE(text->find("these libraries may be used: cublas. Work of a library too is done on "
                       "`stream` (`cublasSetStream`)"),
            std::string::npos)
      << *text;
  EXPECT_NE(text->find("- Compute on the device. Copying"), std::string::npos) << *text;
}

// What providers keep of a prompt is a head that others begin with as well.
TEST(Golden, AllPromptsOfATaskBeginWithTheSame) {
  PromptSet prompts = Must(PromptSet::Load(std::string(KW_SOURCE_DIR) + "/prompts"));
  const ChatMessage first = Must(prompts.Message("generate", Values("generate")));
  const std::string head = first.content.substr(0, first.stable_bytes);
  EXPECT_NE(head.find("# What to answer"), std::string::npos);
  EXPECT_NE(head.find("# The device"), std::string::npos);
  EXPECT_EQ(head.find("Guard the tail"), std::string::npos);  // a lesson
  for (const char* name : {"refine", "metr"}) {
    const ChatMessage other = Must(prompts.Message(name, Values(name)));
    EXPECT_EQ(other.content.substr(0, other.stable_bytes), head) << name;
    EXPECT_LT(other.stable_bytes, other.content.size()) << name;
  }
}

TEST(Golden, AKernelIsJudgedByManyRulesBehindTheSameText) {
  PromptSet prompts = Must(PromptSet::Load(std::string(KW_SOURCE_DIR) + "/prompts"));
  PromptValues values = Values("judge");
  const ChatMessage first = Must(prompts.Message("judge", values));
  const ChatMessage other = Must(prompts.Message("judge", values.Text("rule", "Another rule.")));
  EXPECT_NE(first.content, other.content);
  const std::string head = first.content.substr(0, first.stable_bytes);
  EXPECT_NE(head.find(kTemplateLikeSource), std::string::npos);
  EXPECT_EQ(other.content.substr(0, other.stable_bytes), head);
}

TEST(Golden, EveryPromptIsEitherRenderedOrPartOfOne) {
  const std::set<std::string> partials = {"task",       "lessons",    "answer", "attempt",
                                          "trajectory", "items_form", "head",   "judged"};
  std::set<std::string> known(std::begin(kPrompts), std::end(kPrompts));
  known.insert(partials.begin(), partials.end());
  for (const std::string& file : Must(ListDirectory(std::string(KW_SOURCE_DIR) + "/prompts"))) {
    EXPECT_TRUE(known.contains(file.substr(0, file.find('.')))) << file;
  }
}

}  // namespace
}  // namespace kw
