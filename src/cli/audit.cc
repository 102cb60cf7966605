// kwright audit: kernels that another program certified, judged here.
#include "audit.h"

#include <fmt/format.h>

#include <iostream>

#include "commands.h"
#include "kw/agent.h"
#include "kw/base/hash.h"
#include "kw/base/json.h"
#include "output.h"
#include "rooms.h"

namespace kw::cli {
namespace {

struct AuditOptions {
  std::string what, dir = "runs", task, effort;
  std::vector<std::string> devices;
  std::optional<uint64_t> seed;
  int workers = 0;
  bool json = false, fresh = false;
};

// What is judged, and how.
struct Audit {
  CertifiedKernels certified;
  std::vector<std::string> devices;
  uint64_t seed = 1;
  std::vector<std::vector<JudgedKernel>> judged;  // a device, a kernel
};

// The run's folder, where `what` is a run.
std::optional<std::string> RunFolder(const AuditOptions& options) {
  for (const std::string& folder : {options.what, options.dir + "/" + options.what}) {
    if (FileExists(folder + "/run.db")) return folder;
  }
  return std::nullopt;
}

Result<Audit> Gather(const AuditOptions& options) {
  Audit audit;
  KW_ASSIGN(const eval::TaskLibrary tasks, OpenTasks());
  audit.devices = {"a100_sxm4"};
  if (const auto run = RunFolder(options)) {
    if (!options.task.empty()) {
      return Fail(ErrorCode::kInvalid, "--task is for a folder of kernels: a run knows its tasks");
    }
    KW_ASSIGN(const RunConfig config, ReadRunConfig(*run));
    KW_ASSIGN(audit.certified, KernelsOfRun(*run, tasks));
    audit.devices = {config.device};
    // Other cases than the run's own: those are known to pass.
    audit.seed = DeriveSeed(config.seed, "audit");
  } else if (IsDirectory(options.what)) {
    KW_ASSIGN(audit.certified, KernelsOfFolder(options.what, options.task, tasks));
  } else {
    return Fail(ErrorCode::kNotFound,
                fmt::format("{} is no run (here or below {}/), no folder of kernels and no "
                            "experiment with an [audit] table",
                            options.what, options.dir));
  }
  if (!options.devices.empty()) audit.devices = options.devices;
  if (options.seed) audit.seed = *options.seed;
  return audit;
}

Result<Audit> JudgeAudit(const AuditOptions& options) {
  KW_ASSIGN(const eval::Effort effort,
            eval::EffortNamed(options.effort.empty() ? "standard" : options.effort));
  KW_ASSIGN(Audit audit, Gather(options));
  AuditJudging judging;
  judging.options = {.seed = audit.seed, .effort = effort};
  judging.workers = options.workers > 0 ? options.workers : DefaultWorkers();
  for (const std::string& device : audit.devices) {
    KW_ASSIGN(const auto evaluator, OpenEvaluator(device, judging.workers, !options.fresh));
    KW_ASSIGN(auto judged, JudgeKernels(audit.certified.kernels, *evaluator, judging));
    audit.judged.push_back(std::move(judged));
  }
  return audit;
}

enum class Outcome { kHolds, kDoesNotHold, kNotJudged };

// The verdict that decides a kernel: the first that says it is wrong, else that could not be given.
const eval::Verdict& Deciding(const Audit& audit, size_t kernel, Outcome& outcome) {
  const eval::Verdict* found = &audit.judged[0][kernel].verdict;
  outcome = Outcome::kHolds;
  for (const auto& on_device : audit.judged) {
    const JudgedKernel& judged = on_device[kernel];
    if (judged.wrong()) {
      outcome = Outcome::kDoesNotHold;
      return judged.verdict;
    }
    if (judged.verdict.passed() || outcome == Outcome::kNotJudged) continue;
    outcome = Outcome::kNotJudged;
    found = &judged.verdict;
  }
  return *found;
}

struct AuditCounts {
  size_t holds = 0, does_not_hold = 0, not_judged = 0;
};

AuditCounts CountsOf(const Audit& audit) {
  AuditCounts counts;
  for (size_t i = 0; i < audit.certified.kernels.size(); ++i) {
    Outcome outcome;
    Deciding(audit, i, outcome);
    (outcome == Outcome::kHolds         ? counts.holds
     : outcome == Outcome::kDoesNotHold ? counts.does_not_hold
                                        : counts.not_judged) += 1;
  }
  return counts;
}

// One line for the kernel, one for the case that fails, one for seeing it again.
std::string DescribeKernel(const CertifiedKernel& kernel, const eval::Verdict& verdict) {
  std::string text = fmt::format("\n{} ({}, {}): {} {}{}\n", kernel.name, kernel.task.name,
                                 verdict.device_name, eval::StatusName(verdict.status),
                                 verdict.reason, kernel.note.empty() ? "" : "; " + kernel.note);
  const auto lines = Lines(verdict.feedback);
  if (!lines.empty()) text += "  " + Shorten(lines[0], 400) + "\n";
  if (!verdict.replay_id.empty()) text += "  kwright replay " + verdict.replay_id + "\n";
  return text;
}

std::string AuditForPeople(const AuditOptions& options, const Audit& audit) {
  const AuditCounts counts = CountsOf(audit);
  std::string text = fmt::format(
      "{}: {} kernel{} certified, {} hold{}, {} do{} not", options.what,
      audit.certified.kernels.size(), audit.certified.kernels.size() == 1 ? "" : "s", counts.holds,
      counts.holds == 1 ? "s" : "", counts.does_not_hold, counts.does_not_hold == 1 ? "es" : "");
  if (counts.not_judged > 0) text += fmt::format(", {} could not be judged", counts.not_judged);
  if (!audit.certified.refused.empty()) {
    text += fmt::format(", {} left out (see the errors)", audit.certified.refused.size());
  }
  text += "\n";
  for (size_t i = 0; i < audit.certified.kernels.size(); ++i) {
    Outcome outcome;
    const eval::Verdict& verdict = Deciding(audit, i, outcome);
    if (outcome != Outcome::kHolds) text += DescribeKernel(audit.certified.kernels[i], verdict);
  }
  return text;
}

std::string AuditAsJson(const AuditOptions& options, const Audit& audit) {
  const AuditCounts counts = CountsOf(audit);
  Json json = {{"audited", options.what},
               {"seed", audit.seed},
               {"devices", audit.devices},
               {"certified", audit.certified.kernels.size()},
               {"hold", counts.holds},
               {"do_not_hold", counts.does_not_hold},
               {"not_judged", counts.not_judged},
               {"left_out", Json::array()},
               {"kernels", Json::array()}};
  for (const Error& error : audit.certified.refused) json["left_out"].push_back(error.ToString());
  for (size_t i = 0; i < audit.certified.kernels.size(); ++i) {
    const CertifiedKernel& kernel = audit.certified.kernels[i];
    Outcome outcome;
    const eval::Verdict& verdict = Deciding(audit, i, outcome);
    Json row = {{"name", kernel.name},
                {"task", kernel.task.name},
                {"outcome", outcome == Outcome::kHolds         ? "holds"
                            : outcome == Outcome::kDoesNotHold ? "does_not_hold"
                                                               : "not_judged"}};
    if (!kernel.note.empty()) row["note"] = kernel.note;
    row["verdict"] = *ParseJson(eval::VerdictToJson(verdict), "verdict");
    json["kernels"].push_back(std::move(row));
  }
  return DumpJson(json);
}

int RunAudit(const AuditOptions& options) {
  if (FileExists(options.what)) {
    if (!options.what.ends_with(".toml")) {
      return PrintError(
          {ErrorCode::kInvalid,
           options.what + " is a file and no experiment (.toml): give the folder that "
                          "holds the kernels; one kernel is judged by kwright eval",
           {}},
          options.json);
    }
    if (!options.task.empty()) {
      return PrintError({ErrorCode::kInvalid, "--task is for a folder of kernels", {}},
                        options.json);
    }
    return PrintAuditTable(options.what, {.devices = options.devices,
                                          .seed = options.seed,
                                          .effort = options.effort,
                                          .workers = options.workers,
                                          .json = options.json,
                                          .fresh = options.fresh});
  }
  const Result<Audit> audit = JudgeAudit(options);
  if (!audit) return PrintError(audit.error(), options.json);
  for (const Error& error : audit->certified.refused) {
    std::cerr << "kwright: " << error.ToString() << "\n";
  }
  std::cout << (options.json ? AuditAsJson(options, *audit) + "\n"
                             : AuditForPeople(options, *audit));
  if (!audit->certified.refused.empty()) return kTrouble;
  return CountsOf(*audit).holds == audit->certified.kernels.size() ? kDone : kNo;
}

}  // namespace

void AddAudit(CLI::App& app, Action& action) {
  auto options = std::make_shared<AuditOptions>();
  CLI::App* sub =
      app.add_subcommand("audit", "Judge kernels that were certified, and say which do not hold");
  sub->add_option("WHAT", options->what,
                  "A run (its PASSED kernels), a folder of .cu files, or an experiment with an "
                  "[audit] table")
      ->required();
  sub->add_option("--dir", options->dir, "The folder that holds the runs")->capture_default_str();
  sub->add_option("--task", options->task,
                  "The task of files that name none: a native task's name, or a task folder");
  sub->add_option("--device,--devices", options->devices,
                  "Data sheets, joined by commas: a kernel holds that passes on all of them "
                  "(default: the run's, a100_sxm4)")
      ->delimiter(',');
  sub->add_option("--effort", options->effort, "quick, standard (the default) or deep");
  sub->add_option("--seed", options->seed,
                  "Seed of the fuzz cases (default: 1; of a run other ones than its own)");
  sub->add_option("--workers", options->workers, "Kernels judged at once (default: the processors)")
      ->check(CLI::Range(1, 64));
  sub->add_flag("--fresh", options->fresh, "Judge again even where a verdict is known");
  sub->add_flag("--json", options->json, "Print JSON");
  sub->footer(
      "A file's task is what its first line '// task: NAME' says, else the name of its folder.\n"
      "Example:\n  kwright audit path/to/kernels --task softmax\n"
      "  kwright audit quickstart-1\n  kwright audit experiments/illusion.toml\n"
      "Exit status: 0 all hold, 1 not all, 2 trouble.");
  sub->callback([&action, options] { action = [options] { return RunAudit(*options); }; });
}

}  // namespace kw::cli
