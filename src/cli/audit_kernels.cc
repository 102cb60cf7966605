// Which kernels an audit judges, and judging them.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "audit.h"
#include "kw/agent.h"
#include "kw/base/parallel.h"
#include "kw/base/process.h"

namespace kw::cli {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kMostSourceBytes = 4 << 20;

// "text" of a line "// key: text".
std::optional<std::string> CommentValue(std::string_view line, std::string_view key) {
  line = Trim(line);
  if (!line.starts_with("//")) return std::nullopt;
  line = Trim(line.substr(2));
  if (!line.starts_with(key)) return std::nullopt;
  line = Trim(line.substr(key.size()));
  if (!line.starts_with(":")) return std::nullopt;
  return std::string(Trim(line.substr(1)));
}

// Paths of all .cu files below a folder; links are not followed.
Result<std::vector<fs::path>> KernelFiles(const std::string& folder) {
  std::vector<fs::path> files;
  std::error_code problem;
  fs::recursive_directory_iterator it(folder, problem), end;
  while (!problem && it != end) {
    if (it->path().extension() == ".cu" && it->is_regular_file(problem)) files.push_back(*it);
    it.increment(problem);
  }
  if (problem) return Fail(ErrorCode::kIo, folder + ": " + problem.message());
  if (files.empty()) {
    return Fail(ErrorCode::kNotFound,
                folder + " holds no .cu file: an audit wants the kernels that were certified");
  }
  std::sort(files.begin(), files.end());
  return files;
}

Result<CertifiedKernel> ReadKernel(const fs::path& file, const std::string& folder,
                                   const std::string& otherwise, const eval::TaskLibrary& tasks) {
  CertifiedKernel kernel;
  kernel.name = file.lexically_relative(folder).string();
  KW_ASSIGN(kernel.source, ReadFile(file.string(), kMostSourceBytes));
  kernel.label = LabelOf(kernel.source);
  const std::vector<std::string> known = tasks.Names();
  const std::string holder = fs::absolute(file).parent_path().filename().string();
  std::string task = kernel.label.task;
  if (task.empty() && std::find(known.begin(), known.end(), holder) != known.end()) task = holder;
  if (task.empty()) task = otherwise;
  if (task.empty()) {
    return Fail(ErrorCode::kInvalid,
                file.string() +
                    " names no task: write '// task: NAME' into its first line, put it into a "
                    "folder with the task's name, or give --task (kwright tasks list)");
  }
  auto loaded = tasks.Load(task);
  if (!loaded) return Fail(std::move(loaded).error().While(file.string()));
  kernel.task = *std::move(loaded);
  return kernel;
}

// The tasks of a run by their names.
Result<std::map<std::string, eval::Task>> TasksOfRun(const RunConfig& config,
                                                     const eval::TaskLibrary& tasks) {
  std::map<std::string, eval::Task> found;
  for (const std::string& name : config.tasks) {
    KW_ASSIGN(eval::Task task, tasks.Load(name));
    found.emplace(task.name, std::move(task));
  }
  return found;
}

// A worker that a busy machine did not start in time must not end an audit of many kernels: errors
// are of the surroundings, and whoever calls this tries once more.
Result<JudgedKernel> JudgeKernel(const CertifiedKernel& kernel, eval::Evaluator& evaluator,
                                 const AuditJudging& judging) {
  JudgedKernel judged;
  KW_ASSIGN(judged.verdict, evaluator.Evaluate(kernel.task, kernel.source, judging.options));
  if (judging.replay && !judged.verdict.replay_id.empty()) {
    KW_ASSIGN(judged.replay, evaluator.RunReplay(judged.verdict.replay_id));
  }
  return judged;
}

}  // namespace

KernelLabel LabelOf(std::string_view source) {
  KernelLabel label;
  const std::vector<std::string_view> lines = Lines(source.substr(0, 4096));
  if (lines.empty()) return label;
  label.task = CommentValue(lines[0], "task").value_or("");
  if (label.task.empty() || lines.size() < 2) return label;
  for (const char* kind : {"control", "fault"}) {
    if (auto about = CommentValue(lines[1], kind)) {
      label.kind = kind;
      label.about = *std::move(about);
    }
  }
  return label;
}

Result<CertifiedKernels> KernelsOfFolder(const std::string& folder, const std::string& otherwise,
                                         const eval::TaskLibrary& tasks) {
  if (!IsDirectory(folder)) return Fail(ErrorCode::kNotFound, folder + " is no folder");
  KW_ASSIGN(const std::vector<fs::path> files, KernelFiles(folder));
  CertifiedKernels found;
  for (const fs::path& file : files) {
    Result<CertifiedKernel> kernel = ReadKernel(file, folder, otherwise, tasks);
    if (kernel) {
      found.kernels.push_back(*std::move(kernel));
    } else {
      found.refused.push_back(std::move(kernel).error());
    }
  }
  return found;
}

Result<CertifiedKernels> KernelsOfRun(const std::string& folder, const eval::TaskLibrary& tasks) {
  KW_ASSIGN(const RunConfig config, ReadRunConfig(folder));
  KW_ASSIGN(const RunRecord run, ReadRun(folder));
  KW_ASSIGN(const auto by_name, TasksOfRun(config, tasks));
  CertifiedKernels found;
  std::set<std::pair<std::string, std::string>> seen;
  for (const AttemptRecord& attempt : run.attempts) {
    const eval::Verdict& verdict = attempt.verdict;
    if (!verdict.passed() || !seen.insert({verdict.task_name, attempt.source}).second) continue;
    const auto task = by_name.find(verdict.task_name);
    if (task == by_name.end()) {
      found.refused.push_back(Error{
          ErrorCode::kNotFound,
          attempt.step + ": the run no longer says where its task " + verdict.task_name + " lies",
          {}});
      continue;
    }
    found.kernels.push_back({attempt.step, task->second, attempt.source, {}, ""});
    if (task->second.hash != verdict.task_hash) {
      found.kernels.back().note = "its task has changed since it was certified";
    }
  }
  return found;
}

bool JudgedKernel::wrong() const {
  return !verdict.passed() && verdict.status != eval::Status::kUnsupported &&
         !verdict.environmental;
}

bool JudgedKernel::same_verdict_again() const {
  return replay && replay->same_inputs && replay->verdict.status == verdict.status &&
         replay->verdict.reason == verdict.reason;
}

Result<std::vector<JudgedKernel>> JudgeKernels(const std::vector<CertifiedKernel>& kernels,
                                               eval::Evaluator& evaluator,
                                               const AuditJudging& judging) {
  return ParallelMap<JudgedKernel>(
      kernels.size(), judging.workers, [&](size_t i) -> Result<JudgedKernel> {
        Result<JudgedKernel> judged = JudgeKernel(kernels[i], evaluator, judging);
        if (!judged) judged = JudgeKernel(kernels[i], evaluator, judging);
        if (!judged) return Fail(std::move(judged).error().While(kernels[i].name));
        if (judging.judged) judging.judged();
        return judged;
      });
}

int DefaultWorkers() { return std::clamp(ProcessorCount(), 1, 64); }

}  // namespace kw::cli
