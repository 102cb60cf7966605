// kwright eval: judges one kernel against one task.
#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <vector>

#include "commands.h"
#include "kw/base.h"
#include "output.h"
#include "rooms.h"

namespace kw::cli {
namespace {

struct EvalOptions {
  std::string kernel, task, effort = "standard", oracle = "full";
  std::vector<std::string> devices = {"a100_sxm4"};
  uint64_t seed = 1;
  bool json = false, fresh = false;
};

// A verdict for each device, in the order in which they were named.
Result<std::vector<eval::Verdict>> Judge(const EvalOptions& options) {
  KW_ASSIGN(const eval::Effort effort, eval::EffortNamed(options.effort));
  KW_ASSIGN(const eval::OracleKind oracle, eval::OracleNamed(options.oracle));
  KW_ASSIGN(const std::string source, ReadInput(options.kernel));
  KW_ASSIGN(const eval::TaskLibrary tasks, OpenTasks());
  KW_ASSIGN(const eval::Task task, tasks.Load(options.task));
  std::vector<eval::Verdict> verdicts;
  for (const std::string& device : options.devices) {
    KW_ASSIGN(const auto evaluator, OpenEvaluator(device, 1, !options.fresh));
    KW_ASSIGN(eval::Verdict verdict,
              evaluator->Evaluate(task, source,
                                  {.seed = options.seed, .effort = effort, .oracle = oracle}));
    verdicts.push_back(std::move(verdict));
  }
  return verdicts;
}

bool Agree(const std::vector<eval::Verdict>& verdicts) {
  return std::all_of(verdicts.begin(), verdicts.end(), [&](const eval::Verdict& verdict) {
    return verdict.status == verdicts[0].status && verdict.reason == verdicts[0].reason;
  });
}

std::string DescribeVerdicts(const std::vector<eval::Verdict>& verdicts) {
  if (verdicts.size() == 1) return DescribeVerdict(verdicts[0]);
  std::string text;
  std::vector<std::string> ends;
  for (const eval::Verdict& verdict : verdicts) {
    text += fmt::format("== {}\n{}\n", verdict.device_name, DescribeVerdict(verdict));
    ends.push_back(fmt::format("{} on {}", eval::StatusName(verdict.status), verdict.device_name));
  }
  return text + fmt::format("The devices {}: {}.\n", Agree(verdicts) ? "agree" : "DISAGREE",
                            Join(ends, ", "));
}

std::string VerdictsToJson(const std::vector<eval::Verdict>& verdicts) {
  if (verdicts.size() == 1) return eval::VerdictToJson(verdicts[0]);
  std::vector<std::string> each;
  for (const eval::Verdict& verdict : verdicts) each.push_back(eval::VerdictToJson(verdict));
  return fmt::format(R"({{"agree":{},"verdicts":[{}]}})", Agree(verdicts), Join(each, ","));
}

int Eval(const EvalOptions& options) {
  const auto verdicts = Judge(options);
  if (!verdicts) return PrintError(verdicts.error(), options.json);
  std::cout << (options.json ? VerdictsToJson(*verdicts) + "\n" : DescribeVerdicts(*verdicts));
  const bool passed = std::all_of(verdicts->begin(), verdicts->end(),
                                  [](const eval::Verdict& verdict) { return verdict.passed(); });
  return passed ? kDone : kNo;
}

}  // namespace

void AddEval(CLI::App& app, Action& action) {
  auto options = std::make_shared<EvalOptions>();
  CLI::App* sub = app.add_subcommand("eval", "Judge one kernel against a task");
  sub->add_option("KERNEL", options->kernel, "A CUDA source file, or - for the standard input")
      ->required();
  sub->add_option("--task", options->task, "A native task's name, or a task folder")->required();
  sub->add_option("--device,--devices", options->devices,
                  "A data sheet of data/devices or a file of one's own (.toml); several, joined by "
                  "commas, are judged one after the other and compared")
      ->delimiter(',')
      ->capture_default_str();
  sub->add_option("--effort", options->effort, "quick, standard or deep")->capture_default_str();
  sub->add_option("--oracle", options->oracle,
                  "full, or allclose: what benchmarks check, 5 random inputs at one shape")
      ->capture_default_str();
  sub->add_option("--seed", options->seed, "Seed of the fuzz cases")->capture_default_str();
  sub->add_flag("--fresh", options->fresh, "Judge again even where the verdict is known");
  sub->add_flag("--json", options->json, "Print the verdict as JSON");
  sub->footer(
      "Example:\n  kwright eval softmax.cu --task softmax\n"
      "  kwright eval softmax.cu --task softmax --devices t4,a100_sxm4,my_gpu.toml\n"
      "Exit status: 0 PASSED (on all devices), 1 any other verdict, 2 trouble.");
  sub->callback([&action, options] { action = [options] { return Eval(*options); }; });
}

}  // namespace kw::cli
