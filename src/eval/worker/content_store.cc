#include "content_store.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <map>

#include "kw/base/clock.h"
#include "kw/base/file.h"
#include "kw/base/hash.h"
#include "kw/base/text.h"

namespace kw::eval {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kHeader = "kernelwright-task 1 ";
constexpr int64_t kMaxPack = 512LL << 20;
constexpr size_t kMaxFiles = 4096;

bool IsSafeName(std::string_view name) {
  if (name.empty() || name.size() > 512 || name.front() == '/') return false;
  for (const unsigned char c : name) {
    if (c < 0x21 || c == 0x7f || c == '\\') return false;
  }
  for (const std::string_view part : Split(name, '/')) {
    if (part.empty() || part == "." || part == "..") return false;
  }
  return true;
}

Result<std::string_view> TakeLine(std::string_view& rest) {
  const size_t end = rest.substr(0, 4096).find('\n');
  if (end == rest.npos) return Fail(ErrorCode::kCorrupt, "the pack of the task ends early");
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  return line;
}

// Stored tensors of the workloads that lie below the task folder.
Result<void> AddStoredTensors(const Task& task, std::map<std::string, std::string>& files) {
  for (const Workload& workload : task.workloads) {
    for (const auto& [input, stored] : workload.stored) {
      const std::string path = task.folder + "/" + stored.path;
      if (files.contains(stored.path) || !IsSafeName(stored.path) || !FileExists(path)) continue;
      KW_ASSIGN(files[stored.path], ReadFile(path, kMaxPack));
    }
  }
  return {};
}

}  // namespace

Result<std::string> PackTask(const Task& task) {
  std::map<std::string, std::string> files = task.files;
  KW_TRY(AddStoredTensors(task, files));
  std::string pack = std::string(kHeader) + task.name + "\n";
  for (const auto& [name, bytes] : files) {
    pack += name + " " + std::to_string(bytes.size()) + "\n" + bytes;
    if (static_cast<int64_t>(pack.size()) > kMaxPack) {
      return Fail(ErrorCode::kLimit, "task " + task.name + " holds more than 512 MiB");
    }
  }
  return pack;
}

Result<std::string> UnpackTask(std::string_view pack, const std::string& root) {
  KW_ASSIGN(const std::string_view header, TakeLine(pack));
  const std::string name(header.substr(std::min(kHeader.size(), header.size())));
  if (!header.starts_with(kHeader) || !IsSafeName(name) || name.find('/') != name.npos) {
    return Fail(ErrorCode::kCorrupt, "this is no pack of a task folder");
  }
  const std::string folder = root + "/" + name;
  KW_TRY(MakeDirectories(folder));
  size_t files = 0;
  while (!pack.empty()) {
    KW_ASSIGN(const std::string_view line, TakeLine(pack));
    const size_t space = line.rfind(' ');
    const std::string_view file = line.substr(0, std::min(space, line.size()));
    uint64_t size = 0;
    const char* end = line.data() + line.size();
    const char* digits = space == line.npos ? end : line.data() + space + 1;
    const auto [stop, code] = std::from_chars(digits, end, size);
    if (code != std::errc() || stop != end || !IsSafeName(file) || size > pack.size() ||
        ++files > kMaxFiles) {
      return Fail(ErrorCode::kCorrupt, "the pack of the task is damaged");
    }
    const std::string path = folder + "/" + std::string(file);
    KW_TRY(MakeDirectories(fs::path(path).parent_path().string()));
    KW_TRY(WriteFileAtomic(path, pack.substr(0, size)));
    pack.remove_prefix(size);
  }
  return folder;
}

std::optional<std::string> ContentStore::FindTask(const std::string& hash) const {
  const auto names = ListDirectory(root_ + "/tasks/" + hash);
  if (!names || names->size() != 1) return std::nullopt;
  return root_ + "/tasks/" + hash + "/" + names->front();
}

Result<std::string> ContentStore::StoreTask(const std::string& hash, std::string_view pack) {
  if (auto folder = FindTask(hash)) return *folder;
  const std::string beside = root_ + "/tasks/." + FreshUuid();
  const auto store = [&]() -> Result<void> {
    KW_ASSIGN(const std::string folder, UnpackTask(pack, beside));
    KW_ASSIGN(const Task task, LoadTask(folder));
    if (task.hash != hash) {
      return Fail(ErrorCode::kCorrupt,
                  "the task '" + task.name + "' has the hash " + task.hash + ", not " + hash);
    }
    std::error_code code;
    fs::rename(beside, root_ + "/tasks/" + hash, code);
    // Another process may have been faster.
    if (code && !FindTask(hash)) {
      return Fail(ErrorCode::kIo, root_ + "/tasks/" + hash + ": " + code.message());
    }
    return {};
  };
  const Result<void> stored = store();
  std::error_code ignored;
  fs::remove_all(beside, ignored);
  KW_TRY(stored);
  return *FindTask(hash);
}

std::optional<std::string> ContentStore::FindCandidate(const std::string& hash) const {
  auto source = ReadFile(root_ + "/candidates/" + hash + ".cu");
  if (!source || ContentHash(*source) != hash) return std::nullopt;
  return std::move(*source);
}

Result<void> ContentStore::StoreCandidate(const std::string& hash, std::string_view source) {
  if (ContentHash(source) != hash) {
    return Fail(ErrorCode::kCorrupt, "the candidate does not have the hash " + hash);
  }
  if (FindCandidate(hash)) return {};
  KW_TRY(MakeDirectories(root_ + "/candidates"));
  return WriteFileAtomic(root_ + "/candidates/" + hash + ".cu", source);
}

}  // namespace kw::eval
