#include "kw/model_table.h"

#include <gmock/gmock.h>

#include "kw/base.h"

namespace kw {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const char* const kTable = R"(
version = 1
[[provider]]
name = "openai"
base_url = "https://api.openai.com/v1"
key_env = ["OPENAI_API_KEY"]
at_own_url = true
[[provider]]
name = "anthropic"
api = "anthropic"
base_url = "https://api.anthropic.com/v1"
key_env = ["ANTHROPIC_API_KEY"]
[[provider]]
name = "hosted_vllm"
base_url_env = ["HOSTED_VLLM_API_BASE"]
at_own_url = true
[[model]]
name = "gpt-4o"
provider = "openai"
input = 2.5
cached = 1.25
output = 10
context = 128000
as_of = "2025-04"
[[model]]
name = "o3"
input = 1
output = 1
as_of = "2025-04"
max_completion_tokens = true
fixed_temperature = true
[[model]]
name = "local/own"
input = 0
output = 1.0
as_of = "2025-04"
)";

ModelTable Table() {
  ModelTable table;
  const auto added = table.Add(kTable, "t");
  EXPECT_TRUE(added) << added.error().ToString();
  return table;
}
std::string NoVariable(const std::string&) { return ""; }
std::string Vllm(const std::string& name) {
  return name == "HOSTED_VLLM_API_BASE" ? "http://gpu7:8000/v1" : "";
}
ModelAddress At(const std::string& name, const std::string& base_url = "",
                ModelTable::Variable variable = NoVariable) {
  const auto address = Table().Resolve(name, base_url, variable);
  EXPECT_TRUE(address) << address.error().ToString();
  return address.value_or(ModelAddress{});
}

TEST(ModelTable, ResolvesANameWithItsProvider) {
  const ModelAddress openai = At("openai/gpt-4o-2024-08-06");
  EXPECT_EQ(openai.provider, "openai");
  EXPECT_EQ(openai.model, "gpt-4o-2024-08-06");
  EXPECT_EQ(openai.base_url, "https://api.openai.com/v1");
  EXPECT_EQ(openai.context_tokens, 128000);
  EXPECT_THAT(openai.key_variables, ElementsAre("OPENAI_API_KEY"));
  EXPECT_EQ(At("anthropic/claude-sonnet-4").api, ApiKind::kAnthropic);
  EXPECT_TRUE(At("openai/o3").max_completion_tokens);
  EXPECT_TRUE(At("openai/o3").fixed_temperature);
}

TEST(ModelTable, ResolvesAKnownModelWithoutItsProvider) {
  EXPECT_EQ(At("gpt-4o").base_url, "https://api.openai.com/v1");
  EXPECT_EQ(At("gpt-4o").model, "gpt-4o");
}

TEST(ModelTable, AtAUrlOfOnesOwnTheNameIsTheEndpointsBusiness) {
  EXPECT_EQ(At("anthropic/claude", "http://proxy:4000/v1").model, "anthropic/claude");
  EXPECT_EQ(At("anthropic/claude", "http://proxy:4000/v1").api, ApiKind::kOpenAi);
  EXPECT_EQ(At("meta-llama/Llama-3", "http://h:8000/v1").model, "meta-llama/Llama-3");
  EXPECT_EQ(At("gpt-4o", "http://h:8000/v1").provider, "");
  // These say no more than that it is such an endpoint.
  EXPECT_EQ(At("hosted_vllm/meta-llama/Llama-3", "http://h:8000/v1").model, "meta-llama/Llama-3");
  EXPECT_EQ(At("openai/own", "http://h:8000/v1").model, "own");
}

TEST(ModelTable, TakesTheBaseUrlFromTheEnvironment) {
  EXPECT_EQ(At("hosted_vllm/m", "", Vllm).base_url, "http://gpu7:8000/v1");
  EXPECT_EQ(At("hosted_vllm/m", "http://given/v1", Vllm).base_url, "http://given/v1");
}

TEST(ModelTable, SaysWhatToWriteWhereNothingSaysWhichEndpointIsMeant) {
  const auto error = [](const std::string& name) {
    return Table().Resolve(name, "", NoVariable).error().message;
  };
  EXPECT_THAT(error("qwen3"), AllOf(HasSubstr("PROVIDER/qwen3"), HasSubstr("--base-url")));
  EXPECT_THAT(error("opnai/gpt-4.1"), HasSubstr("did you mean 'openai'"));
  EXPECT_THAT(error("hosted_vllm/m"), HasSubstr("HOSTED_VLLM_API_BASE"));
}

TEST(ModelTable, CostsInputCacheAndOutputByTheMillion) {
  const ModelTable table = Table();
  EXPECT_DOUBLE_EQ(table.Cost("gpt-4o", {.prompt = 1'000'000}), 2.5);
  EXPECT_DOUBLE_EQ(table.Cost("gpt-4o", {.prompt = 1000, .completion = 100}), 0.0035);
  EXPECT_DOUBLE_EQ(table.Cost("gpt-4o", {.prompt = 1'000'000, .cached = 800'000}), 1.5);
  EXPECT_DOUBLE_EQ(table.Cost("local/own", {.prompt = 5, .completion = 1'000'000, .cached = 9}), 1);
}

TEST(ModelTable, FindsAModelBehindItsProviderAndItsDate) {
  const ModelTable table = Table();
  for (const char* name : {"openai/gpt-4o", "openrouter/openai/gpt-4o", "gpt-4o-2024-08-06",
                           "openai/gpt-4o-20240806", "gpt-4o-latest", "gpt-4o-preview"}) {
    EXPECT_DOUBLE_EQ(table.Cost(name, {.completion = 1'000'000}), 10) << name;
  }
}

TEST(ModelTable, KnowsNoPriceOfAnotherModel) {
  const ModelTable table = Table();
  for (const char* name : {"", "gpt-4", "gpt-4o-mini", "gpt-4oo", "own", "/", "-latest"}) {
    EXPECT_EQ(table.Cost(name, {.prompt = 1000, .completion = 1000}), 0) << name;
  }
  EXPECT_EQ(ModelTable::Load({}).value().Cost("gpt-4o", {.prompt = 1}), 0);
}

TEST(ModelTable, LaterFilesReplaceWhatEarlierOnesSay) {
  ModelTable table = Table();
  const auto added = table.Add(R"(
    version = 1
    [[provider]]
    name = "openai"
    base_url = "http://inside/v1"
    [[provider]]
    name = "ours"
    base_url = "http://ours/v1"
    [[model]]
    name = "gpt-4o"
    provider = "ours"
    input = 1
    output = 1
    as_of = "2026-01"
  )",
                               "own.toml");
  ASSERT_TRUE(added) << added.error().ToString();
  EXPECT_EQ(table.Resolve("openai/x", "", NoVariable)->base_url, "http://inside/v1");
  EXPECT_EQ(table.Resolve("gpt-4o", "", NoVariable)->base_url, "http://ours/v1");
  EXPECT_EQ(table.Resolve("anthropic/x", "", NoVariable)->base_url, "https://api.anthropic.com/v1");
  EXPECT_DOUBLE_EQ(table.Cost("gpt-4o", {.completion = 1'000'000}), 1);
}

TEST(ModelTable, RefusesATableThatIsWrong) {
  const auto error = [](const std::string& toml) { return ModelTable().Add(toml, "t").error(); };
  EXPECT_EQ(error("version = ").code, ErrorCode::kParse);
  EXPECT_EQ(error("version = 2").code, ErrorCode::kInvalid);
  const std::string model = "version = 1\n[[model]]\nname = 'a'\nas_of = '2025-01'\noutput = 1\n";
  EXPECT_THAT(error(model).message, HasSubstr("input"));
  EXPECT_THAT(error(model + "input = -1").message, HasSubstr("below 0"));
  EXPECT_THAT(error(model + "input = 1\noutptu = 2").message, HasSubstr("output"));
  EXPECT_THAT(error(model + "input = 1\nprovider = 'x'").message, HasSubstr("provider"));
  EXPECT_THAT(
      error(model + "input = 1\n[[model]]\nname = 'a'\nas_of = 'x'\ninput = 1\noutput = 1").message,
      HasSubstr("twice"));
  const std::string provider = "version = 1\n[[provider]]\n";
  EXPECT_THAT(error(provider + "name = 'a'\napi = 'opena'").message, HasSubstr("openai"));
  EXPECT_THAT(error(provider + "name = 'a/b'").message, HasSubstr("'/'"));
  EXPECT_THAT(error("version = 1\nmodel = 3").message, HasSubstr("[[model]]"));
  EXPECT_FALSE(ModelTable::Load({"/no/such/file"}));
}

TEST(ModelTable, ReadsTheTableOfTheProgram) {
  const auto table = ModelTable::Load({KW_SOURCE_DIR "/data/models/models.toml"});
  ASSERT_TRUE(table) << table.error().ToString();
  EXPECT_GT(table->models(), 10U);
  EXPECT_GT(table->Cost("gemini/gemini-2.5-flash", {.prompt = 1000}), 0);
  for (const char* name : {"gemini/gemini-2.5-flash", "openai/gpt-4o", "anthropic/claude-sonnet-4",
                           "openrouter/qwen/qwen3-coder", "ollama/qwen3", "gpt-4o"}) {
    const auto address = table->Resolve(name, "", NoVariable);
    ASSERT_TRUE(address) << address.error().ToString();
    EXPECT_THAT(address->base_url, HasSubstr("http"));
  }
  EXPECT_EQ(table->Resolve("openrouter/qwen/qwen3-coder", "", NoVariable)->model,
            "qwen/qwen3-coder");
}

}  // namespace
}  // namespace kw
