#include <charconv>

#include "fmt/core.h"
#include "kw/base/file.h"
#include "kw/base/hash.h"
#include "kw/base/text.h"
#include "parse.h"

namespace kw::eval {
namespace {

constexpr int64_t kMaxFileBytes = 4 << 20;
constexpr std::string_view kVariantPrefix = "baseline.sm";

// The compute capability of baseline.smNN.cu; nothing for any other name.
std::optional<int> VariantSm(std::string_view name) {
  if (!name.starts_with(kVariantPrefix) || !name.ends_with(".cu")) return std::nullopt;
  const std::string_view digits =
      name.substr(kVariantPrefix.size(), name.size() - kVariantPrefix.size() - 3);
  int sm = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), sm);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  if (digits.size() < 2 || digits.size() > 3 || sm < 50) return std::nullopt;
  return sm;
}

bool IsTaskFile(std::string_view name) {
  return name == "definition.json" || name == "workloads.jsonl" || name == "reference.cpp" ||
         name == "task.toml" || name == "baseline.cu" || VariantSm(name).has_value();
}

Result<std::string_view> Required(const Task& task, const std::string& name) {
  const auto found = task.files.find(name);
  if (found == task.files.end()) {
    return Fail(ErrorCode::kNotFound, fmt::format("{} is missing", name));
  }
  if (Trim(found->second).empty()) {
    return Fail(ErrorCode::kInvalid, fmt::format("{} is empty", name));
  }
  return std::string_view(found->second);
}

Result<void> ReadSources(Task& task) {
  KW_ASSIGN(task.baseline_cu, Required(task, "baseline.cu"));
  if (task.files.contains("reference.cpp")) {
    KW_ASSIGN(task.reference_cpp, Required(task, "reference.cpp"));
    if (task.reference_cpp.find("reference") == std::string::npos) {
      return Fail(ErrorCode::kInvalid, "reference.cpp: must define " + ReferencePrototype(task));
    }
  }
  for (const auto& [name, text] : task.files) {
    const std::optional<int> sm = VariantSm(name);
    if (!sm) continue;
    KW_TRY(Required(task, name));
    task.baseline_by_sm[*sm] = text;
  }
  return {};
}

std::string HashOf(const Task& task) {
  Hasher hasher;
  hasher.Add("kwright-task-1");
  for (const auto& [name, text] : task.files) hasher.Add(name).Add(text);
  return hasher.Hex();
}

Result<void> Read(Task& task) {
  KW_ASSIGN(const std::string_view definition, Required(task, "definition.json"));
  task.definition_json = definition;
  KW_TRY(ReadDefinition(definition, task));
  if (task.files.contains("task.toml")) KW_TRY(ReadSettings(task.files.at("task.toml"), task));
  for (const Tensor& output : task.outputs) {
    if (IsFloat(output.dtype)) {
      task.tolerance.try_emplace(output.dtype, DefaultTolerance(output.dtype));
    }
  }
  KW_ASSIGN(const std::string_view workloads, Required(task, "workloads.jsonl"));
  KW_TRY(ReadWorkloads(workloads, task));
  return ReadSources(task);
}

}  // namespace

Result<Task> LoadTaskFiles(const std::map<std::string, std::string>& files,
                           const std::string& folder) {
  Task task;
  task.folder = folder;
  for (const auto& [name, text] : files) {
    if (!IsTaskFile(name)) {
      if (!name.starts_with("baseline.") || !name.ends_with(".cu")) continue;
      return Fail(Error{
          ErrorCode::kInvalid,
          fmt::format("{}: a baseline is baseline.cu or baseline.smNN.cu", name),
          {}}.While("loading the task in " + folder));
    }
    task.files.emplace(name, text);
  }
  if (Result<void> read = Read(task); !read) {
    return Fail(std::move(read).error().While("loading the task in " + folder));
  }
  task.hash = HashOf(task);
  return task;
}

Result<Task> LoadTask(const std::string& folder) {
  if (!IsDirectory(folder)) {
    return Fail(ErrorCode::kNotFound, fmt::format("no task folder '{}'", folder));
  }
  KW_ASSIGN(const std::vector<std::string> names, ListDirectory(folder));
  std::map<std::string, std::string> files;
  for (const std::string& name : names) {
    const bool is_baseline = name.starts_with("baseline.") && name.ends_with(".cu");
    if (!IsTaskFile(name) && !is_baseline) continue;
    KW_ASSIGN(files[name], ReadFile(folder + "/" + name, kMaxFileBytes));
  }
  return LoadTaskFiles(files, folder);
}

}  // namespace kw::eval
