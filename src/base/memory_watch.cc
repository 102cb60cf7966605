#include "kw/base/memory_watch.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "kw/base/clock.h"
#include "kw/base/file.h"
#include "kw/base/text.h"

namespace kw {
namespace {

constexpr int64_t kEveryUs = 20'000;

// A file that the kernel writes as it is read; "" when it is not there.
std::string ReadPseudoFile(const std::string& path) {
  std::string text;
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return text;
  std::array<char, 4096> piece;
  ssize_t got = 0;
  while ((got = read(fd, piece.data(), piece.size())) > 0) {
    text.append(piece.data(), static_cast<size_t>(got));
  }
  close(fd);
  return text;
}

std::optional<int64_t> LeadingNumber(std::string_view text) {
  text = Trim(text);
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  return number;
}

// The bytes of a line "KEY:   123 kB".
std::optional<int64_t> KibibytesOf(std::string_view text, std::string_view key) {
  for (const std::string_view line : Lines(text)) {
    if (!line.starts_with(key) || line.substr(key.size(), 1) != ":") continue;
    const std::optional<int64_t> number = LeadingNumber(line.substr(key.size() + 1));
    if (number) return *number * 1024;
  }
  return std::nullopt;
}

// The least limit of a control group and those above it: `file` in each folder from `root` +
// `group` up to `root`. One that has no limit says "max", or a number beyond any memory.
int64_t LeastGroupLimit(const std::string& root, std::string group, const char* file) {
  int64_t least = INT64_MAX;
  while (true) {
    const std::optional<int64_t> limit = LeadingNumber(ReadPseudoFile(root + group + "/" + file));
    if (limit && *limit > 0) least = std::min(least, *limit);
    if (group.empty()) return least;
    group.resize(group.rfind('/'));
  }
}

int64_t GroupLimitBytes() {
  int64_t least = INT64_MAX;
  const std::string groups = ReadPseudoFile("/proc/self/cgroup");
  for (const std::string_view line : Lines(groups)) {
    // HIERARCHY:CONTROLLERS:/GROUP; version 2 is hierarchy 0 and names no controllers.
    const auto parts = Split(line, ':');
    if (parts.size() != 3 || !parts[2].starts_with('/')) continue;
    const std::string group = parts[2] == "/" ? "" : std::string(parts[2]);
    if (parts[1].empty()) {
      least = std::min(least, LeastGroupLimit("/sys/fs/cgroup", group, "memory.max"));
    } else if (parts[1] == "memory") {
      least =
          std::min(least, LeastGroupLimit("/sys/fs/cgroup/memory", group, "memory.limit_in_bytes"));
    }
  }
  return least;
}

}  // namespace

HeldMemory ParseHeldMemory(std::string_view status) {
  const auto bytes = [&](std::string_view key) { return KibibytesOf(status, key); };
  HeldMemory held;
  const std::optional<int64_t> anonymous = bytes("RssAnon");
  held.own = anonymous ? *anonymous : bytes("VmRSS").value_or(0);
  held.own += bytes("VmSwap").value_or(0) + bytes("VmPTE").value_or(0);
  held.shared = bytes("RssShmem").value_or(0);
  return held;
}

std::optional<HeldMemory> MemoryOf(int pid) {
  const std::string status = ReadPseudoFile("/proc/" + std::to_string(pid) + "/status");
  if (status.empty()) return std::nullopt;
  return ParseHeldMemory(status);
}

int64_t LendableMemoryBytes() {
  static const int64_t lendable = [] {
    const int64_t machine = KibibytesOf(ReadPseudoFile("/proc/meminfo"), "MemTotal").value_or(0);
    const int64_t all = std::min(machine > 0 ? machine : INT64_MAX, GroupLimitBytes());
    return all / 10 * 8;
  }();
  return lendable;
}

MemoryWatch::MemoryWatch(int pid, MemoryLimit limit) : pid_(pid), limit_(limit) {}

int64_t MemoryWatch::allowed_bytes() const { return std::min(limit_.bytes, LendableMemoryBytes()); }

bool MemoryWatch::Exceeded() {
  if (pid_ <= 0) return false;
  const int64_t now_us = SystemClock().MonotonicMicros();
  if (now_us - looked_us_ < kEveryUs) return false;
  looked_us_ = now_us;
  const std::optional<HeldMemory> held = MemoryOf(pid_);
  if (!held) return false;
  held_bytes_ = held->own + (limit_.shared ? held->shared : 0);
  return held_bytes_ > allowed_bytes();
}

}  // namespace kw
