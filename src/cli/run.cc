// kwright run, kwright resume.
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <iostream>

#include "audit.h"
#include "commands.h"
#include "kw/base.h"
#include "kw/report.h"
#include "output.h"
#include "progress.h"
#include "rooms.h"

namespace kw::cli {
namespace {

struct RunOptions {
  std::string experiment, name, dir = "runs";
  std::vector<std::string> settings;
  std::string model, base_url, learner, method, max_cost, max_tokens, max_calls;
  bool no_guard = false;
  bool json = false;
};

std::atomic<int> interrupts = 0;

// The first ^C lets what is in flight end; the second kills.
void StopOnInterrupt() {
  struct sigaction action {};
  action.sa_handler = [](int number) {
    if (++interrupts > 1) {
      signal(number, SIG_DFL);
      raise(number);
    }
  };
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}
bool Interrupted() { return interrupts > 0; }

using Overrides = std::vector<std::pair<std::string, std::string>>;

Result<void> AddSettings(const std::vector<std::string>& settings, Overrides& overrides) {
  for (const std::string& setting : settings) {
    const size_t equals = setting.find('=');
    if (equals == setting.npos) {
      return Fail(ErrorCode::kInvalid, "--set wants KEY=VALUE, not '" + setting + "'");
    }
    overrides.emplace_back(setting.substr(0, equals), setting.substr(equals + 1));
  }
  return {};
}

Result<Overrides> OverridesOf(const RunOptions& options) {
  Overrides overrides;
  for (const auto& [key, value] : {std::pair{"run.name", options.name},
                                   {"model.name", options.model},
                                   {"model.base_url", options.base_url},
                                   {"learner.name", options.learner},
                                   {"method.name", options.method},
                                   {"run.max_cost_usd", options.max_cost},
                                   {"run.max_total_tokens", options.max_tokens},
                                   {"run.max_calls", options.max_calls}}) {
    if (!value.empty()) overrides.emplace_back(key, value);
  }
  if (options.no_guard) overrides.emplace_back("model.runaway_guard", "false");
  KW_TRY(AddSettings(options.settings, overrides));
  return overrides;
}

void PrintSummary(const RunRecord& run) {
  std::cout << fmt::format(
      "\nrun {} ({}): {} on {}{}\n\n", run.name, run.state,
      run.simulated ? "the simulated author, a seeded policy, no model" : run.model, run.device,
      run.device.empty() ? "" : " (emulated: times are modelled)");
  std::cout << EpochTable(run) << "\n" << BestTable(run);
  std::cout << "\n" << UsageLine(TotalOf(run.usage)) << "\n";
  const std::string dir = run.folder.substr(0, run.folder.rfind('/'));
  const std::string where = dir == "runs" ? "" : " --dir " + dir;
  std::cout << "\nnext:\n" << fmt::format("  kwright status {}{}\n", run.name, where);
  if (run.learner == "reasoning_bank") {
    std::cout << fmt::format("  kwright memory list --run {}{}\n", run.name, where);
  }
  if (run.learner == "evolrule") {
    std::cout << fmt::format("  kwright rules list --run {}{}\n", run.name, where);
  }
  std::cout << "  kwright eval KERNEL.cu --task softmax\n";
  if (run.simulated) {
    std::cout << "  kwright run experiments/quickstart.toml --model NAME --base-url "
                 "http://HOST:PORT/v1\n";
  }
}

int Finish(const Result<RunRecord>& run, const RunConfig& config, bool json) {
  if (!run) {
    const int status = PrintError(run.error(), json);
    if (run.error().code != ErrorCode::kConflict &&
        FileExists(config.dir + "/" + config.name + "/run.db")) {
      std::cerr << fmt::format("What was finished is kept. Continue with: kwright resume {}{}\n",
                               config.name, config.dir == "runs" ? "" : " --dir " + config.dir);
    }
    return status;
  }
  if (json) {
    std::cout << RunToJson(*run) << "\n";
  } else {
    PrintSummary(*run);
  }
  return kDone;
}

int Run(const RunOptions& options) {
  const Result<Overrides> overrides = OverridesOf(options);
  if (!overrides) return PrintError(overrides.error(), options.json);
  if (IsAuditExperiment(options.experiment)) {
    if (overrides->empty()) return PrintAuditTable(options.experiment, {.json = options.json});
    return PrintError({ErrorCode::kInvalid,
                       options.experiment + " is an audit, which has no " + (*overrides)[0].first +
                           " to set: see kwright audit --help for what can be",
                       {}},
                      options.json);
  }
  const Result<RunConfig> config = LoadRunConfig(options.experiment, *overrides);
  if (!config) return PrintError(config.error(), options.json);
  const Result<OpenRooms> rooms = OpenRoomsFor(*config);
  if (!rooms) return PrintError(rooms.error(), options.json);
  StopOnInterrupt();
  ProgressView view(isatty(STDERR_FILENO) != 0, options.json);
  return Finish(StartRun(*config, rooms->View(), view, Interrupted), *config, options.json);
}

int Resume(const RunOptions& options) {
  const std::string folder = options.dir + "/" + options.name;
  const Result<Overrides> given = OverridesOf(options);
  if (!given) return PrintError(given.error(), options.json);
  Overrides overrides = *given;
  // Its name is where it lies.
  std::erase_if(overrides, [](const auto& entry) { return entry.first == "run.name"; });
  Result<RunConfig> config = ReadRunConfig(folder, overrides);
  if (!config) return PrintError(config.error(), options.json);
  config->dir = options.dir;
  const Result<OpenRooms> rooms = OpenRoomsFor(*config);
  if (!rooms) return PrintError(rooms.error(), options.json);
  StopOnInterrupt();
  ProgressView view(isatty(STDERR_FILENO) != 0, options.json);
  return Finish(ResumeRun(folder, rooms->View(), view, Interrupted, overrides), *config,
                options.json);
}

void AddCaps(CLI::App& sub, RunOptions& options) {
  sub.add_option("--max-cost", options.max_cost, "Stop before model calls cost more, in USD");
  sub.add_option("--max-tokens", options.max_tokens, "Stop before model calls use more tokens");
  sub.add_option("--max-calls", options.max_calls, "Stop before there are more model calls");
}

}  // namespace

void AddRun(CLI::App& app, Action& action) {
  auto options = std::make_shared<RunOptions>();
  CLI::App* sub = app.add_subcommand("run", "Run an experiment: write, judge, learn");
  sub->add_option("EXPERIMENT", options->experiment, "A TOML file, see experiments/")->required();
  sub->add_option("--set", options->settings, "Set a key of the configuration: --set learner.k=5")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  sub->add_option("--name", options->name, "The run's name (default: the file's, numbered)");
  sub->add_option("--model", options->model, "'simulated', or a model at the endpoint");
  sub->add_option("--base-url", options->base_url, "An OpenAI-compatible endpoint, with /v1");
  sub->add_option("--learner", options->learner, "none, reasoning_bank or evolrule");
  sub->add_option("--method", options->method, "base, best_of_n, refine or metr");
  AddCaps(*sub, *options);
  sub->add_flag("--no-runaway-guard", options->no_guard, "Let answers that loop go on");
  sub->add_flag("--json", options->json, "Print the result as JSON");
  sub->footer(
      "Example:\n  kwright run experiments/quickstart.toml --set run.epochs=2\n"
      "  KWRIGHT_API_KEY=... kwright run experiments/quickstart.toml --model qwen3 "
      "--base-url http://localhost:8000/v1");
  sub->callback([&action, options] { action = [options] { return Run(*options); }; });
}

void AddResume(CLI::App& app, Action& action) {
  auto options = std::make_shared<RunOptions>();
  CLI::App* sub = app.add_subcommand("resume", "Continue a run that was stopped or killed");
  sub->add_option("NAME", options->name, "The run's name, see kwright status")->required();
  sub->add_option("--dir", options->dir, "The folder that holds the runs")->capture_default_str();
  sub->add_option("--set", options->settings,
                  "Set a key that has no part in what the run does: --set device.workers=4")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  AddCaps(*sub, *options);
  sub->add_flag("--json", options->json, "Print the result as JSON");
  sub->footer(
      "Example:\n  kwright resume quickstart-1\n"
      "  kwright resume quickstart-1 --set model.base_url=http://other-host:8000/v1");
  sub->callback([&action, options] { action = [options] { return Resume(*options); }; });
}

}  // namespace kw::cli
