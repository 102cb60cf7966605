#include "kw/base/json.h"

#include <gtest/gtest.h>

namespace kw {
namespace {

TEST(ParseJson, KeepsTheOrderOfKeys) {
  EXPECT_EQ(DumpJson(*ParseJson(R"({"b":1,"a":[true,null]})", "x")), R"({"b":1,"a":[true,null]})");
}

TEST(ParseJson, SaysWhereAndWhatWhenItIsNoJson) {
  const auto bad = ParseJson("{\"a\":", "definition.json");
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().code, ErrorCode::kParse);
  EXPECT_TRUE(bad.error().message.starts_with("definition.json: no JSON: parse error at line 1"))
      << bad.error().message;
}

TEST(ParseJson, RefusesHostileDepth) {
  const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
  const auto bad = ParseJson(deep, "x");
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().code, ErrorCode::kLimit);
}

TEST(ParseToml, ReadsTablesAndNamesTheLineOfAnError) {
  const auto good = ParseToml("[inputs.x]\nrange = [-1.0, 1]\nunique = true\n", "task.toml");
  ASSERT_TRUE(good);
  EXPECT_EQ((*good)["inputs"]["x"]["range"].size(), 2u);
  const auto bad = ParseToml("a = 1\nb = = 2\n", "task.toml");
  ASSERT_FALSE(bad);
  EXPECT_TRUE(bad.error().message.starts_with("task.toml:2: ")) << bad.error().message;
}

TEST(ParseToml, GivesAnErrorForAHeaderCutShortByAComment) {
  EXPECT_FALSE(ParseToml("[#", "task.toml"));
  EXPECT_FALSE(ParseToml("[[#", "task.toml"));
}

TEST(ObjectReader, TakesWhatFitsAndNamesWhatDoesNot) {
  const Json json = *ParseJson(R"({"k":3,"rate":1,"name":"x","sizes":[1,2]})", "x");
  ObjectReader reader(json, "run.toml: learner");
  EXPECT_EQ(*reader.Required<int64_t>("k"), 3);
  EXPECT_EQ(*reader.Required<double>("rate"), 1.0);
  EXPECT_EQ(*reader.Optional<std::string>("other", "standard"), "standard");
  EXPECT_EQ(reader.Required<std::vector<int64_t>>("sizes")->size(), 2u);
  const auto wrong = reader.Required<int64_t>("name");
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().message,
            "run.toml: learner: 'name' must be an integer of at most 64 bits, not a string");
  EXPECT_EQ(reader.Required<bool>("seed").error().message, "run.toml: learner: 'seed' is missing");
}

TEST(ObjectReader, RefusesTheKeyThatNobodyAskedFor) {
  const Json json = *ParseJson(R"({"rnage":[0,1]})", "x");
  ObjectReader reader(json, "task.toml: inputs.x");
  ASSERT_TRUE(reader.Optional<std::vector<double>>("range", {}));
  const auto refused = reader.RejectUnknown();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message,
            "task.toml: inputs.x: unknown key 'rnage' (did you mean 'range'?)");
}

TEST(ObjectReader, RefusesWhatIsNoObject) {
  const Json json = *ParseJson("[1]", "x");
  ObjectReader reader(json, "a.json");
  EXPECT_FALSE(reader.Optional<int64_t>("k", 1));
  EXPECT_FALSE(reader.RejectUnknown());
}

}  // namespace
}  // namespace kw
