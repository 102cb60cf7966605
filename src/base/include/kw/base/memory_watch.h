// The memory of a process that works for a stranger, watched by who waits for it: what a limit of
// its address space cannot bound, because much of that is reserved and little of it used, shared,
// or the kernel's own.
//
//   MemoryWatch watch(child.pid(), {.bytes = 2LL << 30, .shared = true});
//   while (... waits a few milliseconds ...) {
//     if (watch.Exceeded()) child.Kill();   // watch.held_bytes() says how much it was
//   }
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kw {

// What a process holds, in bytes, swapped out or not. Pages of files are nobody's: the kernel takes
// them back.
struct HeldMemory {
  int64_t own = 0;     // pages that no other process has, and the page tables
  int64_t shared = 0;  // memory files and shared mappings: others may hold the same pages
};
// Nothing when there is no such process. Where the kernel does not tell pages apart (before 4.5),
// all that is resident counts as own.
[[nodiscard]] std::optional<HeldMemory> MemoryOf(int pid);
[[nodiscard]] HeldMemory ParseHeldMemory(std::string_view status);  // of /proc/PID/status

// What strangers' processes may hold of this machine, each of them: 80 % of its memory, or of what
// a control group leaves this process.
[[nodiscard]] int64_t LendableMemoryBytes();

struct MemoryLimit {
  int64_t bytes = 0;
  bool shared = false;  // shared memory counts too: whoever watches lent the process none of it
};

// Used by one thread at a time.
class MemoryWatch {
 public:
  MemoryWatch() = default;  // watches nothing
  MemoryWatch(int pid, MemoryLimit limit);

  void set_limit_bytes(int64_t bytes) { limit_.bytes = bytes; }
  // Whether the process holds more than its limit, or than this machine lends. Looks at most every
  // 20 ms, so it may be asked as often as is convenient.
  [[nodiscard]] bool Exceeded();
  // After that: what it held; and whether it would have been within its limit on a larger machine.
  int64_t held_bytes() const { return held_bytes_; }
  int64_t allowed_bytes() const;
  bool short_of_machine() const { return held_bytes_ <= limit_.bytes; }

 private:
  int pid_ = 0;
  MemoryLimit limit_;
  int64_t looked_us_ = 0, held_bytes_ = 0;
};

}  // namespace kw
