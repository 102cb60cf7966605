// What a worker needs to judge, by content: task folders and candidate sources, in the cache.
// Several processes may share one cache: every entry appears whole.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "kw/eval/task.h"

namespace kw::eval {

// A task as one byte string: a line "kernelwright-task 1 NAME\n", then for each file that counts
// (Task::files, and the stored tensors below the folder), sorted by name, a line "NAME SIZE\n" and
// its bytes.
[[nodiscard]] Result<std::string> PackTask(const Task& task);
// Writes a pack below `root`, as the folder ROOT/TASK. kCorrupt on a name that leaves the folder,
// on sizes that do not add up.
[[nodiscard]] Result<std::string> UnpackTask(std::string_view pack, const std::string& root);

class ContentStore {
 public:
  explicit ContentStore(std::string cache) : root_(std::move(cache)) {}

  // The folder of a task, if it is here.
  std::optional<std::string> FindTask(const std::string& hash) const;
  // Takes a pack; kCorrupt when the task in it has another hash.
  [[nodiscard]] Result<std::string> StoreTask(const std::string& hash, std::string_view pack);

  std::optional<std::string> FindCandidate(const std::string& hash) const;  // its source
  [[nodiscard]] Result<void> StoreCandidate(const std::string& hash, std::string_view source);

 private:
  std::string root_;
};

}  // namespace kw::eval
