// A run of the real kwright against an endpoint of the test's own, in a folder of its own.
#pragma once

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "kw/agent.h"
#include "kw/base.h"
#include "kw/base/json.h"
#include "kw/base/process.h"

namespace kw {

inline constexpr const char* kKey = "sk-kwright-endpoint-test-0123456789";
inline const std::vector<std::string> kOneAtATime = {
    "--method",         "base",  "--learner",           "none", "--set",
    "method.samples=1", "--set", "run.parallel_tasks=1"};

class EndpointRun : public ::testing::Test {
 protected:
  // kwright ARGUMENTS, with its runs in a folder of the test's own.
  ProcessExit Kwright(std::vector<std::string> arguments, const std::string& key = kKey) {
    ProcessSpec spec{
        .argv = {KW_BINARY_DIR "/kwright"},
        .inherit_environment = true,
        .environment = {"KWRIGHT_HOME=" KW_SOURCE_DIR, "KWRIGHT_CACHE=" KW_BINARY_DIR "/e2e-cache",
                        "KWRIGHT_API_KEY=" + key, "OPENAI_API_KEY="},
        .directory = KW_SOURCE_DIR,
        .limits = {.wall_ms = 120'000}};
    spec.argv.insert(spec.argv.end(), arguments.begin(), arguments.end());
    ProcessExit exit = RunProcess(spec).value();
    EXPECT_EQ((exit.out + exit.err).find(key), std::string::npos);
    return exit;
  }

  // Of two small tasks, with the author at `server`.
  template <class Server>
  ProcessExit Run(const Server& server, std::vector<std::string> more = {},
                  const std::string& key = kKey) {
    std::vector<std::string> arguments = {"run",        "experiments/quickstart.toml",
                                          "--name",     "r",
                                          "--model",    "mock-author",
                                          "--base-url", server.base_url()};
    for (const std::string& setting :
         {"run.dir=" + runs(), std::string("run.tasks=row_sum,leaky_relu"),
          std::string("run.epochs=1"), std::string("run.batch=2"), std::string("run.effort=quick"),
          std::string("run.seed=3")}) {
      arguments.insert(arguments.end(), {"--set", setting});
    }
    arguments.insert(arguments.end(), more.begin(), more.end());
    return Kwright(arguments, key);
  }

  ProcessExit Resume(std::vector<std::string> more = {}) {
    std::vector<std::string> arguments = {"resume", "r", "--dir", runs()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return Kwright(arguments);
  }

  Json Status() {
    return ParseJson(Kwright({"status", "r", "--dir", runs(), "--json"}).out, "status").value();
  }

  std::string runs() const { return scratch_.path() + "/runs"; }

  const ScratchDirectory scratch_ = ScratchDirectory::Make("endpoint-run").value();
};

}  // namespace kw
