#include "src/agent/model_output.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kw/base/file.h"

namespace kw {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kItem =
    R"({"title": "Guard the tail", "description": "Odd sizes.", "content": "Check i < n."})";

TEST(ModelOutput, ItemsAreFoundInProseAndFences) {
  for (const std::string& answer :
       {std::string("[") + kItem + "]", "Here:\n```json\n[" + std::string(kItem) + "]\n```\nDone.",
        "Look at x[i] and y[0].\n[" + std::string(kItem) + "] as asked [1].",
        "{\"items\": [" + std::string(kItem) + "]}"}) {
    auto items = ParseItems(answer, 3);
    ASSERT_TRUE(items) << answer << ": " << items.error().ToString();
    ASSERT_EQ(items->size(), 1u) << answer;
    EXPECT_EQ((*items)[0].title, "Guard the tail");
    EXPECT_EQ((*items)[0].content, "Check i < n.");
  }
}

TEST(ModelOutput, TheLastArrayCounts) {
  auto rules = ParseRules(R"(First ["draft"], better: ["final one", "final [two]"]. [])", 3);
  ASSERT_TRUE(rules) << rules.error().ToString();
  EXPECT_THAT(*rules, ElementsAre("final one", "final [two]"));
}

TEST(ModelOutput, EmptyArrayIsAnAnswer) {
  auto items = ParseItems("Nothing to learn: []", 3);
  ASSERT_TRUE(items);
  EXPECT_TRUE(items->empty());
}

TEST(ModelOutput, MoreThanAskedForAreCutOff) {
  auto rules = ParseRules(R"(["a", "b", "c", "d"])", 2);
  ASSERT_TRUE(rules);
  EXPECT_THAT(*rules, ElementsAre("a", "b"));
}

TEST(ModelOutput, WhatIsNoAnswerSaysWhy) {
  auto problem = [](const std::string& answer) {
    auto items = ParseItems(answer, 3);
    return items ? std::string("no problem") : items.error().message;
  };
  EXPECT_THAT(problem(""), HasSubstr("no JSON array"));
  EXPECT_THAT(problem("I cannot."), HasSubstr("no JSON array"));
  EXPECT_THAT(problem("[{\"title\": \"cut off"), HasSubstr("no JSON array"));
  EXPECT_THAT(problem(R"(["a string"])"), HasSubstr("no object"));
  EXPECT_THAT(problem(R"([{"title": "a", "content": "b"}])"), HasSubstr("description"));
  EXPECT_THAT(problem(R"([{"title": "a", "description": " ", "content": "b"}])"),
              HasSubstr("empty"));
  EXPECT_THAT(problem(R"([{"title": 3, "description": "d", "content": "b"}])"),
              HasSubstr("must be a string"));
  EXPECT_THAT(problem(R"([{"title": "a", "description": "d", "content": "b", "id": 1}])"),
              HasSubstr("unknown key"));
  EXPECT_THAT(problem(R"([{"title": "a", "description": "d", "content": ")" +
                      std::string(5000, 'x') + "\"}]"),
              HasSubstr("5000 bytes"));
}

TEST(ModelOutput, MergedRulesKeepTheirNumbers) {
  auto rules = ParseMergedRules(
      R"([{"rule": "a", "from": [1, 3]}, {"rule": "b", "from": [2]}, "c"])", 25, 3);
  ASSERT_TRUE(rules) << rules.error().ToString();
  ASSERT_EQ(rules->size(), 3u);
  EXPECT_THAT((*rules)[0].from, ElementsAre(1, 3));
  EXPECT_EQ((*rules)[2].text, "c");
  EXPECT_TRUE((*rules)[2].from.empty());
  EXPECT_FALSE(ParseMergedRules(R"([{"rule": "a", "from": [4]}])", 25, 3));
  EXPECT_FALSE(ParseMergedRules(R"([{"rule": "a", "from": [0]}])", 25, 3));
  EXPECT_FALSE(ParseMergedRules(R"([{"rule": "a", "from": ["1"]}])", 25, 3));
  EXPECT_FALSE(ParseMergedRules(R"([{"from": [1]}])", 25, 3));
}

// As llama.cpp's smallest models do: the request's own form comes back as the answer.
TEST(ModelOutput, TheFormThatWasShownIsNoAnswer) {
  auto prompt_of = [](const std::string& name) {
    return ReadFile(KW_SOURCE_DIR "/tests/agent/golden/" + name + ".txt").value();
  };
  const std::string real = "[" + std::string(kItem) + "]";
  for (const char* name : {"items_success", "items_failure", "items_contrast"}) {
    const std::string prompt = prompt_of(name);
    const auto echoed = ParseItems(prompt, 3, prompt);
    ASSERT_FALSE(echoed) << name;
    EXPECT_THAT(echoed.error().message, HasSubstr("placeholders of the form"));
    for (const std::string& answer : {real + "\n" + prompt, prompt + "\n" + real}) {
      const auto items = ParseItems(answer, 3, prompt);
      ASSERT_TRUE(items) << items.error().ToString();
      EXPECT_EQ(items->front().title, "Guard the tail");
    }
    // Half of an echo is one too.
    EXPECT_FALSE(ParseItems(R"([{"title": "Guard the tail", "description": "Odd sizes.", )"
                            R"("content": "one to three sentences: what to do or to avoid, and )"
                            R"(why"}])",
                            3, prompt));
  }
  EXPECT_FALSE(ParseRules(R"(["The kernel ...", "Each thread ..."])", 3, prompt_of("rules")));
  EXPECT_TRUE(ParseRules(R"(["The kernel uses float4."])", 3, prompt_of("rules")));
  const std::string merge = prompt_of("merge");
  EXPECT_FALSE(ParseMergedRules(R"([{"rule": "the rule, one sentence"}])", 25, 4, merge));
  EXPECT_TRUE(ParseMergedRules(R"([{"rule": "Use float4.", "from": [1, 4]}])", 25, 4, merge));
}

TEST(ModelOutput, JudgementsAreStrict) {
  EXPECT_EQ(ParseJudgement("It does. [[Yes]]"), true);
  EXPECT_EQ(ParseJudgement("[[No]], since it has no barrier."), false);
  EXPECT_EQ(ParseJudgement("[[Yes]] ... [[Yes]]"), true);
  for (const char* neither :
       {"", "Yes", "[Yes]", "[[yes]]", "[[YES]]", "[[ Yes ]]", "[[Maybe]]", "[[Yes]] or [[No]]"}) {
    EXPECT_EQ(ParseJudgement(neither), std::nullopt) << neither;
  }
}

TEST(ModelOutput, ManyBracketsCostLittle) {
  std::string open(1 << 19, '[');
  EXPECT_FALSE(ParseRules(open, 3));
  EXPECT_FALSE(ParseRules(std::string(2 << 20, ' '), 3));
}

}  // namespace
}  // namespace kw
