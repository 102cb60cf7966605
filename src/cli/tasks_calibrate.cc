// kwright tasks calibrate: the error that is honest for a task, and the tolerance that follows.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <map>

#include "kw/base/hash.h"
#include "kw/base/json.h"
#include "kw/eval/calibration.h"
#include "kw/eval/timing.h"
#include "output.h"
#include "rooms.h"
#include "tasks.h"

namespace kw::cli {
namespace {

struct CalibrateOptions {
  std::string task;
  ScheduleOptions schedule;
};

using GroupCases = std::pair<std::string, std::vector<const eval::CaseErrors*>>;

// The cases of each value group, in the order in which the schedule meets the groups.
std::vector<GroupCases> ByGroup(const eval::ToleranceProposal& proposal) {
  std::vector<GroupCases> groups;
  for (const eval::CaseErrors& errors : proposal.cases) {
    auto group = std::find_if(groups.begin(), groups.end(), [&](const GroupCases& known) {
      return known.first == errors.c.group;
    });
    if (group == groups.end()) group = groups.insert(group, {errors.c.group, {}});
    group->second.push_back(&errors);
  }
  return groups;
}

// The smallest error that a share of the cases that a member holds do not exceed: "-" of none.
std::string ErrorText(const std::vector<const eval::CaseErrors*>& cases, size_t member,
                      double share) {
  std::vector<double> errors;
  for (const eval::CaseErrors* c : cases) {
    if (!std::isnan(c->largest[member])) errors.push_back(c->largest[member]);
  }
  return errors.empty() ? "-" : fmt::format("{:.2g}", eval::Percentile(std::move(errors), share));
}

std::string RowsText(const std::string& group, const std::vector<const eval::CaseErrors*>& cases,
                     size_t members) {
  // Below 20 cases the two are the same.
  constexpr size_t kLeastForP95 = 20;
  std::string text;
  for (const bool largest : {true, false}) {
    if (!largest && cases.size() < kLeastForP95) break;
    text += largest ? fmt::format("{:<15}{:>5}  {:<8}", group, cases.size(), "largest")
                    : fmt::format("{:<22}{:<8}", "", "p95");
    for (size_t member = 0; member < members; ++member) {
      text += fmt::format("{:>11}", ErrorText(cases, member, largest ? 1 : 0.95));
    }
    text += "\n";
  }
  return text;
}

std::string TableText(const std::vector<eval::CalibrationMember>& members,
                      const eval::ToleranceProposal& proposal) {
  std::string text = fmt::format("{:<15}{:>5}  {:<8}", "group", "cases", "");
  for (const eval::CalibrationMember& member : members) {
    text += fmt::format("{:>11}", member.counts ? member.name : "(" + member.name + ")");
  }
  text += "\n";
  std::vector<const eval::CaseErrors*> all;
  for (const auto& [group, cases] : ByGroup(proposal)) {
    text += RowsText(group, cases, members.size());
    all.insert(all.end(), cases.begin(), cases.end());
  }
  return text + RowsText("all", all, members.size());
}

std::string BasisText(const eval::ToleranceProposal& proposal) {
  const std::string dtype(eval::DTypeName(proposal.dtype));
  std::string text = fmt::format("p95 over {} cases, of the worst member: {:.3g}\n",
                                 proposal.cases.size(), proposal.p95);
  if (proposal.exact) {
    text +=
        "  no implementation errs at all: only what the rule allows anyway, a unit in the last "
        "place\n";
  } else if (proposal.floored) {
    text += fmt::format("  below a unit in the last place of {}, which counts instead\n", dtype);
  }
  if (proposal.raised) {
    text +=
        fmt::format("  twice the largest, {:.3g} ({} in case {}), is more than 1.5 times that\n",
                    proposal.worst, proposal.worst_member, proposal.worst_case);
  }
  text += fmt::format("proposed: {:.2g} + {:.2g} |reference|\n", proposal.proposed.absolute,
                      proposal.proposed.relative);
  const std::string used = proposal.now_used == 0
                               ? "honest errors stay within a unit in the last place"
                               : fmt::format("honest errors use {:.2g} of it{}", proposal.now_used,
                                             proposal.now_used > 1 ? ": IT IS TOO TIGHT" : "");
  text += fmt::format(
      "now:      {:g} + {:g} |reference|: {:.2g} times as wide at elements of usual size; {}\n",
      proposal.now.absolute, proposal.now.relative, proposal.now_ratio, used);
  return text;
}

// One line for all cases of a group in which an implementation fails alike.
std::string UnheldText(const std::vector<eval::UnheldCase>& unheld) {
  if (unheld.empty()) return "Every case can be held by every member.\n";
  std::string text = "Cases that cannot be held (a range in task.toml, [inputs], excludes them):\n";
  std::map<std::string, std::vector<const eval::UnheldCase*>> alike;
  for (const eval::UnheldCase& entry : unheld) {
    alike[fmt::format("'{}' in group {}{}", entry.output, entry.c.group,
                      entry.member.empty() ? "" : " as '" + entry.member + "' computes it")]
        .push_back(&entry);
  }
  for (const auto& [what, entries] : alike) {
    text += fmt::format("  {}: {} {}, the first {}: {}\n", what, entries.size(),
                        entries.size() == 1 ? "case" : "cases", entries[0]->c.id, entries[0]->what);
  }
  return text;
}

std::string BlockText(const CalibrateOptions& options, const eval::Task& task,
                      const eval::Calibration& calibration) {
  if (calibration.proposals.empty()) return "All outputs are exact: there is nothing to propose.\n";
  return fmt::format(
             "\n# Measured: `kwright tasks calibrate {} --cases {} --seed {}` (p95 x 1.5, at least "
             "twice the largest).\n",
             task.name, CasesWanted(options.schedule).value(), options.schedule.seed) +
         eval::ToleranceText(calibration);
}

std::string ForPeople(const CalibrateOptions& options, const eval::Task& task,
                      const eval::Calibration& calibration) {
  std::string text;
  for (const eval::ToleranceProposal& proposal : calibration.proposals) {
    text += fmt::format("{}, {}: |got - reference| / ({:g} + |reference|)\n\n{}\n{}\n", task.name,
                        eval::DTypeName(proposal.dtype), proposal.unit,
                        TableText(calibration.members, proposal), BasisText(proposal));
  }
  return text + UnheldText(calibration.unheld) + BlockText(options, task, calibration);
}

Json ToJson(const eval::Tolerance& tolerance) {
  return {{"absolute", tolerance.absolute}, {"relative", tolerance.relative}};
}

Json ToJson(const eval::Calibration& calibration, const eval::ToleranceProposal& proposal) {
  Json json = {{"dtype", eval::DTypeName(proposal.dtype)},
               {"unit", proposal.unit},
               {"p95", proposal.p95},
               {"worst", proposal.worst},
               {"worst_case", proposal.worst_case},
               {"worst_member", proposal.worst_member},
               {"raised", proposal.raised},
               {"floored", proposal.floored},
               {"proposed", ToJson(proposal.proposed)},
               {"now", ToJson(proposal.now)},
               {"now_used", proposal.now_used},
               {"now_ratio", proposal.now_ratio}};
  json["cases"] = Json::array();
  for (const eval::CaseErrors& errors : proposal.cases) {
    Json entry = {{"id", errors.c.id}, {"axes", errors.c.axes}, {"group", errors.c.group}};
    for (size_t i = 0; i < errors.largest.size(); ++i) {
      entry["largest"][calibration.members[i].name] = errors.largest[i];
    }
    json["cases"].push_back(std::move(entry));
  }
  return json;
}

Json ToJson(const eval::Task& task, const eval::Calibration& calibration) {
  Json json = {{"task", task.name}, {"hash", task.hash}};
  json["members"] = Json::array();
  for (const eval::CalibrationMember& member : calibration.members) {
    json["members"].push_back({{"name", member.name}, {"counts", member.counts}});
  }
  json["tolerances"] = Json::array();
  for (const eval::ToleranceProposal& proposal : calibration.proposals) {
    json["tolerances"].push_back(ToJson(calibration, proposal));
  }
  json["unheld"] = Json::array();
  for (const eval::UnheldCase& entry : calibration.unheld) {
    json["unheld"].push_back({{"case", entry.c.id},
                              {"group", entry.c.group},
                              {"output", entry.output},
                              {"member", entry.member},
                              {"what", entry.what}});
  }
  return json;
}

// The timed shapes, whose rows are the longest: in the groups that a verdict has there.
std::vector<eval::Case> TimedCases(const eval::Task& task, uint64_t seed) {
  constexpr double kMostFlops = 3e7;  // a member takes some ten times as long as the reference
  std::vector<eval::Case> cases;
  for (const eval::Workload& workload : task.workloads) {
    const auto axes = task.AllAxes(workload.axes);
    if (!axes || !eval::FitsInFull(task, workload.axes)) continue;
    const auto flops = eval::EvaluateExpression(task.cost_flops, *axes);
    if (!flops || *flops > kMostFlops) continue;
    std::vector<std::string_view> groups = {"original"};
    groups.insert(groups.end(), std::begin(eval::kHardGroups), std::end(eval::kHardGroups));
    for (const std::string_view group : groups) {
      cases.push_back(eval::WorkloadCase(task, workload, DeriveSeed(seed, group)));
      cases.back().id += fmt::format("-{}", group);
      cases.back().group = group;
    }
  }
  return cases;
}

int Calibrate(const CalibrateOptions& options) {
  const bool as_json = options.schedule.json;
  const auto tasks = OpenTasks();
  if (!tasks) return PrintError(tasks.error(), as_json);
  const Result<eval::Task> task = tasks->Load(options.task);
  if (!task) return PrintError(task.error(), as_json);
  auto cases = ScheduleOf(*task, options.schedule);
  if (!cases) return PrintError(cases.error(), as_json);
  for (eval::Case& c : TimedCases(*task, options.schedule.seed)) cases->push_back(std::move(c));
  const auto room = OpenReference();
  if (!room) return PrintError(room.error(), as_json);
  const auto alternatives = eval::ReadAlternatives(*task);
  if (!alternatives) return PrintError(alternatives.error(), as_json);
  const auto calibration =
      eval::Calibrate(*task, *cases, *room->reference, eval::MembersOf(*task, *alternatives));
  if (!calibration) return PrintError(calibration.error(), as_json);
  std::cout << (as_json ? DumpJson(ToJson(*task, *calibration)) + "\n"
                        : ForPeople(options, *task, *calibration));
  return kDone;
}

}  // namespace

void AddTasksCalibrate(CLI::App& tasks, Action& action) {
  auto options = std::make_shared<CalibrateOptions>();
  CLI::App* sub = tasks.add_subcommand(
      "calibrate", "Measure the error that is honest for a task, and propose its tolerance");
  sub->add_option("TASK", options->task, "A native task's name, or a task folder")->required();
  AddScheduleOptions(*sub, options->schedule);
  sub->footer(
      "Example:\n  kwright tasks calibrate softmax --cases 128\n"
      "How it is measured: docs/design/calibration.md");
  sub->callback([&action, options] { action = [options] { return Calibrate(*options); }; });
}

}  // namespace kw::cli
