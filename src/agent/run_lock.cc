#include "run_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <utility>

namespace kw {
namespace {

// The f_type of file systems that several machines share (statfs(2), and their own sources).
constexpr std::array<uint32_t, 15> kSharedFileSystems = {
    0x00006969,  // NFS
    0x0000517b,  // SMB
    0xff534d42,  // CIFS
    0xfe534d42,  // SMB 2
    0x0bd00bd0,  // Lustre
    0x47504653,  // GPFS
    0x19830326,  // BeeGFS
    0x00c36400,  // Ceph
    0x5346414f,  // AFS
    0x6b414653,  // kAFS
    0x01021997,  // 9P
    0x65735546,  // FUSE: sshfs, glusterfs and the like
    0x7461636f,  // OCFS2
    0x01161970,  // GFS2
    0xaad7aaea,  // PanFS
};

}  // namespace

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

bool IsOnLocalFileSystem(const std::string& folder) {
  struct statfs info {};
  if (statfs(folder.c_str(), &info) != 0) return false;
  return std::find(kSharedFileSystems.begin(), kSharedFileSystems.end(),
                   static_cast<uint32_t>(info.f_type)) == kSharedFileSystems.end();
}

}  // namespace kw
