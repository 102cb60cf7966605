// kwright eval: judges one kernel against one task.
#include <fmt/format.h>

#include <iostream>

#include "commands.h"
#include "kw/base.h"
#include "output.h"
#include "rooms.h"

namespace kw::cli {
namespace {

struct EvalOptions {
  std::string kernel, task, device = "a100_sxm4", effort = "standard";
  uint64_t seed = 1;
  bool json = false, fresh = false;
};

Result<eval::Verdict> Judge(const EvalOptions& options) {
  const auto effort = eval::EffortFromName(options.effort);
  if (!effort) {
    return Fail(ErrorCode::kInvalid,
                UnknownName("effort", options.effort, {"quick", "standard", "deep"}));
  }
  KW_ASSIGN(const std::string source, ReadInput(options.kernel));
  KW_ASSIGN(const eval::TaskLibrary tasks, OpenTasks());
  KW_ASSIGN(const eval::Task task, tasks.Load(options.task));
  KW_ASSIGN(const auto evaluator, OpenEvaluator(options.device, 1, !options.fresh));
  return evaluator->Evaluate(task, source, {.seed = options.seed, .effort = *effort});
}

int Eval(const EvalOptions& options) {
  const Result<eval::Verdict> verdict = Judge(options);
  if (!verdict) return PrintError(verdict.error(), options.json);
  if (options.json) {
    std::cout << eval::VerdictToJson(*verdict) << "\n";
  } else {
    std::cout << DescribeVerdict(*verdict);
  }
  return verdict->passed() ? kDone : kNo;
}

}  // namespace

void AddEval(CLI::App& app, Action& action) {
  auto options = std::make_shared<EvalOptions>();
  CLI::App* sub = app.add_subcommand("eval", "Judge one kernel against a task");
  sub->add_option("KERNEL", options->kernel, "A CUDA source file, or - for the standard input")
      ->required();
  sub->add_option("--task", options->task, "A native task's name, or a task folder")->required();
  sub->add_option("--device", options->device, "A data sheet of data/devices")
      ->capture_default_str();
  sub->add_option("--effort", options->effort, "quick, standard or deep")->capture_default_str();
  sub->add_option("--seed", options->seed, "Seed of the fuzz cases")->capture_default_str();
  sub->add_flag("--fresh", options->fresh, "Judge again even where the verdict is known");
  sub->add_flag("--json", options->json, "Print the verdict as JSON");
  sub->footer(
      "Example:\n  kwright eval softmax.cu --task softmax\n"
      "Exit status: 0 PASSED, 1 any other verdict, 2 trouble.");
  sub->callback([&action, options] { action = [options] { return Eval(*options); }; });
}

}  // namespace kw::cli
