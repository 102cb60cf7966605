#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/fakes.h"
#include "src/agent/journal.h"

namespace kw {
namespace {

using test::AnswerSaying;
using test::Must;
using test::TestRooms;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

bool Holds(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

// Kernels as told; what learners ask is answered by `learn`.
ScriptedModel::Script Script(const std::string& verdict,
                             std::function<std::string(const std::string&)> learn) {
  return [verdict, learn](const ChatRequest& request) -> Result<ChatAnswer> {
    const std::string& prompt = request.messages.back().content;
    bool kernel = Holds(prompt, "One CUDA C++ source file");
    return ChatAnswer{.content = kernel ? AnswerSaying(verdict, prompt) : learn(prompt),
                      .finish_reason = "stop"};
  };
}

std::string OneItem(const std::string& title) {
  return "[{\"title\": \"" + title + "\", \"description\": \"d\", \"content\": \"c\"}]";
}

RunRecord RunLearner(TestRooms& rooms, const std::string& learner, int samples = 1,
                     int epochs = 1) {
  RunConfig config = rooms.Config("best_of_n", learner);
  config.tasks = {"softmax"};
  config.epochs = epochs;
  config.samples = config.parallel = samples;
  return Must(StartRun(config, rooms.View(), rooms.nobody, {}));
}

std::vector<ChatRequest> Learning(const TestRooms& rooms) {
  std::vector<ChatRequest> learning;
  for (ChatRequest& request : rooms.model.requests()) {
    if (!Holds(request.messages.back().content, "One CUDA C++ source file")) {
      learning.push_back(std::move(request));
    }
  }
  return learning;
}

TEST(ReasoningBank, LearnsFromSuccessFailureAndContrastWithTheirOwnPrompts) {
  struct Case {
    std::string verdict;
    int samples;
    std::string prompt, outcome;
  };
  for (const Case& c : {Case{"PASSED 1.20", 1, "and it is correct", "success"},
                        Case{"INCORRECT_NUMERICAL", 1, "and it failed", "failure"},
                        Case{"PASSED 1.20", 2, "with different success", "contrast"}}) {
    TestRooms rooms(Script(c.verdict, [](const std::string&) { return OneItem("Lesson"); }));
    RunLearner(rooms, "reasoning_bank", c.samples);
    std::vector<ChatRequest> asked = Learning(rooms);
    ASSERT_THAT(asked, SizeIs(1)) << c.outcome;
    EXPECT_THAT(asked[0].messages[0].content, HasSubstr(c.prompt));
    std::vector<MemoryItem> items = Must(rooms.bank->Items(0, 10));
    ASSERT_THAT(items, SizeIs(1)) << c.outcome;
    EXPECT_EQ(items[0].from.outcome, c.outcome);
    EXPECT_EQ(items[0].from.step, "e0/b0/softmax/learn/items");
    EXPECT_EQ(items[0].from.task, "softmax");
    EXPECT_EQ(items[0].from.run_name, "run");
    EXPECT_FALSE(items[0].from.candidate_hash.empty());
  }
}

TEST(ReasoningBank, RecallsWhatItLearnedAndCountsHowItWent) {
  TestRooms rooms(Script("PASSED 1.20", [](const std::string&) { return OneItem("Guard tails"); }));
  RunRecord run = RunLearner(rooms, "reasoning_bank", 1, 2);
  ASSERT_THAT(run.attempts, SizeIs(2));
  EXPECT_THAT(run.attempts[0].prompt, Not(HasSubstr("Guard tails")));
  EXPECT_THAT(run.attempts[1].prompt, HasSubstr("Guard tails"));
  EXPECT_EQ(run.attempts[1].lessons, std::vector<int64_t>{1});
  MemoryItem item = Must(rooms.bank->Item(1));
  EXPECT_EQ(item.uses, 1);
  EXPECT_EQ(item.wins, 1);
  EXPECT_EQ(item.losses, 0);
  EXPECT_EQ(run.epochs[1].memory_items, 1);
}

TEST(ReasoningBank, UnreadableAnswerIsAskedForOnceMore) {
  TestRooms rooms(Script("PASSED 1.20", [](const std::string& prompt) {
    return Holds(prompt, "could not be read") ? OneItem("Second") : "no JSON here";
  }));
  RunLearner(rooms, "reasoning_bank");
  std::vector<ChatRequest> asked = Learning(rooms);
  ASSERT_THAT(asked, SizeIs(2));
  ASSERT_THAT(asked[1].messages, SizeIs(3));
  EXPECT_EQ(asked[1].messages[1].role, "assistant");
  EXPECT_THAT(asked[1].messages[2].content, HasSubstr("no JSON array"));
  std::vector<MemoryItem> items = Must(rooms.bank->Items(0, 10));
  ASSERT_THAT(items, SizeIs(1));
  EXPECT_EQ(items[0].from.step, "e0/b0/softmax/learn/items/retry");
}

TEST(ReasoningBank, TwiceUnreadableTeachesNothingAndIsRecorded) {
  TestRooms rooms(Script("PASSED 1.20", [](const std::string&) { return "no JSON here"; }));
  RunRecord run = RunLearner(rooms, "reasoning_bank");
  EXPECT_EQ(run.state, "finished");
  EXPECT_EQ(Must(rooms.bank->Stats()).items, 0);
  auto journal = Must(Journal::OpenForReading(run.folder));
  int recorded = 0;
  for (const StepRow& step : Must(journal->Steps())) recorded += step.kind == "items";
  EXPECT_EQ(recorded, 2);
}

TEST(ReasoningBank, WhatCouldNotBeJudgedIsNoLessonAndNoLoss) {
  for (const char* verdict : {"UNSUPPORTED", "TIMEOUT ENVIRONMENTAL"}) {
    TestRooms rooms(Script(verdict, [](const std::string&) { return OneItem("Lesson"); }));
    MemoryItem known;
    known.title = "Known";
    known.description = "softmax";
    known.content = "c";
    known.from.outcome = "success";
    Must(rooms.bank->Apply({.run = "other", .step = "s", .new_items = {known}}));
    RunRecord run = RunLearner(rooms, "reasoning_bank");
    EXPECT_THAT(Learning(rooms), SizeIs(0)) << verdict;
    MemoryItem item = Must(rooms.bank->Item(1));
    EXPECT_EQ(item.uses, 1) << verdict;
    EXPECT_EQ(item.losses, 0) << verdict;
    EXPECT_EQ(run.epochs[0].attempts, 0) << verdict;
  }
}

TEST(ReasoningBank, ReadsTheBankAsOfItsStartPlusItsOwn) {
  TestRooms rooms(Script("PASSED 1.20", [](const std::string&) { return OneItem("Own lesson"); }));
  int answered = 0;
  ScriptedModel model([&](const ChatRequest& request) -> Result<ChatAnswer> {
    // Another run writes to the same bank meanwhile.
    MemoryItem other;
    other.title = fmt::format("Foreign lesson {} softmax", ++answered);
    other.content = "softmax";
    Must(rooms.bank->Apply(
        {.run = "other", .step = fmt::format("s{}", answered), .new_items = {other}}));
    return Script("PASSED 1.20", [](const std::string&) { return OneItem("Own lesson"); })(request);
  });
  RunRooms view = rooms.View();
  view.model = &model;
  RunConfig config = rooms.Config("base", "reasoning_bank");
  config.tasks = {"softmax"};
  RunRecord run = Must(StartRun(config, view, rooms.nobody, {}));
  EXPECT_THAT(run.attempts[1].prompt, HasSubstr("Own lesson"));
  EXPECT_THAT(run.attempts[1].prompt, Not(HasSubstr("Foreign lesson")));
}

// Answers of an EvolRule round: one rule, judged by whether the source says PASSED.
std::string EvolRuleAnswer(const std::string& prompt) {
  if (Holds(prompt, "Compare the best with the worst")) return "The better one guards the tail.";
  if (Holds(prompt, "Turn it into rules")) return R"(["The kernel guards the tail."])";
  if (Holds(prompt, "Merge them"))
    return R"([{"rule": "The kernel guards the tail.", "from": [1]}])";
  return Holds(prompt, "// PASSED") ? "[[Yes]]" : "[[No]]";
}

TEST(EvolRule, KeepsARuleThatTheBetterKernelsFollow) {
  int kernels = 0;
  TestRooms rooms([&](const ChatRequest& request) -> Result<ChatAnswer> {
    std::string verdict =
        ++kernels % 2 == 0 ? "INCORRECT_NUMERICAL" : fmt::format("PASSED {}", 2 + kernels);
    return Script(verdict, EvolRuleAnswer)(request);
  });
  RunConfig config = rooms.Config("best_of_n", "evolrule");
  config.tasks = {"softmax"};
  config.samples = config.parallel = 4;
  config.max_in_flight = 1;
  RunRecord run = Must(StartRun(config, rooms.View(), rooms.nobody, {}));
  std::vector<Rule> kept = Must(rooms.bank->Rules("kept"));
  ASSERT_THAT(kept, SizeIs(1));
  EXPECT_EQ(kept[0].text, "The kernel guards the tail.");
  EXPECT_GE(kept[0].aligned, 3);
  EXPECT_EQ(kept[0].from.task, "softmax");
  EXPECT_THAT(run.attempts.back().prompt, HasSubstr("- The kernel guards the tail."));
  EXPECT_EQ(run.attempts.back().lessons, std::vector<int64_t>{kept[0].id});
  EXPECT_EQ(run.epochs.back().rules, 1);
}

TEST(EvolRule, OneAttemptATaskIsComparedWithTheBaseline) {
  TestRooms rooms(Script("PASSED 3.00", EvolRuleAnswer));
  RunLearner(rooms, "evolrule");
  std::vector<Rule> rules = Must(rooms.bank->Rules(""));
  ASSERT_THAT(rules, SizeIs(1));
  EXPECT_EQ(rules[0].state, "undecided");  // one pair: the kernel over the baseline
  EXPECT_EQ(rules[0].aligned, 1);
}

TEST(EvolRule, UndecidedRulesAreAlignedAgainWithoutCountingAPairTwice) {
  int kernels = 0;
  TestRooms rooms([&](const ChatRequest& request) -> Result<ChatAnswer> {
    bool kernel = Holds(request.messages.back().content, "One CUDA C++ source file");
    if (kernel) ++kernels;
    return Script(fmt::format("PASSED {}", 3 * kernels), EvolRuleAnswer)(request);
  });
  RunLearner(rooms, "evolrule", 1, 3);
  std::vector<Rule> rules = Must(rooms.bank->Rules(""));
  ASSERT_THAT(rules, SizeIs(1));
  // Each epoch's kernel against the baseline; against the earlier kernels all satisfy the rule.
  EXPECT_EQ(rules[0].aligned, 3);
  EXPECT_EQ(rules[0].state, "kept");
}

TEST(EvolRule, RulesOfAnEarlierRunAreThereFromTheStart) {
  TestRooms rooms(Script("PASSED 3.00", EvolRuleAnswer));
  Rule rule;
  rule.text = "The kernel uses shuffles.";
  rule.state = "kept";
  rule.aligned = 9;
  Must(rooms.bank->Apply({.run = "other", .step = "s", .rules = {rule}}));
  RunRecord run = RunLearner(rooms, "evolrule");
  EXPECT_THAT(run.attempts[0].prompt, HasSubstr("- The kernel uses shuffles."));
}

TEST(EvolRule, AJudgeThatDoesNotAnswerIsAskedOnceMoreAndThenUnknown) {
  TestRooms rooms(Script("PASSED 3.00", [](const std::string& prompt) {
    bool judging = Holds(prompt, "Does a CUDA kernel follow") || Holds(prompt, "could not be read");
    return judging ? "perhaps" : EvolRuleAnswer(prompt);
  }));
  RunLearner(rooms, "evolrule");
  std::vector<Rule> rules = Must(rooms.bank->Rules(""));
  ASSERT_THAT(rules, SizeIs(1));
  EXPECT_EQ(rules[0].aligned + rules[0].misaligned, 0);
  EXPECT_EQ(rules[0].unknown, 2);  // the kernel and the baseline
  int asked = 0;
  for (const ChatRequest& request : Learning(rooms)) {
    if (Holds(request.messages[0].content, "Does a CUDA kernel follow")) {
      ++asked;
      EXPECT_EQ(request.temperature, 0);
    }
  }
  EXPECT_EQ(asked, 4);
}

TEST(EvolRule, UnreadableMergeLeavesTheStatementsAsTheyAre) {
  int analysed = 0;
  TestRooms rooms([&](const ChatRequest& request) -> Result<ChatAnswer> {
    const std::string& first = request.messages[0].content;
    if (Holds(first, "Merge them")) return ChatAnswer{.content = "cannot", .finish_reason = "stop"};
    if (Holds(first, "Turn it into rules")) {
      return ChatAnswer{.content = fmt::format("[\"Rule {}.\"]", ++analysed),
                        .finish_reason = "stop"};
    }
    return Script("PASSED 3.00", EvolRuleAnswer)(request);
  });
  RunConfig config = rooms.Config("base", "evolrule");
  config.epochs = 1;
  config.batch = 3;
  config.max_in_flight = 1;
  Must(StartRun(config, rooms.View(), rooms.nobody, {}));
  EXPECT_THAT(Must(rooms.bank->Rules("")), SizeIs(3));
}

TEST(NoLearner, LearnsNothingAndNeedsNoBank) {
  TestRooms rooms(Script("PASSED 1.20", [](const std::string&) { return "?"; }));
  RunRooms view = rooms.View();
  view.bank = nullptr;
  RunConfig config = rooms.Config("base", "none");
  RunRecord run = Must(StartRun(config, view, rooms.nobody, {}));
  EXPECT_EQ(run.state, "finished");
  EXPECT_THAT(Learning(rooms), SizeIs(0));
  config.name = "needs a bank";
  config.learner = "evolrule";
  EXPECT_FALSE(StartRun(config, view, rooms.nobody, {}));
}

}  // namespace
}  // namespace kw
