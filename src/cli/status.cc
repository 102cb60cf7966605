// kwright status: the runs, or one run.
#include <fmt/format.h>

#include <iostream>

#include "commands.h"
#include "kw/base.h"
#include "kw/base/json.h"
#include "kw/report.h"
#include "output.h"

namespace kw::cli {
namespace {

struct StatusOptions {
  std::string name, dir = "runs";
  bool json = false;
};

int ShowOne(const StatusOptions& options) {
  const Result<RunRecord> run = ReadRun(options.dir + "/" + options.name);
  if (!run) return PrintError(run.error(), options.json);
  if (options.json) {
    std::cout << RunToJson(*run, /*with_attempts=*/true) << "\n";
    return kDone;
  }
  std::cout << fmt::format(
      "run {} ({}): {} of {} attempts; method {}, learner {}, model {}, device {}, seed {}\n\n",
      run->name, run->state, run->attempts.size(), run->attempts_planned, run->method, run->learner,
      run->simulated ? "simulated author" : run->model, run->device, run->seed);
  std::cout << EpochTable(*run) << "\n" << BestTable(*run);
  if (const std::string usage = UsageTable(*run); !usage.empty()) std::cout << "\n" << usage;
  if (run->state != "finished") {
    std::cout << "\nContinue with: kwright resume " << run->name
              << (options.dir == "runs" ? "" : " --dir " + options.dir) << "\n";
  }
  return kDone;
}

int ShowAll(const StatusOptions& options) {
  const auto names = ListRuns(options.dir);
  if (!names) return PrintError(names.error(), options.json);
  Json runs = Json::array();
  for (const std::string& name : *names) {
    const Result<RunRecord> run = ReadRun(options.dir + "/" + name);
    if (!run) {
      std::cerr << "kwright: " << name << ": " << run.error().ToString() << "\n";
      continue;
    }
    if (options.json) {
      runs.push_back(*ParseJson(RunToJson(*run), name));
    } else {
      std::cout << fmt::format("{:<24} {:<9} {:>4}/{} attempts  {} + {}  {}\n", name, run->state,
                               run->attempts.size(), run->attempts_planned, run->method,
                               run->learner, run->simulated ? "simulated author" : run->model);
    }
  }
  if (options.json) {
    std::cout << DumpJson(runs) << "\n";
  } else if (names->empty()) {
    std::cout << "no runs in " << options.dir
              << "/; start one with: kwright run experiments/quickstart.toml\n";
  }
  return kDone;
}

}  // namespace

void AddStatus(CLI::App& app, Action& action) {
  auto options = std::make_shared<StatusOptions>();
  CLI::App* sub = app.add_subcommand("status", "Show the runs, or one run");
  sub->add_option("NAME", options->name, "A run; all of them when left out");
  sub->add_option("--dir", options->dir, "The folder that holds the runs")->capture_default_str();
  sub->add_flag("--json", options->json, "Print JSON");
  sub->footer("Example:\n  kwright status\n  kwright status quickstart-1 --json");
  sub->callback([&action, options] {
    action = [options] { return options->name.empty() ? ShowAll(*options) : ShowOne(*options); };
  });
}

}  // namespace kw::cli
