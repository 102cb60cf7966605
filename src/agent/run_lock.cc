#include "run_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace kw {
Result<RunLock> RunLock::Take(const std::string& folder) {
  std::string path = folder + "/lock";
  RunLock lock;
  lock.fd_ = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (lock.fd_ < 0) {
    return Fail(ErrorCode::kIo, fmt::format("cannot open {}: {}", path, std::strerror(errno)));
  }
  if (flock(lock.fd_, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) {
      return Fail(
          ErrorCode::kConflict,
          fmt::format("another process is at the run in {}: wait for it, or stop it", folder));
    }
    return Fail(ErrorCode::kIo, fmt::format("cannot lock {}: {}", path, std::strerror(errno)));
  }
  return lock;
}

RunLock::RunLock(RunLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

RunLock& RunLock::operator=(RunLock&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

RunLock::~RunLock() {
  if (fd_ >= 0) close(fd_);
}

}  // namespace kw
