// Whole files and directories. Paths are UTF-8; errors name the path and the reason.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "kw/base/error.h"

namespace kw {

// Reads a regular file of at most max_bytes (kLimit beyond; FIFOs and devices are kInvalid).
[[nodiscard]] Result<std::string> ReadFile(const std::string& path, int64_t max_bytes = 1 << 30);

// Writes beside the target and renames over it: readers see the old file or the new one whole.
[[nodiscard]] Result<void> WriteFileAtomic(const std::string& path, std::string_view content);

[[nodiscard]] Result<void> MakeDirectories(const std::string& path);
// Names (not paths) of the entries of a directory, sorted.
[[nodiscard]] Result<std::vector<std::string>> ListDirectory(const std::string& path);
bool FileExists(const std::string& path);
bool IsDirectory(const std::string& path);
// True where several machines may share the file or folder (NFS, SMB, Lustre, FUSE, ...), and where
// that cannot be found out. SQLite's write-ahead log needs memory that processes share: not there.
bool IsOnSharedFileSystem(const std::string& path);

// A directory of its own, removed with all it holds when this dies: $TMPDIR/kwright-scratch-<uid>/
// <purpose>-XXXXXX. What a killed process left there, the first one of a later process removes.
class ScratchDirectory {
 public:
  static Result<ScratchDirectory> Make(std::string_view purpose);
  ScratchDirectory(ScratchDirectory&& other) noexcept;
  ScratchDirectory& operator=(ScratchDirectory&& other) noexcept;
  ~ScratchDirectory();
  const std::string& path() const { return path_; }

 private:
  ScratchDirectory(std::string path, int lock) : path_(std::move(path)), lock_(lock) {}
  std::string path_;
  int lock_ = -1;  // held on the directory: its owner is alive
};

// Where data/, prompts/ and experiments/ lie: $KWRIGHT_HOME, else the nearest folder above the
// running program that holds data/tasks. kNotFound says what was tried.
[[nodiscard]] Result<std::string> ProgramHome();
// The folder of the running program: its sister programs lie beside it.
std::string ProgramDirectory();
// Caches (built objects, references): $KWRIGHT_CACHE, else $XDG_CACHE_HOME/kwright, else
// ~/.cache/kwright. Made when missing.
[[nodiscard]] Result<std::string> CacheDirectory();

}  // namespace kw
