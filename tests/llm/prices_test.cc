#include "prices.h"

#include <gmock/gmock.h>

namespace kw::llm {
namespace {

using ::testing::HasSubstr;

const char* const kTable = R"(
version = 1
[[model]]
name = "gpt-4o"
input = 2.5
output = 10
as_of = "2025-04"
[[model]]
name = "local/own"
input = 0
output = 1.0
as_of = "2025-04"
)";

TEST(Prices, CostsInputAndOutputByTheMillion) {
  const Prices prices = Prices::Parse(kTable, "t").value();
  EXPECT_DOUBLE_EQ(prices.Cost("gpt-4o", 1'000'000, 0), 2.5);
  EXPECT_DOUBLE_EQ(prices.Cost("gpt-4o", 1000, 100), 0.0035);
}

TEST(Prices, FindsAModelBehindItsProviderAndItsDate) {
  const Prices prices = Prices::Parse(kTable, "t").value();
  for (const char* name : {"openai/gpt-4o", "openrouter/openai/gpt-4o", "gpt-4o-2024-08-06",
                           "openai/gpt-4o-20240806", "gpt-4o-latest", "gpt-4o-preview"}) {
    EXPECT_DOUBLE_EQ(prices.Cost(name, 0, 1'000'000), 10) << name;
  }
  EXPECT_DOUBLE_EQ(prices.Cost("local/own", 5, 1'000'000), 1);
}

TEST(Prices, KnowsNoPriceOfAnotherModel) {
  const Prices prices = Prices::Parse(kTable, "t").value();
  for (const char* name : {"", "gpt-4", "gpt-4o-mini", "gpt-4oo", "own", "/", "-latest"}) {
    EXPECT_EQ(prices.Cost(name, 1000, 1000), 0) << name;
  }
  EXPECT_EQ(Prices::Load("").value().Cost("gpt-4o", 1, 1), 0);
}

TEST(Prices, RefusesATableThatIsWrong) {
  const auto error = [](const std::string& toml) { return Prices::Parse(toml, "t").error(); };
  EXPECT_EQ(error("version = ").code, ErrorCode::kParse);
  EXPECT_EQ(error("version = 2").code, ErrorCode::kInvalid);
  const std::string model = "version = 1\n[[model]]\nname = 'a'\nas_of = '2025-01'\noutput = 1\n";
  EXPECT_THAT(error(model).message, HasSubstr("input"));
  EXPECT_THAT(error(model + "input = -1").message, HasSubstr("below 0"));
  EXPECT_THAT(error(model + "input = 1\noutptu = 2").message, HasSubstr("output"));
  EXPECT_THAT(
      error(model + "input = 1\n[[model]]\nname = 'a'\nas_of = 'x'\ninput = 1\noutput = 1").message,
      HasSubstr("twice"));
  EXPECT_FALSE(Prices::Load("/no/such/file"));
}

TEST(Prices, ReadsTheTableOfTheProgram) {
  const auto prices = Prices::Load(KW_SOURCE_DIR "/data/models/prices.toml");
  ASSERT_TRUE(prices) << prices.error().ToString();
  EXPECT_GT(prices->size(), 10U);
  EXPECT_GT(prices->Cost("gemini/gemini-2.5-flash", 1000, 1000), 0);
}

}  // namespace
}  // namespace kw::llm
