#include "src/agent/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/fakes.h"
#include "kw/base.h"

namespace kw {
namespace {

using test::Must;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr const char* kSmall = R"(
[run]
tasks = ["softmax"]
)";

Result<RunConfig> Parse(const std::string& text, const Overrides& overrides = {}) {
  return ParseRunConfig(text, "exp.toml", overrides);
}

std::string ErrorOf(const Result<RunConfig>& config) {
  return config ? "no error" : config.error().ToString();
}

TEST(Config, ReadsEveryKindOfKey) {
  auto config = Parse(R"(
[run]
name = "first"
seed = 9
epochs = 3
batch = 4
tasks = ["softmax", "gelu"]
max_cost_usd = 2
[method]
name = "refine"
parallel = 2
iterations = 3
[learner]
name = "evolrule"
keep_rate = 0.8
[model]
name = "qwen"
base_url = "http://localhost:8000/v1"
[device]
worker_command = ["srun", "kwright-worker"]
)");
  ASSERT_TRUE(config) << ErrorOf(config);
  EXPECT_EQ(config->seed, 9u);
  EXPECT_EQ(config->tasks, (std::vector<std::string>{"softmax", "gelu"}));
  EXPECT_EQ(config->max_cost_usd, 2.0);
  EXPECT_EQ(config->samples, 6);
  EXPECT_EQ(config->keep_rate, 0.8);
  EXPECT_EQ(config->worker_command.size(), 2u);
}

TEST(Config, UnknownKeyNamesTheNearest) {
  EXPECT_THAT(ErrorOf(Parse("[run]\ntasks=[\"a\"]\nepoch = 3\n")), HasSubstr("epochs"));
  EXPECT_THAT(ErrorOf(Parse("[learners]\nk = 3\n")), HasSubstr("learner"));
  EXPECT_THAT(ErrorOf(Parse(kSmall, {{"learner.kk", "5"}})), HasSubstr("learner.k"));
  EXPECT_THAT(ErrorOf(Parse(kSmall, {{"k", "5"}})), HasSubstr("configuration key 'k'"));
}

TEST(Config, ValueOfTheWrongTypeIsAnError) {
  EXPECT_THAT(ErrorOf(Parse("[run]\ntasks=[\"a\"]\nepochs = \"3\"\n")), HasSubstr("epochs"));
  EXPECT_THAT(ErrorOf(Parse("[run]\ntasks=[\"a\"]\nepochs = 1.5\n")), HasSubstr("epochs"));
  EXPECT_THAT(ErrorOf(Parse(kSmall, {{"run.epochs", "three"}})), HasSubstr("a whole number"));
  EXPECT_THAT(ErrorOf(Parse(kSmall, {{"run.epochs", "3x"}})), HasSubstr("a whole number"));
  EXPECT_THAT(ErrorOf(Parse(kSmall, {{"model.temperature", "nan"}})), HasSubstr("a number"));
  EXPECT_THAT(ErrorOf(Parse("run = 3\n")), HasSubstr("must be a table"));
}

TEST(Config, ValueOutOfRangeIsAnError) {
  EXPECT_THAT(ErrorOf(Parse(kSmall, {{"run.epochs", "0"}})), HasSubstr("out of range"));
  EXPECT_THAT(ErrorOf(Parse(kSmall, {{"run.seed", "-1"}})), HasSubstr("out of range"));
  EXPECT_THAT(ErrorOf(Parse(kSmall, {{"learner.keep_rate", "1.5"}})), HasSubstr("out of range"));
}

TEST(Config, UnknownChoiceNamesTheNearest) {
  EXPECT_THAT(ErrorOf(Parse(kSmall, {{"method.name", "refin"}})), HasSubstr("refine"));
  EXPECT_THAT(ErrorOf(Parse(kSmall, {{"learner.name", "reasoningbank"}})),
              HasSubstr("reasoning_bank"));
  EXPECT_THAT(ErrorOf(Parse(kSmall, {{"run.effort", "standart"}})), HasSubstr("standard"));
}

TEST(Config, OverridesWinInOrder) {
  auto config =
      Parse(kSmall, {{"learner.k", "5"}, {"learner.k", "6"}, {"run.tasks", "gelu, matmul"}});
  ASSERT_TRUE(config) << ErrorOf(config);
  EXPECT_EQ(config->k, 6);
  EXPECT_EQ(config->tasks, (std::vector<std::string>{"gelu", "matmul"}));
  EXPECT_THAT(config->source_text, HasSubstr("--set learner.k=6"));
  auto list = Parse(kSmall, {{"run.tasks", R"(["a,b"])"}});
  ASSERT_TRUE(list) << ErrorOf(list);
  EXPECT_EQ(list->tasks, (std::vector<std::string>{"a,b"}));
}

TEST(Config, RefusesARunThatCannotBegin) {
  EXPECT_THAT(ErrorOf(Parse("")), HasSubstr("run.tasks"));
  EXPECT_THAT(ErrorOf(Parse(kSmall, {{"model.name", "a,,b"}})), HasSubstr("empty name"));
  EXPECT_THAT(ErrorOf(Parse(kSmall, {{"run.name", "a/b"}})), HasSubstr("run.name"));
}

TEST(Config, ARoleHasWhatTheAuthorHasButForItsOwn) {
  const RunConfig config = Must(Parse(kSmall, {{"model.name", "one, two"},
                                               {"model.base_url", "http://h/v1"},
                                               {"model.max_tokens", "99"},
                                               {"model.temperature", "0.3"},
                                               {"model.merger.name", "other"},
                                               {"model.judge.max_tokens", "5"}}));
  EXPECT_THAT(AuthorsOf(config), testing::ElementsAre("one", "two"));
  EXPECT_EQ(config.extractor.model, "one") << "of several authors the first";
  EXPECT_EQ(config.extractor.base_url, "http://h/v1");
  EXPECT_EQ(config.extractor.temperature, 1.0);
  EXPECT_EQ(config.extractor.max_tokens, 99);
  EXPECT_EQ(config.merger.model, "other");
  EXPECT_EQ(config.merger.base_url, "") << "an endpoint goes with its model";
  EXPECT_EQ(config.merger.temperature, 0.3);
  EXPECT_EQ(config.judge.temperature, 0.0);
  EXPECT_EQ(config.judge.max_tokens, 5);
  EXPECT_EQ(config.embedder.model, "") << "the built-in one";
  const RunConfig again = Must(RunConfigFromJson(RunConfigToJson(config)));
  EXPECT_EQ(CanonicalConfig(again), CanonicalConfig(config));
}

TEST(Config, ARoleIsATableOfTheModels) {
  const std::string text = std::string(kSmall) + "[model.judge]\nname = 'x'\ntemperature = 0.5\n";
  const RunConfig config = Must(Parse(text));
  EXPECT_EQ(config.judge.model, "x");
  EXPECT_EQ(config.judge.temperature, 0.5);
  EXPECT_THAT(ErrorOf(Parse(std::string(kSmall) + "[model.jugde]\nname = 'x'\n")),
              HasSubstr("judge"));
  EXPECT_THAT(ErrorOf(Parse(std::string(kSmall) + "[model.judge]\nnmae = 'x'\n")),
              HasSubstr("name"));
}

TEST(Config, EveryKeyCanBeSetAndSurvivesTheJournal) {
  for (const std::string& key : RunConfigKeys()) {
    EXPECT_NE(key.find('.'), std::string::npos) << key;
  }
  auto config = Parse(kSmall, {{"run.seed", "12345678901234"},
                               {"learner.keep_rate", "0.65"},
                               {"method.name", "metr"},
                               {"method.samples", "8"},
                               {"method.parallel", "2"},
                               {"device.worker_command", "ssh,host,kwright-worker"}});
  ASSERT_TRUE(config) << ErrorOf(config);
  auto again = RunConfigFromJson(RunConfigToJson(*config));
  ASSERT_TRUE(again) << ErrorOf(again);
  EXPECT_EQ(RunConfigToJson(*again), RunConfigToJson(*config));
  EXPECT_EQ(again->seed, 12345678901234u);
  EXPECT_EQ(again->iterations, 4);
}

TEST(Config, ResumeChangesOnlyWhatHasNoPartInTheRun) {
  auto config = Parse(kSmall);
  ASSERT_TRUE(config);
  EXPECT_TRUE(OverrideOnResume(*config, {{"run.max_cost_usd", "5"}, {"device.workers", "7"}}));
  EXPECT_EQ(config->workers, 7);
  auto refused = OverrideOnResume(*config, {{"run.seed", "5"}});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message,
              AllOf(HasSubstr("run.seed decides what the run does"), HasSubstr("model.base_url")));
  refused = OverrideOnResume(*config, {{"run.dir", "elsewhere"}});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("run.dir decides where the run lies"));
  EXPECT_FALSE(OverrideOnResume(*config, {{"run.sed", "5"}}));
}

TEST(Config, RolesMoveWithTheAuthorUnlessTheyHaveAPlaceOfTheirOwn) {
  auto config = Parse(
      "[run]\ntasks = [\"softmax\"]\n[model]\nname = \"m\"\n"
      "base_url = \"http://one/v1\"\n[model.judge]\nname = \"j\"\n"
      "base_url = \"http://judge/v1\"\n[model.embedder]\nname = \"e\"\n");
  ASSERT_TRUE(config) << config.error().ToString();
  ASSERT_TRUE(OverrideOnResume(*config, {{"model.base_url", "http://two/v1"}}));
  EXPECT_EQ(config->extractor.base_url, "http://two/v1");
  EXPECT_EQ(config->merger.base_url, "http://two/v1");
  EXPECT_EQ(config->judge.base_url, "http://judge/v1");
  EXPECT_EQ(config->embedder.base_url, "");
  ASSERT_TRUE(OverrideOnResume(*config, {{"model.base_url", "http://three/v1"},
                                         {"model.merger.base_url", "http://two/v1"}}));
  EXPECT_EQ(config->extractor.base_url, "http://three/v1");
  EXPECT_EQ(config->merger.base_url, "http://two/v1");
  // So it is in a journal, where every key has a value.
  RunConfig again = Must(RunConfigFromJson(RunConfigToJson(*config)));
  ASSERT_TRUE(OverrideOnResume(again, {{"model.base_url", "http://two/v1"}}));
  ASSERT_TRUE(OverrideOnResume(again, {{"model.base_url", "http://four/v1"}}));
  EXPECT_EQ(again.extractor.base_url, "http://four/v1");
  EXPECT_EQ(again.merger.base_url, "http://two/v1") << "although it was the author's once";
}

TEST(Config, CanonicalTextLeavesOutPlacesAndSpeed) {
  auto a = Parse(kSmall, {{"run.dir", "/a"}, {"run.parallel_tasks", "1"}, {"run.name", "x"}});
  auto b = Parse(kSmall, {{"run.dir", "/b"}, {"run.parallel_tasks", "9"}, {"run.name", "y"}});
  auto c = Parse(kSmall, {{"run.seed", "2"}});
  ASSERT_TRUE(a && b && c);
  EXPECT_EQ(CanonicalConfig(*a), CanonicalConfig(*b));
  EXPECT_NE(CanonicalConfig(*a), CanonicalConfig(*c));
}

TEST(Config, NamesARunAfterItsFile) {
  auto scratch = ScratchDirectory::Make("config_test");
  ASSERT_TRUE(scratch);
  std::string file = scratch->path() + "/quick.toml", dir = scratch->path() + "/runs";
  ASSERT_TRUE(WriteFileAtomic(file, kSmall));
  auto first = LoadRunConfig(file, {{"run.dir", dir}});
  ASSERT_TRUE(first) << ErrorOf(first);
  EXPECT_EQ(first->name, "quick-1");
  ASSERT_TRUE(MakeDirectories(dir + "/quick-1"));
  EXPECT_EQ(LoadRunConfig(file, {{"run.dir", dir}})->name, "quick-2");
  EXPECT_FALSE(LoadRunConfig(scratch->path() + "/none.toml", {}));
}

TEST(Config, ExperimentsOfTheProgramLoad) {
  std::string folder = std::string(KW_SOURCE_DIR) + "/experiments";
  auto names = ListDirectory(folder);
  ASSERT_TRUE(names);
  ASSERT_FALSE(names->empty());
  for (const std::string& name : *names) {
    if (name == "illusion.toml") continue;  // an audit, which no run is
    auto config = LoadRunConfig(folder + "/" + name, {});
    EXPECT_TRUE(config) << name << ": " << ErrorOf(config);
  }
}

}  // namespace
}  // namespace kw
