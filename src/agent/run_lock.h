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

}  // namespace kw
