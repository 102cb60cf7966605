// Whole runs of the real kwright against an endpoint: what README.md promises for --base-url.
#include <gmock/gmock.h>

#include <atomic>
#include <filesystem>

#include "author_server.h"
#include "endpoint_run.h"

namespace kw {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

int TimesAnswered(const AuthorServer& server) {
  int times = 0;
  for (const auto& [body, count] : server.served().answers) times += count;
  return times;
}

void ExpectNothingAnsweredTwice(const std::vector<const AuthorServer*>& servers) {
  std::map<std::string, int> answers;
  for (const AuthorServer* server : servers) {
    for (const auto& [body, count] : server->served().answers) answers[body] += count;
  }
  for (const auto& [body, count] : answers) EXPECT_EQ(count, 1) << body.substr(0, 300);
}

std::optional<MockReply> Refuse(int status, const std::string& words) {
  return MockReply::Error(status, DumpJson({{"error", {{"message", words}, {"code", status}}}}));
}

struct Way {
  const char *method, *learner;
};

class WholeRun : public EndpointRun, public ::testing::WithParamInterface<Way> {};

TEST_P(WholeRun, WritesJudgesAndLearns) {
  AuthorServer server;
  const ProcessExit exit = Run(server, {"--method", GetParam().method, "--learner",
                                        GetParam().learner, "--set", "method.samples=2"});
  ASSERT_EQ(exit.code, 0) << exit.err;
  EXPECT_THAT(exit.out, AllOf(HasSubstr("run r (finished): mock-author on "), HasSubstr("row_sum"),
                              Not(HasSubstr("simulated author"))));

  const Json run = Status();
  EXPECT_EQ(run["state"], "finished");
  EXPECT_EQ(run["model"], "mock-author");
  EXPECT_EQ(run["simulated_author"], false);
  EXPECT_EQ(run["attempts"], 4);
  const Json& epoch = run["epochs"].at(0);
  EXPECT_GE(epoch["attempts_correct"], 1);

  // Every call is in the journal, with the endpoint's own counts, and none was made twice.
  const AuthorServer::Served served = server.served();
  EXPECT_GT(served.completion_tokens, 0);
  EXPECT_EQ(epoch["model_calls"], TimesAnswered(server));
  EXPECT_EQ(epoch["prompt_tokens"], served.prompt_tokens);
  EXPECT_EQ(epoch["completion_tokens"], served.completion_tokens);
  EXPECT_EQ(server.requests().size(), served.answers.size());
  ExpectNothingAnsweredTwice({&server});

  const bool items = std::string(GetParam().learner) == "reasoning_bank";
  const ProcessExit learned =
      Kwright({items ? "memory" : "rules", "list", "--run", "r", "--dir", runs(), "--json"});
  const Json list = ParseJson(learned.out, "what was learned").value();
  ASSERT_FALSE(list.empty()) << learned.err;
  EXPECT_EQ(list.at(0)["from"]["model"], "mock-author");
}

INSTANTIATE_TEST_SUITE_P(Ways, WholeRun,
                         ::testing::Values(Way{"best_of_n", "reasoning_bank"},
                                           Way{"refine", "evolrule"}),
                         [](const auto& info) { return std::string(info.param.learner); });

TEST_F(EndpointRun, SendsTheKeyAndKeepsItNowhere) {
  AuthorServer server;
  ASSERT_EQ(
      Run(server, {"--method", "base", "--set", "run.tasks=row_sum", "--set", "method.samples=1"})
          .code,
      0);
  for (const MockRequest& request : server.requests()) {
    EXPECT_EQ(request.headers.at("authorization"), std::string("Bearer ") + kKey);
    EXPECT_THAT(request.body, Not(HasSubstr(kKey)));
  }
  int files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(runs())) {
    if (!entry.is_regular_file()) continue;
    ++files;
    EXPECT_EQ(ReadFile(entry.path()).value().find(kKey), std::string::npos) << entry.path();
  }
  EXPECT_GE(files, 2);  // the journal and the bank
}

TEST_F(EndpointRun, StopsAtAWrongKeyAndGoesOnWithTheRightOne) {
  const std::string right = std::string("Bearer ") + kKey;
  AuthorServer server([&](const MockRequest& request) -> std::optional<MockReply> {
    const std::string given = request.headers.at("authorization");
    if (given == right) return std::nullopt;
    return Refuse(401, "Incorrect API key provided: " + given);  // as some do: it shows the key
  });
  const ProcessExit refused = Run(server, kOneAtATime, "sk-some-wrong-key-9876543210");
  EXPECT_EQ(refused.code, 2);
  EXPECT_EQ(refused.out, "");
  EXPECT_THAT(refused.err, AllOf(HasSubstr("HTTP 401"), HasSubstr("Incorrect API key"),
                                 HasSubstr("check the API key"),
                                 HasSubstr("Continue with: kwright resume r --dir " + runs())));
  EXPECT_EQ(server.requests().size(), 1);  // not tried again
  EXPECT_EQ(Status()["state"], "stopped");

  const ProcessExit resumed = Resume();
  EXPECT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_EQ(Status()["state"], "finished");
  ExpectNothingAnsweredTwice({&server});
}

TEST_F(EndpointRun, StopsAtAnUnknownModelAndGoesOnOnceItIsThere) {
  std::atomic<bool> there = false;
  AuthorServer server([&](const MockRequest&) -> std::optional<MockReply> {
    if (there) return std::nullopt;
    return Refuse(404, "model 'mock-author' not found, try pulling it first");
  });
  std::vector<std::string> how = kOneAtATime;
  how.push_back("--json");
  const ProcessExit refused = Run(server, how);
  EXPECT_EQ(refused.code, 2);
  const Json error = ParseJson(refused.out, "--json").value()["error"];
  EXPECT_EQ(error["code"], "invalid");
  EXPECT_THAT(error["message"].get<std::string>(),
              AllOf(HasSubstr("HTTP 404"), HasSubstr("try pulling it first"),
                    HasSubstr("check the base URL and the model's name")));
  EXPECT_EQ(server.requests().size(), 1);

  // Another model would be another run.
  const ProcessExit changed = Resume({"--set", "model.name=other"});
  EXPECT_EQ(changed.code, 2);
  EXPECT_THAT(changed.err, HasSubstr("model.name"));

  there = true;
  const ProcessExit resumed = Resume({"--json"});
  EXPECT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_EQ(ParseJson(resumed.out, "--json").value()["state"], "finished");
  ExpectNothingAnsweredTwice({&server});
}

TEST_F(EndpointRun, WaitsForAnAnswerAsLongAsItIsTold) {
  AuthorServer server([](const MockRequest& request) -> std::optional<MockReply> {
    if (request.number != 1) return std::nullopt;
    MockReply late;
    late.delay_ms = 60'000;
    return late;
  });
  std::vector<std::string> how = kOneAtATime;
  how.insert(how.end(), {"--set", "model.timeout_s=2", "--set", "model.max_retries=0"});
  const ProcessExit stopped = Run(server, how);
  EXPECT_EQ(stopped.code, 2);
  EXPECT_THAT(stopped.err, HasSubstr("no whole answer within 2000 ms"));
  const ProcessExit status = Kwright({"status", "r", "--dir", runs()});
  EXPECT_THAT(status.out, AllOf(HasSubstr("run r (stopped): 1 of 2 attempts"),
                                HasSubstr("kwright resume r --dir " + runs())));

  const ProcessExit resumed = Resume({"--set", "model.timeout_s=600"});
  EXPECT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_EQ(server.requests().size(), 3);
  ExpectNothingAnsweredTwice({&server});
}

TEST_F(EndpointRun, OutlastsAnEndpointThatStumbles) {
  AuthorServer server([](const MockRequest& request) -> std::optional<MockReply> {
    MockReply reply;
    switch (request.number) {
      case 0:
        return Refuse(503, "still loading");
      case 2:
        reply.reset = true;
        return reply;
      case 4:
        reply = *Refuse(429, "slow down");
        reply.headers = {{"Retry-After", "1"}};
        return reply;
      default:
        return std::nullopt;
    }
  });
  const ProcessExit exit = Run(server, {"--learner", "none"});
  ASSERT_EQ(exit.code, 0) << exit.err;
  EXPECT_EQ(server.requests().size(), 4 + 3);
  EXPECT_EQ(Status()["epochs"].at(0)["model_calls"], 4);
  ExpectNothingAnsweredTwice({&server});
}

// The endpoint dies after some answers, and another one takes its place elsewhere.
TEST_F(EndpointRun, StopsWhenTheEndpointIsGoneAndEndsAtAnotherAsIfNothingHadBeen) {
  std::string expected;
  {
    AuthorServer server;
    ASSERT_EQ(Run(server).code, 0);
    expected = CanonicalJournal(runs() + "/r").value();
    std::filesystem::remove_all(runs());
  }
  std::atomic<int> answered = 0;
  AuthorServer first([&](const MockRequest&) -> std::optional<MockReply> {
    if (++answered <= 3) return std::nullopt;
    MockReply gone;
    gone.reset = true;
    return gone;
  });
  const ProcessExit stopped = Run(first);
  EXPECT_EQ(stopped.code, 2);
  EXPECT_THAT(stopped.err, AllOf(HasSubstr("(tried 6 times)"), HasSubstr("kwright resume r")));
  EXPECT_EQ(Status()["state"], "stopped");
  EXPECT_EQ(TimesAnswered(first), 3);

  AuthorServer second;
  const ProcessExit resumed = Resume({"--set", "model.base_url=" + second.base_url(), "--set",
                                      "model.max_in_flight=1", "--set", "device.workers=1"});
  ASSERT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_EQ(CanonicalJournal(runs() + "/r").value(), expected);
  ExpectNothingAnsweredTwice({&first, &second});
}

}  // namespace
}  // namespace kw
