// Runs whose memories are embedded by a model at an endpoint, and what becomes of their banks when
// the endpoint goes, moves or is another.
#include <gmock/gmock.h>

#include "kw/agent.h"
#include "kw/base.h"
#include "kw/base/json.h"
#include "kw/mock.h"
#include "run_kwright.h"

namespace kw {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class EmbedderRun : public ::testing::Test {
 protected:
  EmbedderRun() { StartEndpoint(); }

  void StartEndpoint() {
    endpoint_.reset();
    std::shared_ptr<ChatModel> author =
        MakeSimulatedAuthor(KW_SOURCE_DIR "/data/models/simulated_author.toml").value();
    endpoint_ = MockEndpoint::Start({.keep_requests = 1000}, author).value();
  }

  ProcessExit Run(const std::string& name, const std::vector<std::string>& settings = {}) {
    std::vector<std::string> arguments = {
        "run",        KW_SOURCE_DIR "/experiments/quickstart.toml",
        "--name",     name,
        "--model",    "mock-author",
        "--base-url", endpoint_ ? endpoint_->base_url() : "http://127.0.0.1:9/v1",
        "--learner",  "reasoning_bank",
        "--method",   "base"};
    std::vector<std::string> all = {"run.dir=" + runs_,
                                    "run.tasks=row_sum",
                                    "run.epochs=1",
                                    "run.effort=quick",
                                    "method.samples=1",
                                    "model.max_retries=0",
                                    "model.embedder.name=mock-embed",
                                    "model.cache_file=" + scratch_.path() + "/calls.db"};
    all.insert(all.end(), settings.begin(), settings.end());
    for (const std::string& setting : all) arguments.insert(arguments.end(), {"--set", setting});
    return Kwright(arguments);
  }

  ProcessExit Memory(const std::string& command, std::vector<std::string> more) {
    std::vector<std::string> arguments = {"memory", command, "--run", "r", "--dir", runs_};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return Kwright(arguments);
  }

  int Embeddings() const {
    int asked = 0;
    for (const KeptRequest& request : endpoint_->requests()) {
      asked += request.target.ends_with("/embeddings");
    }
    return asked;
  }

  const ScratchDirectory scratch_ = ScratchDirectory::Make("embedder-run").value();
  const std::string runs_ = scratch_.path() + "/runs";
  std::unique_ptr<MockEndpoint> endpoint_;
};

TEST_F(EmbedderRun, CountsTheEmbedderAndReplaysWithoutAnyEndpoint) {
  const ProcessExit recorded = Run("r", {"model.cache=record"});
  ASSERT_EQ(recorded.code, 0) << recorded.err;
  EXPECT_EQ(Embeddings(), 2) << "the task's query, and the items that were learned";
  const ProcessExit status = Kwright({"status", "r", "--dir", runs_});
  EXPECT_THAT(status.out, AllOf(HasSubstr("role"), HasSubstr("embedder"), HasSubstr("mock-embed")));
  const Json run =
      ParseJson(Kwright({"status", "r", "--dir", runs_, "--json"}).out, "status").value();
  EXPECT_EQ(run["usage"]["embedder"]["calls"], 2);
  EXPECT_GT(run["usage"]["embedder"]["prompt_tokens"], 0);
  EXPECT_EQ(run["attempt_list"][0]["author"], "mock-author");
  EXPECT_THAT(recorded.out, HasSubstr("4 model calls, "));
  EXPECT_THAT(Memory("stats", {}).out, HasSubstr("mock-embed at " + endpoint_->base_url()));
  EXPECT_THAT(Memory("search", {"tail"}).out, Not(HasSubstr("nothing found")));
  EXPECT_EQ(Embeddings(), 3) << "the run's embedder is asked";

  endpoint_.reset();
  const ProcessExit replayed = Run("again", {"model.cache=replay"});
  ASSERT_EQ(replayed.code, 0) << replayed.err;
  EXPECT_EQ(CanonicalJournal(runs_ + "/again").value(), CanonicalJournal(runs_ + "/r").value());
  const ProcessExit other = Run("other", {"model.cache=replay", "model.embedder.name=another"});
  EXPECT_EQ(other.code, 2);
  EXPECT_THAT(other.err, HasSubstr("holds no answer to this request of another"));
}

TEST_F(EmbedderRun, ABankOfAnEndpointThatMovedIsRebuiltThere) {
  ASSERT_EQ(Run("r").code, 0);
  const std::string before = endpoint_->base_url();
  const std::unique_ptr<MockEndpoint> first = std::move(endpoint_);
  StartEndpoint();
  const std::string after = endpoint_->base_url();
  const ProcessExit refused = Memory("search", {"tail", "--base-url", after});
  EXPECT_EQ(refused.code, 2);
  EXPECT_THAT(refused.err, AllOf(HasSubstr(before), HasSubstr(after), HasSubstr("memory rebuild")));
  EXPECT_EQ(Embeddings(), 0) << "whose vectors they are is known before anything is asked";

  const ProcessExit rebuilt = Memory("rebuild", {"--base-url", after});
  EXPECT_EQ(rebuilt.code, 0) << rebuilt.err;
  EXPECT_THAT(rebuilt.out, HasSubstr("embedded anew by mock-embed at " + after));
  EXPECT_EQ(Memory("search", {"tail", "--base-url", after}).code, 0);
}

TEST_F(EmbedderRun, ABankGoesBackToTheBuiltInEmbedder) {
  ASSERT_EQ(Run("r").code, 0);
  endpoint_.reset();
  const ProcessExit rebuilt = Memory("rebuild", {"--embedder", "built-in", "--json"});
  ASSERT_EQ(rebuilt.code, 0) << rebuilt.err;
  EXPECT_EQ(ParseJson(rebuilt.out, "rebuild").value()["embedder"], "hash-ngrams-v1-512");
  EXPECT_THAT(Memory("search", {"tail", "--embedder", "built-in"}).out, HasSubstr("row_sum"));
  const ProcessExit own = Memory("search", {"tail"});
  EXPECT_EQ(own.code, 2) << "the run's own is another";
  EXPECT_THAT(own.err, HasSubstr("hash-ngrams-v1-512"));
}

TEST_F(EmbedderRun, SaysWhatIsNoEmbedder) {
  struct Case {
    std::vector<std::string> settings;
    const char* words;
  };
  for (const Case& c :
       {Case{{"model.embedder.name=simulated"}, "the simulated author makes no vectors"},
        Case{{"model.embedder.name=anthropic/claude-x"}, "Anthropic's API makes no embeddings"},
        Case{{"model.embedder.max_calls=1"}, "model.embedder.max_calls is 1"}}) {
    const ProcessExit exit = Run("r", c.settings);
    EXPECT_EQ(exit.code, 2);
    EXPECT_THAT(exit.err, HasSubstr(c.words));
  }
  EXPECT_EQ(Kwright({"memory", "rebuild", "--bank", "none.db"}).code, 2);
  const ProcessExit where =
      Memory("search", {"tail", "--embedder", "built-in", "--base-url", "http://h/v1"});
  EXPECT_EQ(where.code, 2);
  EXPECT_THAT(where.err, HasSubstr("give both"));
}

}  // namespace
}  // namespace kw
