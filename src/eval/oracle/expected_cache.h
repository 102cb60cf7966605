// Results of references by (task, case): the latest in memory, and on disk those that took long.
#pragma once

#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "kw/eval/oracle.h"

namespace kw::eval {

// Names a case of a task in memory.
std::string CaseKey(const Task& task, const Case& c);
// Names what a reference computed from these very inputs, in files that outlive this program.
std::string ExpectedFileKey(const Task& task, const Case& c, const CaseInputs& inputs);

// The least recently used are dropped first. Thread-safe.
class ExpectedCache {
 public:
  explicit ExpectedCache(int64_t max_bytes) : max_bytes_(max_bytes) {}
  std::shared_ptr<const Expected> Find(const std::string& key);
  void Store(const std::string& key, std::shared_ptr<const Expected> expected);

 private:
  struct Entry {
    std::shared_ptr<const Expected> expected;
    std::list<std::string>::iterator at;
  };

  std::mutex mutex_;
  std::list<std::string> order_;
  std::map<std::string, Entry> entries_;
  int64_t max_bytes_, bytes_ = 0;
};

// Floats and integers of an Expected, one file each, readable for their owner alone. Files that
// are cut short or damaged are as good as none, and trouble with the disk costs the file only.
// Several processes may share a folder; each keeps it within the limit. Thread-safe.
class ExpectedFiles {
 public:
  // A folder "" keeps nothing.
  ExpectedFiles(std::string folder, int64_t max_bytes);
  std::optional<Expected> Find(const std::string& key);
  void Store(const std::string& key, const Expected& expected);

 private:
  std::string PathOf(const std::string& key) const { return folder_ + "/" + key; }
  // Removes the files that were not used for the longest time until half of the limit is free.
  void MakeRoom();

  const std::string folder_;
  const int64_t max_bytes_;
  std::mutex mutex_;
  int64_t unseen_bytes_;  // that may have been written since the folder was last looked at
};

}  // namespace kw::eval
