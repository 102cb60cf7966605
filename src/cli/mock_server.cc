// kwright mock-server: an endpoint that is none, for tests, demonstrations and load.
#include <sys/resource.h>

#include <csignal>
#include <iostream>

#include "commands.h"
#include "kw/base.h"
#include "kw/mock.h"
#include "output.h"

namespace kw::cli {
namespace {

struct MockServerOptions {
  MockOptions mock;
  std::string reasoning;
  bool canned = false, loop = false;
};

// "\n" and "\t" as a shell passes them.
Result<std::string> Unescaped(const std::string& text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      plain += text[i];
      continue;
    }
    const char next = ++i < text.size() ? text[i] : '\0';
    if (next != 'n' && next != 't' && next != '\\') {
      return Fail(ErrorCode::kInvalid, "--loop-unit: after '\\' comes n, t or another '\\'");
    }
    plain += next == 'n' ? '\n' : next == 't' ? '\t' : '\\';
  }
  return plain;
}

Result<MockOptions> Read(const MockServerOptions& given) {
  MockOptions options = given.mock;
  if (given.canned && given.loop) {
    return Fail(ErrorCode::kInvalid, "--canned and --loop: choose one");
  }
  if (given.canned) options.content = MockOptions::Content::kCanned;
  if (given.loop) options.content = MockOptions::Content::kLoop;
  KW_ASSIGN(options.loop_unit, Unescaped(options.loop_unit));
  if (given.reasoning == "field") {
    options.reasoning = MockOptions::Reasoning::kField;
  } else if (given.reasoning == "think") {
    options.reasoning = MockOptions::Reasoning::kThinkBlock;
  } else if (!given.reasoning.empty()) {
    return Fail(ErrorCode::kInvalid,
                UnknownName("--reasoning", given.reasoning, {"field", "think"}));
  }
  return options;
}

// Thousands of streams need as many descriptors.
void RaiseDescriptorLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) log::Warn("the limit of open files stays as it is");
}

Result<void> Serve(const MockServerOptions& given) {
  KW_ASSIGN(MockOptions options, Read(given));
  KW_ASSIGN(const std::string home, ProgramHome());
  KW_ASSIGN(std::shared_ptr<ChatModel> author,
            MakeSimulatedAuthor(home + "/data/models/simulated_author.toml"));
  RaiseDescriptorLimit();
  // Before the endpoint's thread is there, so that the signals come to this one.
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGINT);
  sigaddset(&ends, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);
  KW_ASSIGN(const std::unique_ptr<MockEndpoint> endpoint,
            MockEndpoint::Start(std::move(options), std::move(author)));
  std::cout << "listening on " << endpoint->base_url() << std::endl;
  int signal = 0;
  sigwait(&ends, &signal);
  std::cout << MockStatsToJson(endpoint->stats()) << std::endl;
  return {};
}

int MockServer(const MockServerOptions& options) {
  const Result<void> served = Serve(options);
  return served ? kDone : PrintError(served.error(), false);
}

void AddContentOptions(CLI::App& sub, MockServerOptions& given) {
  MockOptions& mock = given.mock;
  auto* canned = sub.add_option("--canned", mock.canned_bytes,
                                "Answer with a fixed kernel of so many bytes, not as the author");
  canned->each([&given](const std::string&) { given.canned = true; });
  sub.add_flag("--loop", given.loop, "Answer with a runaway: the same unit until max_tokens");
  sub.add_option("--loop-unit", mock.loop_unit, "What is repeated (\\n and \\t are understood)");
  sub.add_flag("--loop-in-reasoning", mock.loop_in_reasoning, "The reasoning runs away");
  sub.add_flag("--reasoning{field}", given.reasoning,
               "Reason before the answer: in reasoning_content, or =think in a <think> block");
  sub.add_flag("--unicode", mock.unicode, "Begin answers with characters of two to four bytes");
  sub.add_option("--embedding-dimension", mock.embedding_dimension, "Of embeddings")
      ->capture_default_str();
}

void AddPaceOptions(CLI::App& sub, MockOptions& mock) {
  sub.add_option("--chunk", mock.chunk_bytes, "Bytes of text in an event")->capture_default_str();
  sub.add_option("--rate", mock.chunks_per_s, "Events a second in each stream; 0: no pace")
      ->capture_default_str();
  sub.add_option("--latency", mock.latency_ms, "Milliseconds before the first event")
      ->capture_default_str();
}

void AddFaultOptions(CLI::App& sub, MockOptions& mock) {
  sub.add_option("--faults", mock.faults, "NAME=P,NAME=/N: a share of the answers, or every N-th");
  sub.add_option("--seed", mock.seed, "Which requests meet a fault")->capture_default_str();
  sub.add_option("--rpm", mock.requests_per_minute, "Requests a minute, else 429; 0: no limit")
      ->capture_default_str();
  sub.add_option("--retry-after", mock.retry_after_s, "Seconds, of 429 and 503")
      ->capture_default_str();
  sub.add_option("--stall", mock.stall_ms, "Milliseconds, of stall and slow-head")
      ->capture_default_str();
  sub.add_option("--redirect-to", mock.redirect_to, "Of redirect")->capture_default_str();
}

}  // namespace

void AddMockServer(CLI::App& app, Action& action) {
  auto options = std::make_shared<MockServerOptions>();
  MockOptions& mock = options->mock;
  CLI::App* sub = app.add_subcommand(
      "mock-server", "Serve the simulated author as an endpoint, with faults if you like");
  sub->add_option("--host", mock.host, "The address to listen on")->capture_default_str();
  sub->add_option("--port", mock.port, "0: one that is free")->capture_default_str();
  sub->add_option("--models", mock.models, "The only names that are answered, joined by commas")
      ->delimiter(',');
  sub->add_option("--api-key", mock.api_key, "Refuse requests without this key");
  sub->add_option("--context", mock.context_tokens, "Tokens of prompt and answer")
      ->capture_default_str();
  AddContentOptions(*sub, *options);
  AddPaceOptions(*sub, mock);
  AddFaultOptions(*sub, mock);
  sub->add_option("--keep", mock.keep_requests, "Requests to show at /mock/requests")
      ->capture_default_str();
  std::string faults;
  for (const auto& [name, what] : MockFaults()) faults += "  " + name + ": " + what + "\n";
  sub->footer(
      "Prints where it listens, serves until ^C, then prints what it did.\n\n"
      "Example:\n  kwright mock-server --port 8000 --rate 50 --faults 429=0.1,cut=/20\n\n"
      "Faults:\n" +
      faults);
  sub->callback([&action, options] { action = [options] { return MockServer(*options); }; });
}

}  // namespace kw::cli
