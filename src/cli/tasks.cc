// kwright tasks list|show, and what its other subcommands share.
#include "tasks.h"

#include <fmt/format.h>

#include <iostream>

#include "kw/base.h"
#include "kw/base/json.h"
#include "kw/base/random.h"
#include "output.h"
#include "rooms.h"

namespace kw::cli {
namespace {

struct TasksOptions {
  std::string task;
  bool json = false;
};

Json Describe(const eval::Tensor& tensor) {
  Json json = {{"name", tensor.name}, {"dtype", eval::DTypeName(tensor.dtype)}};
  json["shape"] = tensor.is_scalar ? Json(nullptr) : Json(tensor.shape);
  if (!tensor.description.empty()) json["description"] = tensor.description;
  return json;
}

Json Describe(const eval::Task& task) {
  Json json = {{"name", task.name},
               {"op_type", task.op_type},
               {"description", task.description},
               {"folder", task.folder},
               {"hash", task.hash},
               {"prototype", eval::Prototype(task)},
               {"reference", task.reference_cpp.empty() ? "python" : "cpp"},
               {"constraints", task.constraints}};
  json["inputs"] = Json::array();
  for (const eval::Tensor& input : task.inputs) json["inputs"].push_back(Describe(input));
  json["outputs"] = Json::array();
  for (const eval::Tensor& output : task.outputs) json["outputs"].push_back(Describe(output));
  json["axes"] = Json::array();
  for (const eval::Axis& axis : task.axes) {
    Json entry = {{"name", axis.name}, {"var", axis.is_var}};
    if (!axis.is_var) entry["value"] = axis.value;
    if (!axis.description.empty()) entry["description"] = axis.description;
    json["axes"].push_back(std::move(entry));
  }
  json["workloads"] = Json::array();
  for (const eval::Workload& workload : task.workloads) {
    json["workloads"].push_back({{"uuid", workload.uuid}, {"axes", workload.axes}});
  }
  for (const auto& [dtype, tolerance] : task.tolerance) {
    json["tolerance"][std::string(eval::DTypeName(dtype))] = {{"absolute", tolerance.absolute},
                                                              {"relative", tolerance.relative}};
  }
  return json;
}

std::string ForPeople(const eval::Task& task) {
  std::string text = fmt::format("{} ({})\n{}\n\n{}\n\n", task.name, task.op_type, task.description,
                                 eval::Prototype(task));
  const auto tensors = [&](const char* title, const std::vector<eval::Tensor>& list) {
    text += std::string(title) + "\n";
    for (const eval::Tensor& tensor : list) {
      text += fmt::format("  {:<12} {:<10} {}  {}\n", tensor.name, eval::DTypeName(tensor.dtype),
                          tensor.is_scalar ? "scalar" : "[" + Join(tensor.shape, ", ") + "]",
                          tensor.description);
    }
  };
  tensors("inputs", task.inputs);
  tensors("outputs", task.outputs);
  text += "timed workloads\n";
  for (const eval::Workload& workload : task.workloads) {
    text += "  " + workload.uuid;
    for (const auto& [axis, size] : workload.axes) text += fmt::format("  {}={}", axis, size);
    text += "\n";
  }
  for (const auto& [dtype, tolerance] : task.tolerance) {
    text += fmt::format("tolerance {}: {:g} + {:g} |reference|\n", eval::DTypeName(dtype),
                        tolerance.absolute, tolerance.relative);
  }
  return text + "folder " + task.folder + "\n";
}

int List(const TasksOptions& options) {
  const auto tasks = OpenTasks();
  if (!tasks) return PrintError(tasks.error(), options.json);
  Json list = Json::array();
  for (const std::string& name : tasks->Names()) {
    const Result<eval::Task> task = tasks->Load(name);
    if (!task) return PrintError(task.error(), options.json);
    if (options.json) {
      list.push_back({{"name", task->name}, {"op_type", task->op_type}, {"hash", task->hash}});
    } else {
      std::cout << fmt::format("{:<18} {:<12} {}\n", name, task->op_type,
                               Shorten(task->description, 80));
    }
  }
  if (options.json) std::cout << DumpJson(list) << "\n";
  return kDone;
}

int Show(const TasksOptions& options) {
  const auto tasks = OpenTasks();
  if (!tasks) return PrintError(tasks.error(), options.json);
  const Result<eval::Task> task = tasks->Load(options.task);
  if (!task) return PrintError(task.error(), options.json);
  std::cout << (options.json ? DumpJson(Describe(*task)) + "\n" : ForPeople(*task));
  return kDone;
}

}  // namespace

void AddScheduleOptions(CLI::App& sub, ScheduleOptions& options) {
  sub.add_option("--effort", options.effort, "quick, standard or deep: how many cases")
      ->capture_default_str();
  sub.add_option("--seed", options.seed, "Seed of the cases")->capture_default_str();
  sub.add_option("--cases", options.cases, "As many cases, whatever the effort")
      ->check(CLI::Range(1, 10'000));
  sub.add_flag("--json", options.json, "Print JSON");
}

Result<std::vector<eval::Case>> ScheduleOf(const eval::Task& task, const ScheduleOptions& options) {
  KW_ASSIGN(const int count, CasesWanted(options));
  // Not FuzzSeed, which follows the folder's hash: what is measured should be the same when the
  // tolerance that came of it is in the folder.
  return eval::PlanCases(task, DeriveSeed(options.seed, "tasks/" + task.name), count);
}

Result<int> CasesWanted(const ScheduleOptions& options) {
  KW_ASSIGN(const eval::Effort effort, eval::EffortNamed(options.effort));
  return options.cases > 0 ? options.cases : eval::CaseCount(effort);
}

Result<ReferenceRoom> OpenReference() {
  ReferenceRoom room;
  KW_ASSIGN(const std::string cache, CacheDirectory());
  KW_ASSIGN(eval::Builder builder, eval::Builder::Make({.cache = cache + "/build"}));
  room.builder = std::make_unique<eval::Builder>(std::move(builder));
  room.reference = eval::MakeReference(*room.builder, {});
  return room;
}

void AddTasks(CLI::App& app, Action& action) {
  auto options = std::make_shared<TasksOptions>();
  CLI::App* sub = app.add_subcommand("tasks", "The native tasks, or any task folder");
  sub->require_subcommand(1);
  sub->footer("Example:\n  kwright tasks list\n  kwright tasks show softmax");
  CLI::App* list = sub->add_subcommand("list", "List the native tasks");
  list->add_flag("--json", options->json, "Print JSON");
  list->footer("Example:\n  kwright tasks list --json");
  list->callback([&action, options] { action = [options] { return List(*options); }; });
  CLI::App* show = sub->add_subcommand("show", "Show one task, and check its folder");
  show->add_option("TASK", options->task, "A native task's name, or a task folder")->required();
  show->add_flag("--json", options->json, "Print JSON");
  show->footer("Example:\n  kwright tasks show softmax\n  kwright tasks show path/to/my_task");
  show->callback([&action, options] { action = [options] { return Show(*options); }; });
  AddTasksCalibrate(*sub, action);
  AddTasksCheck(*sub, action);
}

}  // namespace kw::cli
