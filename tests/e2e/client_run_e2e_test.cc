// Whole runs of the real kwright over the streaming client: recorded and replayed, under a budget,
// with models by role, with the runaway guard on and off.
#include <gmock/gmock.h>

#include <filesystem>
#include <map>
#include <set>

#include "endpoint_run.h"
#include "kw/mock.h"

namespace kw {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::unique_ptr<MockEndpoint> Endpoint(MockOptions options = {}) {
  options.chunk_bytes = 16;
  options.keep_requests = 1000;
  return MockEndpoint::Start(
             options,
             MakeSimulatedAuthor(KW_SOURCE_DIR "/data/models/simulated_author.toml").value())
      .value();
}

std::vector<Json> Asked(const MockEndpoint& endpoint) {
  std::vector<Json> bodies;
  for (const KeptRequest& request : endpoint.requests()) {
    bodies.push_back(ParseJson(request.body, "a request").value());
  }
  return bodies;
}

std::set<std::string> ModelsAsked(const MockEndpoint& endpoint) {
  std::set<std::string> models;
  for (const Json& body : Asked(endpoint)) models.insert(body["model"].get<std::string>());
  return models;
}

using ClientRun = EndpointRun;

TEST_F(ClientRun, ARecordedRunIsReplayedByteForByteWithoutAnEndpoint) {
  const std::vector<std::string> recording = {
      "--set", "model.cache_file=" + scratch_.path() + "/answers.db"};
  auto with = [&](const std::string& setting) {
    std::vector<std::string> all = recording;
    all.insert(all.end(), {"--set", setting});
    return all;
  };
  auto endpoint = Endpoint();
  ASSERT_EQ(Run(*endpoint, with("model.cache=record")).code, 0);
  const std::string recorded = CanonicalJournal(runs() + "/r").value();
  const int64_t asked = endpoint->stats().asked;
  EXPECT_GT(asked, 4);
  std::filesystem::remove_all(runs());

  const ProcessExit replayed = Run(*endpoint, with("model.cache=replay"));
  ASSERT_EQ(replayed.code, 0) << replayed.err;
  EXPECT_EQ(endpoint->stats().requests, asked);
  EXPECT_EQ(CanonicalJournal(runs() + "/r").value(), recorded);
  std::filesystem::remove_all(runs());

  // Another seed asks for what was never recorded.
  std::vector<std::string> other = with("model.cache=replay");
  other.insert(other.end(), {"--set", "run.seed=4"});
  const ProcessExit missed = Run(*endpoint, other);
  EXPECT_EQ(missed.code, 2);
  EXPECT_THAT(missed.err, AllOf(HasSubstr("seed"), HasSubstr("kwright resume r")));
  EXPECT_EQ(endpoint->stats().requests, asked);
}

TEST_F(ClientRun, EndsBeforeItsBudgetIsPassedAndGoesOnWithALargerOne) {
  auto endpoint = Endpoint();
  ASSERT_EQ(Run(*endpoint).code, 0);
  const std::string whole = CanonicalJournal(runs() + "/r").value();
  const int64_t calls = endpoint->stats().asked;
  std::filesystem::remove_all(runs());

  auto capped = Endpoint();
  const ProcessExit stopped = Run(*capped, {"--max-calls", "3"});
  EXPECT_EQ(stopped.code, 2);
  EXPECT_THAT(stopped.err, AllOf(HasSubstr("run.max_calls is 3"), HasSubstr("kwright resume r")));
  EXPECT_EQ(capped->stats().asked, 3);
  EXPECT_EQ(Status()["state"], "stopped");

  const ProcessExit resumed = Resume({"--set", "run.max_calls=1000"});
  ASSERT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_EQ(capped->stats().asked, calls);
  EXPECT_EQ(CanonicalJournal(runs() + "/r").value(), whole);
}

TEST_F(ClientRun, EachRoleAsksItsOwnModel) {
  auto writes = Endpoint(), judges = Endpoint();
  const ProcessExit exit =
      Run(*writes,
          {"--method", "best_of_n", "--learner", "evolrule", "--set", "method.samples=2", "--set",
           "model.extractor.name=digest", "--set", "model.extractor.max_tokens=2000", "--set",
           "model.judge.name=judge", "--set", "model.judge.base_url=" + judges->base_url()});
  ASSERT_EQ(exit.code, 0) << exit.err;
  EXPECT_THAT(ModelsAsked(*writes), ElementsAre("digest", "mock-author"));
  EXPECT_THAT(ModelsAsked(*judges), ElementsAre("judge"));
  for (const Json& body : Asked(*judges)) EXPECT_EQ(body["temperature"], 0);
  for (const Json& body : Asked(*writes)) {
    const bool digests = body["model"] == "digest";
    EXPECT_EQ(body["temperature"], digests ? 1.0 : 0.7);
    EXPECT_EQ(body["max_tokens"], digests ? 2000 : 8192);
  }
}

TEST_F(ClientRun, SeveralAuthorsTakeTurns) {
  auto endpoint = Endpoint();
  const ProcessExit exit = Run(*endpoint, {"--set", "model.name=first,second", "--learner", "none",
                                           "--set", "method.samples=2"});
  ASSERT_EQ(exit.code, 0) << exit.err;
  std::map<std::string, int> attempts;
  for (const Json& body : Asked(*endpoint)) ++attempts[body["model"].get<std::string>()];
  EXPECT_EQ(attempts, (std::map<std::string, int>{{"first", 2}, {"second", 2}}));
}

// experiments/guard-on.toml and guard-off.toml: on healthy answers the guard changes nothing.
TEST_F(ClientRun, TheGuardLeavesHealthyAnswersAsTheyAre) {
  auto endpoint = Endpoint();
  const auto answers = [&](const std::string& name) {
    const ProcessExit exit =
        Kwright({"run", "experiments/" + name + ".toml", "--name", name, "--base-url",
                 endpoint->base_url(), "--set", "run.dir=" + runs(), "--set", "run.effort=quick"});
    EXPECT_EQ(exit.code, 0) << exit.err;
    std::vector<std::string> texts;
    const RunRecord run = ReadRun(runs() + "/" + name).value();
    for (const AttemptRecord& attempt : run.attempts) {
      texts.push_back(attempt.answer);
    }
    return texts;
  };
  const std::vector<std::string> on = answers("guard-on"), off = answers("guard-off");
  EXPECT_EQ(on.size(), 6u);
  EXPECT_EQ(on, off);
  EXPECT_EQ(endpoint->stats().closed_early, 0);
}

TEST_F(ClientRun, LoopsAreStoppedEarlyAndTheAttemptSaysSo) {
  MockOptions loops;
  loops.content = MockOptions::Content::kLoop;
  loops.chunks_per_s = 2000;
  auto endpoint = Endpoint(loops);
  const ProcessExit exit = Run(*endpoint, kOneAtATime);
  ASSERT_EQ(exit.code, 0) << exit.err;
  EXPECT_EQ(endpoint->stats().closed_early, 2);
  EXPECT_THAT(endpoint->stats().closed_after, Each(::testing::Lt(2000)));
  const RunRecord run = ReadRun(runs() + "/r").value();
  for (const AttemptRecord& attempt : run.attempts) {
    EXPECT_EQ(attempt.verdict.status, eval::Status::kMalformed);
    EXPECT_EQ(attempt.verdict.reason, "runaway");
  }
}

TEST_F(ClientRun, StopsAtACompleteCandidateWhereItIsToldTo) {
  auto endpoint = Endpoint();
  ASSERT_EQ(Run(*endpoint, kOneAtATime).code, 0);
  const RunRecord whole = ReadRun(runs() + "/r").value();
  std::filesystem::remove_all(runs());
  std::vector<std::string> early = kOneAtATime;
  early.insert(early.end(), {"--set", "model.stop_when_complete=true"});
  ASSERT_EQ(Run(*endpoint, early).code, 0);
  const RunRecord stopped = ReadRun(runs() + "/r").value();
  ASSERT_EQ(stopped.attempts.size(), whole.attempts.size());
  for (size_t i = 0; i < whole.attempts.size(); ++i) {
    EXPECT_EQ(stopped.attempts[i].source, whole.attempts[i].source);
    EXPECT_TRUE(whole.attempts[i].answer.starts_with(stopped.attempts[i].answer));
  }
}

}  // namespace
}  // namespace kw
