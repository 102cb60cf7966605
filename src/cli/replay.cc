// kwright replay: a stored failure again, from the same bytes.
#include <fmt/format.h>

#include <filesystem>
#include <iostream>

#include "commands.h"
#include "kw/base.h"
#include "kw/base/json.h"
#include "output.h"
#include "rooms.h"

namespace kw::cli {
namespace {

struct ReplayOptions {
  std::string id, device, replays, dump;
  bool json = false;
};

Result<eval::Evaluator::ReplayOutcome> Again(const ReplayOptions& options) {
  eval::EvaluatorConfig config;
  KW_ASSIGN(config.home, ProgramHome());
  KW_ASSIGN(config.cache, CacheDirectory());
  config.replays = options.replays.empty() ? config.cache + "/replays" : options.replays;
  config.workers = 1;
  KW_ASSIGN(const eval::Replay stored, eval::LoadReplay(config.replays, options.id));
  config.device = options.device.empty() ? stored.device : options.device;
  KW_ASSIGN(const auto evaluator, eval::MakeEvaluator(config));
  std::string dump;
  if (!options.dump.empty()) dump = std::filesystem::absolute(options.dump).string();
  return evaluator->RunReplay(options.id, dump);
}

int Replay(const ReplayOptions& options) {
  const auto outcome = Again(options);
  if (!outcome) return PrintError(outcome.error(), options.json);
  if (options.json) {
    Json json = {{"replay_id", options.id},
                 {"inputs_hash", outcome->inputs_hash},
                 {"same_inputs", outcome->same_inputs}};
    json["verdict"] = *ParseJson(eval::VerdictToJson(outcome->verdict), "verdict");
    std::cout << DumpJson(json) << "\n";
  } else {
    std::cout << fmt::format(
        "inputs {} ({})\n\n{}", outcome->inputs_hash,
        outcome->same_inputs ? "the same bytes as then" : "NOT the bytes of then",
        DescribeVerdict(outcome->verdict));
  }
  if (!outcome->same_inputs) return kTrouble;
  return outcome->verdict.passed() ? kDone : kNo;
}

}  // namespace

void AddReplay(CLI::App& app, Action& action) {
  auto options = std::make_shared<ReplayOptions>();
  CLI::App* sub = app.add_subcommand("replay", "Judge a stored failure again, on the same bytes");
  sub->add_option("ID", options->id, "The replay_id of a verdict")->required();
  sub->add_option("--device", options->device, "Another data sheet (default: the one of then)");
  sub->add_option("--replays", options->replays,
                  "Folder of stored failures: a run keeps its own in RUN/replays");
  sub->add_option("--dump", options->dump,
                  "Folder for inputs, outputs, expected values and errors as .npy");
  sub->add_flag("--json", options->json, "Print JSON");
  sub->footer(
      "Example:\n  kwright replay 3f2a91c04d5e\n"
      "  kwright replay 3f2a91c04d5e --replays runs/quickstart-1/replays --dump failure");
  sub->callback([&action, options] { action = [options] { return Replay(*options); }; });
}

}  // namespace kw::cli
