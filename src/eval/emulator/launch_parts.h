// The blocks of one launch on several threads, with the bits of one thread.
//
// Each thread takes blocks off the launch's order until none is left: its blocks are a part of the
// launch. A part runs as a launch does, over the same bytes of device memory, but with marks of its
// own: which sectors it loads and stores, which bytes it has written, who stored each unit. What a
// sector held before the first store to it is kept. At the end the marks tell whether any part has
// met another, that is touched what another stored. If none has, no block can tell in which order
// the others ran, so the parts' sums are what one thread would have had. Otherwise, and wherever a
// part found a hazard, a fault or the end of the budget, the bytes are put back and the launch runs
// on one thread: reports and races come out as ever.
//
// Sectors are coarser than units, so parts may seem to meet that only touch neighbouring bytes.
// That costs the time of a second run, and no more. Stores to different units of a sector do not
// count.
//
// Kernels in which blocks signal each other, print, or read clocks are not tried
// (Program::blocks_signal).
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "crew.h"
#include "device_memory.h"

namespace kw::eval::emu {

struct Launch;
class BlockQueue;

class LaunchParts {
 public:
  LaunchParts(const Launch& launch, int parts, BlockQueue* queue);

  // As DeviceMemory's, for a part; one thread a part.
  Span* Find(int part, uint64_t address, uint64_t bytes);
  void WatchStores(int part, Span* span);
  // Keeps bytes [2048 * piece, + 2048) of an allocation, unless some part did before. Thread-safe.
  void Keep(const Span& span, uint64_t piece);
  // More was kept than may be: the queue was closed.
  bool full() const { return full_; }

  // When all threads have ended:
  bool Met() const;
  void Join();  // the allocations get the marks
  void Undo();  // they get their bytes back

 private:
  using View = DeviceMemory::View;
  bool Met(const DeviceMemory::Entry& entry) const;
  bool StoredBoth(const View& a, const View& b, uint64_t sector) const;

  DeviceMemory* memory_;
  BlockQueue* queue_;
  const uint32_t unit_shift_, first_author_;
  const uint64_t number_;  // of the launch
  std::mutex mutex_;
  struct Kept {
    char* host;
    uint64_t bytes;
    std::unique_ptr<char[]> before;
  };
  std::vector<Kept> kept_;
  std::atomic<bool> full_ = false;
};

// What is known of a kernel's launches so far. It decides how they run, never what comes out.
struct PartsHistory {
  uint64_t lane_instructions_a_block = 0;  // of the last one
  int undone = 0;
};

// Runs the launch on the crew's threads where it is worth it. False: it was not, or had to be
// undone, and all is as before.
bool RunInParts(Launch* launch, Crew* crew, PartsHistory* history);

}  // namespace kw::eval::emu
