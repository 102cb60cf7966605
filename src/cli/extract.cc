// kwright extract: what would be taken from a model's answer.
#include "kw/eval/extract.h"

#include <fmt/format.h>

#include <iostream>

#include "commands.h"
#include "kw/base.h"
#include "kw/base/json.h"
#include "output.h"
#include "rooms.h"

namespace kw::cli {
namespace {

struct ExtractOptions {
  std::string answer, task, finish_reason;
  bool json = false;
};

Result<eval::Extraction> Take(const ExtractOptions& options) {
  KW_ASSIGN(const std::string answer, ReadInput(options.answer));
  KW_ASSIGN(const eval::TaskLibrary tasks, OpenTasks());
  KW_ASSIGN(const eval::Task task, tasks.Load(options.task));
  return eval::ExtractCandidate(answer, options.finish_reason, task);
}

int Extract(const ExtractOptions& options) {
  const Result<eval::Extraction> taken = Take(options);
  if (!taken) return PrintError(taken.error(), options.json);
  if (options.json) {
    std::cout << DumpJson({{"status", taken->ok ? "OK" : "MALFORMED"},
                           {"reason", taken->reason},
                           {"feedback", taken->feedback},
                           {"line", taken->line},
                           {"source", taken->source}})
              << "\n";
  } else if (taken->ok) {
    std::cout << taken->source;
  } else {
    std::cout << "MALFORMED  " << taken->reason << "\n\n" << taken->feedback << "\n";
  }
  return taken->ok ? kDone : kNo;
}

}  // namespace

void AddExtract(CLI::App& app, Action& action) {
  auto options = std::make_shared<ExtractOptions>();
  CLI::App* sub = app.add_subcommand("extract", "Show what would be taken from a model's answer");
  sub->add_option("ANSWER", options->answer, "The answer's text, or - for the standard input")
      ->required();
  sub->add_option("--task", options->task, "A native task's name, or a task folder")->required();
  sub->add_option("--finish-reason", options->finish_reason, "As the endpoint gave it");
  sub->add_flag("--json", options->json, "Print JSON: status, reason, feedback, line, source");
  sub->footer(
      "Example:\n  kwright extract answer.md --task softmax --json\n"
      "Exit status: 0 OK, 1 MALFORMED, 2 trouble.");
  sub->callback([&action, options] { action = [options] { return Extract(*options); }; });
}

}  // namespace kw::cli
