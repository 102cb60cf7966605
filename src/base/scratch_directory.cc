#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <set>
#include <system_error>
#include <utility>

#include "kw/base/file.h"

namespace kw {
namespace {

namespace fs = std::filesystem;

tl::unexpected<Error> FailScratch(const std::string& path) {
  return Fail(ErrorCode::kIo, "cannot make a scratch folder in '" + path +
                                  "': " + std::strerror(errno) + " (is $TMPDIR writable?)");
}

// The lock on a directory, or -1 while another process holds it.
int TryLock(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  if (fd >= 0 && ::flock(fd, LOCK_EX | LOCK_NB) == 0) return fd;
  if (fd >= 0) ::close(fd);
  return -1;
}

void RemoveAbandoned(const std::string& root) {
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(root, error)) {
    // Hidden ones are being made.
    if (entry.path().filename().string().front() == '.') continue;
    const int lock = TryLock(entry.path().string());
    if (lock < 0) continue;
    std::error_code ignored;
    fs::remove_all(entry.path(), ignored);
    ::close(lock);
  }
}

// This user's folder for scratch directories. One that another user has put there is not taken.
Result<std::string> Root() {
  std::error_code error;
  fs::path base = fs::temp_directory_path(error);
  if (error) base = "/tmp";
  std::string root = (base / ("kwright-scratch-" + std::to_string(::getuid()))).string();
  if (::mkdir(root.c_str(), 0700) != 0 && errno != EEXIST) return FailScratch(base.string());
  struct stat status;
  if (::lstat(root.c_str(), &status) != 0) return FailScratch(root);
  if (!S_ISDIR(status.st_mode) || status.st_uid != ::getuid()) {
    return Fail(ErrorCode::kIo, "'" + root + "' belongs to someone else: remove it or set $TMPDIR");
  }
  static std::mutex mutex;
  static std::set<std::string> swept;
  const std::lock_guard guard(mutex);
  if (swept.insert(root).second) RemoveAbandoned(root);
  return root;
}

}  // namespace

Result<ScratchDirectory> ScratchDirectory::Make(std::string_view purpose) {
  KW_ASSIGN(const std::string root, Root());
  // Locked before it gets its name, so that nobody takes it for abandoned.
  std::string fresh = root + "/.XXXXXX";
  if (::mkdtemp(fresh.data()) == nullptr) return FailScratch(root);
  const std::string path = root + "/" + std::string(purpose) + "-" + fresh.substr(fresh.size() - 6);
  const int lock = TryLock(fresh);
  if (lock < 0 || ::rename(fresh.c_str(), path.c_str()) != 0) {
    const int number = errno;
    if (lock >= 0) ::close(lock);
    ::rmdir(fresh.c_str());
    errno = number;
    return FailScratch(root);
  }
  return ScratchDirectory(path, lock);
}

ScratchDirectory::ScratchDirectory(ScratchDirectory&& other) noexcept
    : path_(std::exchange(other.path_, {})), lock_(std::exchange(other.lock_, -1)) {}

ScratchDirectory& ScratchDirectory::operator=(ScratchDirectory&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(lock_, other.lock_);
  return *this;
}

ScratchDirectory::~ScratchDirectory() {
  if (path_.empty()) return;
  std::error_code ignored;
  fs::remove_all(path_, ignored);
  ::close(lock_);
}

}  // namespace kw
