#include "expected_cache.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <tuple>

#include "kw/base/file.h"
#include "kw/base/hash.h"

namespace kw::eval {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kMagic = "kernelwright-expected 1\n";
constexpr size_t kHashLength = 32;

void AddCase(const Case& c, Hasher& hasher) {
  for (const auto& [axis, size] : c.axes) hasher.Add(axis).Add(size);
  for (const auto& [name, value] : c.scalars) {
    int64_t bits = 0;
    std::memcpy(&bits, &value, sizeof bits);
    hasher.Add(name).Add(bits);
  }
}

int64_t MemoryOf(const Expected& expected) {
  size_t elements = 16;
  for (const auto& output : expected.floats) elements += output.size();
  for (const auto& output : expected.integers) elements += output.size();
  return static_cast<int64_t>(elements * 8);
}

// Per output: the number of floats, the number of integers, and they.
std::string Packed(const Expected& expected) {
  std::string bytes;
  const auto put = [&](const void* data, size_t size) {
    bytes.append(static_cast<const char*>(data), size);
  };
  for (size_t output = 0; output < expected.floats.size(); ++output) {
    const uint64_t sizes[] = {expected.floats[output].size(), expected.integers[output].size()};
    put(sizes, sizeof sizes);
    put(expected.floats[output].data(), sizes[0] * 8);
    put(expected.integers[output].data(), sizes[1] * 8);
  }
  return bytes;
}

template <class T>
bool Take(std::string_view& bytes, uint64_t count, std::vector<T>& values) {
  if (count > bytes.size() / sizeof(T)) return false;
  values.resize(count);
  if (count > 0) std::memcpy(values.data(), bytes.data(), count * sizeof(T));
  bytes.remove_prefix(count * sizeof(T));
  return true;
}

std::optional<Expected> Unpacked(std::string_view bytes) {
  Expected expected;
  while (!bytes.empty()) {
    std::vector<uint64_t> sizes;
    if (!Take(bytes, 2, sizes)) return std::nullopt;
    if (!Take(bytes, sizes[0], expected.floats.emplace_back())) return std::nullopt;
    if (!Take(bytes, sizes[1], expected.integers.emplace_back())) return std::nullopt;
  }
  return expected;
}

}  // namespace

std::string CaseKey(const Task& task, const Case& c) {
  Hasher hasher;
  hasher.Add(task.hash).Add(static_cast<int64_t>(c.seed)).Add(c.group);
  AddCase(c, hasher);
  return hasher.Hex();
}

std::string ExpectedFileKey(const Task& task, const Case& c, const CaseInputs& inputs) {
  Hasher hasher;
  hasher.Add(task.hash).Add(inputs.hash);
  AddCase(c, hasher);
  return hasher.Hex();
}

std::shared_ptr<const Expected> ExpectedCache::Find(const std::string& key) {
  std::lock_guard lock(mutex_);
  auto found = entries_.find(key);
  if (found == entries_.end()) return nullptr;
  order_.splice(order_.begin(), order_, found->second.at);
  return found->second.expected;
}

void ExpectedCache::Store(const std::string& key, std::shared_ptr<const Expected> expected) {
  std::lock_guard lock(mutex_);
  if (entries_.contains(key)) return;
  order_.push_front(key);
  bytes_ += MemoryOf(*expected);
  entries_[key] = {std::move(expected), order_.begin()};
  while (bytes_ > max_bytes_ && order_.size() > 1) {
    auto oldest = entries_.find(order_.back());
    bytes_ -= MemoryOf(*oldest->second.expected);
    entries_.erase(oldest);
    order_.pop_back();
  }
}

ExpectedFiles::ExpectedFiles(std::string folder, int64_t max_bytes)
    : folder_(std::move(folder)), max_bytes_(max_bytes), unseen_bytes_(max_bytes) {
  if (folder_.empty() || !MakeDirectories(folder_)) return;
  ::chmod(folder_.c_str(), S_IRWXU);
}

std::optional<Expected> ExpectedFiles::Find(const std::string& key) {
  if (folder_.empty() || !FileExists(PathOf(key))) return std::nullopt;
  const Result<std::string> file = ReadFile(PathOf(key), max_bytes_);
  if (!file || !file->starts_with(kMagic)) return std::nullopt;
  std::string_view rest = std::string_view(*file).substr(kMagic.size());
  if (rest.size() < kHashLength) return std::nullopt;
  const std::string_view hash = rest.substr(0, kHashLength);
  rest.remove_prefix(kHashLength);
  if (ContentHash(rest) != hash) return std::nullopt;
  std::error_code ignored;
  fs::last_write_time(PathOf(key), fs::file_time_type::clock::now(), ignored);
  return Unpacked(rest);
}

void ExpectedFiles::Store(const std::string& key, const Expected& expected) {
  if (folder_.empty() || MemoryOf(expected) > max_bytes_ / 4) return;
  const std::string bytes = Packed(expected);
  std::lock_guard lock(mutex_);
  unseen_bytes_ += static_cast<int64_t>(bytes.size());
  if (unseen_bytes_ > max_bytes_ / 4) MakeRoom();
  (void)WriteFileAtomic(PathOf(key), std::string(kMagic) + ContentHash(bytes) + bytes);
}

void ExpectedFiles::MakeRoom() {
  unseen_bytes_ = 0;
  std::vector<std::tuple<fs::file_time_type, int64_t, fs::path>> files;
  int64_t bytes = 0;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder_, error)) {
    std::error_code gone;  // another process may be as far
    const fs::file_time_type used = entry.last_write_time(gone);
    const auto size = static_cast<int64_t>(entry.file_size(gone));
    if (gone) continue;
    files.emplace_back(used, size, entry.path());
    bytes += size;
  }
  std::sort(files.begin(), files.end());
  for (const auto& [used, size, path] : files) {
    if (bytes <= max_bytes_ / 2) break;
    fs::remove(path, error);
    bytes -= size;
  }
}

}  // namespace kw::eval
