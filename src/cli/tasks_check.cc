// kwright tasks check: does a task folder hold what it promises?
#include <fmt/format.h>

#include <algorithm>
#include <iostream>

#include "kw/base/json.h"
#include "kw/eval/calibration.h"
#include "output.h"
#include "python_reference.h"
#include "rooms.h"
#include "tasks.h"

namespace kw::cli {
namespace {

using eval::CheckStep;

struct TasksCheckOptions {
  std::string task, device = "a100_sxm4", python;
  ScheduleOptions schedule;
  bool digest_only = false;
};

std::string_view StateName(CheckStep::State state) {
  switch (state) {
    case CheckStep::State::kOk:
      return "ok";
    case CheckStep::State::kWarning:
      return "warning";
    case CheckStep::State::kFailed:
      return "FAILED";
  }
  return "";
}

// Prints steps as they come, or keeps them for one JSON object.
class StepPrinter {
 public:
  explicit StepPrinter(bool json) : json_(json) {}
  void Print(const CheckStep& step) {
    failed_ = failed_ || step.state == CheckStep::State::kFailed;
    steps_.push_back({{"state", StateName(step.state)}, {"name", step.name}, {"text", step.text}});
    if (json_) return;
    std::cout << fmt::format("{}: {}: {}\n", StateName(step.state), step.name, step.text)
              << std::flush;
  }
  int Finish(const std::string& digest) {
    if (json_) {
      std::cout << DumpJson({{"ok", !failed_}, {"steps", steps_}, {"digest", digest}}) << "\n";
    } else if (!digest.empty()) {
      std::cout << "digest " << digest << "\n";
    }
    return failed_ ? kNo : kDone;
  }

 private:
  const bool json_;
  bool failed_ = false;
  Json steps_ = Json::array();
};

Result<CheckStep> CheckBaseline(const eval::Task& task, const TasksCheckOptions& options,
                                eval::Effort effort) {
  KW_ASSIGN(const auto evaluator, OpenEvaluator(options.device, 1, /*use_verdict_cache=*/true));
  KW_ASSIGN(const eval::Verdict verdict,
            evaluator->Evaluate(task, task.BaselineFor(evaluator->sheet().sm),
                                {.seed = options.schedule.seed, .effort = effort}));
  const std::string name = "baseline";
  if (verdict.passed() && verdict.hazards == "none") {
    return CheckStep{
        CheckStep::State::kOk, name,
        fmt::format("passes {} cases and {} workloads on {}, without hazards", verdict.cases.size(),
                    verdict.workloads.size(), verdict.device_name)};
  }
  return CheckStep{
      CheckStep::State::kFailed, name,
      fmt::format("baseline.cu is {} ({} at {}), hazards: {}. {}", eval::StatusName(verdict.status),
                  verdict.reason, verdict.stage, verdict.hazards, verdict.feedback)};
}

// By Python where there is one to ask; else by what it said last time, of the same cases.
Result<void> CheckPython(const eval::Task& task, const TasksCheckOptions& options,
                         const std::vector<eval::Case>& cases, eval::Reference& reference,
                         const std::string& digest, StepPrinter& printer) {
  const bool usual = options.schedule == ScheduleOptions{.json = options.schedule.json};
  if (options.python.empty()) {
    if (!usual) return {};
    KW_ASSIGN(const CheckStep step, CompareWithPythonDigest(task, digest));
    printer.Print(step);
    return {};
  }
  KW_ASSIGN(const CheckStep step, CompareWithPython(task, cases, reference, options.python));
  printer.Print(step);
  if (step.state != CheckStep::State::kOk || !usual) return {};
  return KeepPythonDigest(task, digest);
}

Result<int> CheckLoaded(const eval::Task& task, const TasksCheckOptions& options,
                        StepPrinter& printer) {
  KW_ASSIGN(const std::vector<eval::Case> cases, ScheduleOf(task, options.schedule));
  KW_ASSIGN(const ReferenceRoom room, OpenReference());
  if (options.digest_only) {
    KW_ASSIGN(const std::string digest, eval::ExpectedDigest(task, cases, *room.reference));
    return printer.Finish(digest);
  }
  KW_ASSIGN(const ReferenceRoom fresh, OpenReference());
  KW_ASSIGN(const eval::Alternatives alternatives, eval::ReadAlternatives(task));
  KW_ASSIGN(const eval::TaskCheck check,
            eval::CheckTask(task, alternatives, cases, *room.reference, *fresh.reference,
                            [&](const CheckStep& step) { printer.Print(step); }));
  // Without a reference there is nothing to judge a baseline by.
  if (!check.digest.empty()) {
    KW_TRY(CheckPython(task, options, cases, *room.reference, check.digest, printer));
    KW_ASSIGN(const CheckStep baseline,
              CheckBaseline(task, options, *eval::EffortFromName(options.schedule.effort)));
    printer.Print(baseline);
  }
  return printer.Finish(check.digest);
}

int CheckFolder(const TasksCheckOptions& options) {
  const bool as_json = options.schedule.json;
  const auto effort = eval::EffortNamed(options.schedule.effort);
  if (!effort) return PrintError(effort.error(), as_json);
  const auto tasks = OpenTasks();
  if (!tasks) return PrintError(tasks.error(), as_json);
  StepPrinter printer(as_json);
  const Result<eval::Task> task = tasks->Load(options.task);
  const std::vector<std::string> names = tasks->Names();
  const bool is_there = IsDirectory(options.task) ||
                        std::find(names.begin(), names.end(), options.task) != names.end();
  if (!task && !is_there) return PrintError(task.error(), as_json);
  if (!task) {
    printer.Print({CheckStep::State::kFailed, "loads", task.error().ToString()});
    return printer.Finish("");
  }
  if (!options.digest_only) {
    printer.Print(
        {CheckStep::State::kOk, "loads", fmt::format("{}, hash {}", task->name, task->hash)});
  }
  const Result<int> exit = CheckLoaded(*task, options, printer);
  return exit ? *exit : PrintError(exit.error(), as_json);
}

}  // namespace

void AddTasksCheck(CLI::App& tasks, Action& action) {
  auto options = std::make_shared<TasksCheckOptions>();
  CLI::App* sub = tasks.add_subcommand(
      "check", "Check a task folder: reference, inputs, axes, tolerance, baseline");
  sub->add_option("TASK", options->task, "A native task's name, or a task folder")->required();
  AddScheduleOptions(*sub, options->schedule);
  sub->add_option("--device", options->device, "The data sheet that the baseline is judged on")
      ->capture_default_str();
  sub->add_option("--python", options->python,
                  "A Python with torch and numpy: the definition's own reference is run as well "
                  "(as you, without a cage), and what it agrees with is kept in python.digest");
  sub->add_flag("--digest", options->digest_only,
                "Only print the digest of the expected outputs, the last line of a check");
  sub->footer(
      "Example:\n  kwright tasks check softmax\n  kwright tasks check path/to/my_task\n"
      "Exit status: 0 all is well (warnings too), 1 a check failed, 2 trouble.");
  sub->callback([&action, options] { action = [options] { return CheckFolder(*options); }; });
}

}  // namespace kw::cli
