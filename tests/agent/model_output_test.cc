#include "src/agent/model_output.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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
