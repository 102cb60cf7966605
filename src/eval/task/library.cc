#include "fmt/core.h"
#include "kw/base/file.h"
#include "kw/base/text.h"
#include "parse.h"

namespace kw::eval {

Result<TaskLibrary> TaskLibrary::Open(const std::string& root) {
  if (!IsDirectory(root)) {
    return Fail(ErrorCode::kNotFound, fmt::format("no folder of tasks '{}'", root));
  }
  TaskLibrary library;
  KW_ASSIGN(const std::vector<std::string> op_types, ListDirectory(root));
  for (const std::string& op_type : op_types) {
    const std::string group = root + "/" + op_type;
    if (op_type.starts_with(".") || !IsDirectory(group)) continue;
    KW_ASSIGN(const std::vector<std::string> names, ListDirectory(group));
    for (const std::string& name : names) {
      const std::string folder = group + "/" + name;
      if (name.starts_with(".") || !IsDirectory(folder)) continue;
      const auto [other, is_new] = library.folders_.emplace(name, folder);
      if (!is_new) {
        return Fail(ErrorCode::kConflict, fmt::format("two tasks are named '{}': {} and {}", name,
                                                      other->second, folder));
      }
    }
  }
  return library;
}

std::vector<std::string> TaskLibrary::Names() const {
  std::vector<std::string> names;
  for (const auto& [name, folder] : folders_) names.push_back(name);
  return names;
}

Result<Task> TaskLibrary::Load(const std::string& name_or_folder) const {
  const auto found = folders_.find(name_or_folder);
  if (found == folders_.end()) {
    const bool is_path = name_or_folder.find('/') != std::string::npos ||
                         FileExists(name_or_folder + "/definition.json");
    if (is_path) return LoadTask(name_or_folder);
    return Fail(ErrorCode::kNotFound, UnknownName("task", name_or_folder, Names()));
  }
  KW_ASSIGN(Task task, LoadTask(found->second));
  const std::vector<std::string_view> parts = Split(found->second, '/');
  if (task.name != name_or_folder || task.op_type != parts[parts.size() - 2]) {
    return Fail(
        ErrorCode::kInvalid,
        fmt::format("{}: definition.json says op_type '{}' and name '{}', the folder does not",
                    found->second, task.op_type, task.name));
  }
  return task;
}

}  // namespace kw::eval
