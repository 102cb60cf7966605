// One process at a time runs a run: an exclusive lock on runs/NAME/lock, which ends with the
// process that holds it, however it ends.
#pragma once

#include <string>

#include "kw/base/error.h"

namespace kw {

class RunLock {
 public:
  // kConflict when another process (or another RunLock of this one) holds it.
  static Result<RunLock> Take(const std::string& folder);
  RunLock() = default;
  RunLock(RunLock&& other) noexcept;
  RunLock& operator=(RunLock&& other) noexcept;
  ~RunLock();

 private:
  int fd_ = -1;
};

// Whether a folder lies on a file system of this machine: SQLite's WAL needs memory that all its
// processes share, so no network file system will do.
bool IsOnLocalFileSystem(const std::string& folder);

}  // namespace kw
