#include "kw/base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "kw/base/clock.h"

namespace kw {
namespace {

namespace fs = std::filesystem;

tl::unexpected<Error> FailErrno(const std::string& action, const std::string& path) {
  const int number = errno;
  const ErrorCode code =
      number == ENOENT || number == ENOTDIR ? ErrorCode::kNotFound : ErrorCode::kIo;
  return Fail(code, "cannot " + action + " '" + path + "': " + std::strerror(number));
}

struct Descriptor {
  int fd;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

Result<std::string> ReadFile(const std::string& path, int64_t max_bytes) {
  // O_NONBLOCK: opening a FIFO must not wait for its writer.
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (file.fd < 0) return FailErrno("read", path);
  struct stat status {};
  if (::fstat(file.fd, &status) != 0) return FailErrno("read", path);
  if (!S_ISREG(status.st_mode)) {
    return Fail(ErrorCode::kInvalid, "'" + path + "' is not a regular file");
  }
  if (status.st_size > max_bytes) {
    return Fail(ErrorCode::kLimit, "'" + path + "' has " + std::to_string(status.st_size) +
                                       " bytes; at most " + std::to_string(max_bytes) +
                                       " are read");
  }
  std::string content(static_cast<size_t>(status.st_size), '\0');
  size_t done = 0;
  while (done < content.size()) {
    const ssize_t got = ::read(file.fd, content.data() + done, content.size() - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return FailErrno("read", path);
    if (got == 0) break;
    done += static_cast<size_t>(got);
  }
  content.resize(done);
  return content;
}

Result<void> WriteFileAtomic(const std::string& path, std::string_view content) {
  const std::string temporary = path + "." + FreshUuid().substr(0, 8) + ".tmp";
  {
    const Descriptor file{::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644)};
    if (file.fd < 0) return FailErrno("write", path);
    while (!content.empty()) {
      const ssize_t put = ::write(file.fd, content.data(), content.size());
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) {
        auto failure = FailErrno("write", path);
        ::unlink(temporary.c_str());
        return failure;
      }
      content.remove_prefix(static_cast<size_t>(put));
    }
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) {
    auto failure = FailErrno("write", path);
    ::unlink(temporary.c_str());
    return failure;
  }
  return {};
}

Result<void> MakeDirectories(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) {
    return Fail(ErrorCode::kIo, "cannot make the folder '" + path + "': " + error.message());
  }
  return {};
}

Result<std::vector<std::string>> ListDirectory(const std::string& path) {
  std::error_code error;
  std::vector<std::string> names;
  fs::directory_iterator it(path, error);
  for (const fs::directory_iterator end; !error && it != end; it.increment(error)) {
    names.push_back(it->path().filename().string());
  }
  if (error) {
    return Fail(
        error == std::errc::no_such_file_or_directory ? ErrorCode::kNotFound : ErrorCode::kIo,
        "cannot list the folder '" + path + "': " + error.message());
  }
  std::sort(names.begin(), names.end());
  return names;
}

bool FileExists(const std::string& path) {
  std::error_code error;
  return fs::is_regular_file(path, error);
}

bool IsDirectory(const std::string& path) {
  std::error_code error;
  return fs::is_directory(path, error);
}

std::string ProgramDirectory() {
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  return error ? "." : program.parent_path().string();
}

Result<std::string> ProgramHome() {
  const auto is_home = [](const fs::path& folder) {
    return IsDirectory(folder / "data" / "tasks");
  };
  if (const std::string named = Variable("KWRIGHT_HOME"); !named.empty()) {
    if (is_home(named)) return named;
    return Fail(ErrorCode::kNotFound,
                "KWRIGHT_HOME is '" + named + "', which holds no data/tasks folder");
  }
  for (fs::path folder = ProgramDirectory(); folder.has_relative_path();
       folder = folder.parent_path()) {
    if (is_home(folder)) return folder.string();
  }
  return Fail(ErrorCode::kNotFound, "no data/tasks folder above '" + ProgramDirectory() +
                                        "'; set KWRIGHT_HOME to the folder that holds data/");
}

Result<std::string> CacheDirectory() {
  std::string folder = Variable("KWRIGHT_CACHE");
  if (folder.empty()) {
    const std::string cache = Variable("XDG_CACHE_HOME");
    const std::string home = Variable("HOME");
    if (cache.empty() && home.empty()) {
      return Fail(ErrorCode::kNotFound, "no folder for caches: set KWRIGHT_CACHE or HOME");
    }
    folder = (cache.empty() ? home + "/.cache" : cache) + "/kwright";
  }
  KW_TRY(MakeDirectories(folder));
  return folder;
}

}  // namespace kw
