// A launch in progress: blocks that can be suspended, warps as sets of lane groups.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "device_memory.h"
#include "kw/eval/emulator.h"
#include "launch_parts.h"
#include "program.h"
#include "warp.h"

namespace kw::eval::emu {

// Hazards of all launches since the last take, one of a kind a line.
class HazardLog {
 public:
  // Keeps the first 32 that differ in (kind, kernel, file, line).
  void Add(Hazard hazard);
  std::vector<Hazard> Take();

 private:
  static constexpr size_t kMost = 32;
  std::vector<Hazard> hazards_;
};

struct Return {
  uint32_t pc = 0, call = 0;
  uint32_t function = 0, registers = 0, predicates = 0, local = 0;
  bool operator==(const Return&) const = default;
};

// Lanes of a warp that are at the same place with the same callers.
struct Group {
  enum class State : uint8_t { kReady, kBarrier, kCollective };
  uint32_t mask = 0;
  uint32_t pc = 0;
  State state = State::kReady;
  uint8_t penalty = 0;   // for having spun
  uint32_t members = 0;  // awaited by a collective
  uint32_t barrier = 0;  // id
  uint32_t spins = 0;    // ways back since it last gave way
  uint32_t function = 0, registers = 0, predicates = 0, local = 0;  // frame
  std::vector<Return> stack;
};

struct WarpState {
  Warp warp;
  std::vector<Group> groups;
  std::vector<uint32_t> predicates;
  std::vector<uint32_t> local_written;  // behind warp.local_written
  std::vector<AsyncCopy> copies;        // behind warp.copies
  char* registers = nullptr;
  bool done = false;
  bool blocked = false;  // waits at a barrier
  bool spun = false;     // gave way in a waiting loop
};

struct BarrierState {
  uint32_t arrived = 0, expected = 0;
  uint32_t waiting = 0;  // warps
  uint32_t sources = 0;  // warps that only arrived
  uint32_t votes = 0;
  bool all = true, any = false;
};

struct Launch;

struct Block {
  Launch* launch = nullptr;
  Dim3 index;
  uint64_t linear = 0;
  std::vector<WarpState> warps;
  std::vector<uint32_t> warp_order;
  std::array<BarrierState, 16> barriers;
  uint32_t open_barriers = 0;  // those that somebody has come to
  char* shared = nullptr;
  RaceShadow race{};
  std::vector<uint32_t> race_writer, race_reader, race_readers, race_lanes;
  // One piece of memory each for all warps.
  AlignedBytes register_memory, local_memory, shared_memory;
  uint64_t spent = 0;                // lane-instructions
  std::vector<uint32_t> unreleased;  // its authors that no release has made visible
};

struct BlockStat {
  uint64_t warps = 0, lanes = 0;
};

constexpr uint32_t kLeastLanes = 8;

struct Launch {
  const Program* program = nullptr;
  const ptx::Module* module = nullptr;
  DeviceMemory* memory = nullptr;
  HazardLog* hazards = nullptr;
  std::string* printed = nullptr;
  const DeviceSheet* sheet = nullptr;
  Dim3 grid, block;
  uint32_t threads = 0, warp_count = 0;
  uint32_t shared_bytes = 0, dynamic_shared = 0;
  uint32_t local_bytes = 0, register_bytes = 0, predicate_words = 0;
  std::string parameters;
  std::string kernel_title;  // demangled
  uint64_t seed = 0;
  uint64_t spent = 0;  // lane-instructions
  // The same with kLeastLanes for steps of fewer lanes, which take as long: what the budget bounds.
  uint64_t effort = 0, budget = 0;
  uint64_t clock_reads = 0;
  Counts counts{};
  uint64_t barriers = 0, divergent_branches = 0;
  std::vector<uint64_t>* block_costs = nullptr;  // lane-instructions of each block, if wanted
  std::vector<Site> sites;
  std::vector<BlockStat> stats;
  bool watched = true;  // races too, not only bounds
  uint32_t poison = 0;
  StoreShadow stores{};
  std::vector<Author> authors;
  std::vector<uint8_t> noted;    // of each origin: kinds of hazards that were reported
  uint64_t workspace = 0;        // of a cooperative grid: its size and the barrier of grid.sync()
  LaunchParts* parts = nullptr;  // where it runs on several threads,
  int part = 0;                  // and this is one of them
  size_t part_authors = 0;       // the most that any of them had
  LaunchOutcome::Status status = LaunchOutcome::Status::kOk;
  std::string message;
};

// The blocks of a launch in the order in which they start. Thread-safe.
class BlockQueue {
 public:
  // Given out in stretches for that many takers.
  BlockQueue(const Launch& launch, int takers);
  // These blocks alone: the corners of the grid, which lead them, and more while the taker has
  // spent less than `enough`.
  BlockQueue(const Launch& launch, std::vector<uint64_t> blocks, uint64_t enough);
  struct Stretch {
    uint64_t next = 0, end = 0;
  };
  // False when there are no more for a taker who has spent that many lane-instructions.
  bool Take(uint64_t spent, Stretch* stretch);
  // The linear index of the i-th block to start.
  uint64_t At(uint64_t i) const;
  // Nobody gets any more.
  void Close() { next_ = total_; }

 private:
  uint64_t total_, stretch_;
  uint64_t start_ = 0;
  bool backward_ = false;
  std::vector<uint64_t> chosen_;  // empty: all
  uint64_t enough_ = ~uint64_t{0}, in_any_case_ = 0;
  std::atomic<uint64_t> next_ = 0;
};

// Runs blocks until the queue has no more. The result is in launch->status.
void RunBlocks(Launch* launch, BlockQueue* queue);

// Runs a block until it has ended (true), or all its warps wait for others (false). A launch
// that must stop says so in launch->status.
bool RunBlock(Block* block);
void PrepareBlock(Launch* launch, Block* block);
void StartBlock(Block* block, uint64_t linear);

// Local memory, outside of the handlers.
inline char* LocalAt(const Warp& w, uint32_t offset, int lane) {
  return w.local + (offset >> 2) * (4 * kLanes) + static_cast<uint32_t>(lane) * 4 + (offset & 3);
}
// These lanes have stored to the words that hold [from, from + bytes).
inline void RememberLocal(const Warp& w, uint32_t lanes, uint32_t from, uint32_t bytes) {
  if (w.local_written == nullptr || bytes == 0) return;
  for (uint32_t word = from / 4; word <= (from + bytes - 1) / 4; ++word) {
    w.local_written[word] |= lanes;
  }
}
// They have not.
inline void ForgetLocal(const Warp& w, uint32_t lanes, uint32_t from, uint32_t bytes) {
  if (w.local_written == nullptr) return;
  for (uint32_t word = from / 4; word < (from + bytes) / 4; ++word) w.local_written[word] &= ~lanes;
}

// What the table of authors may take of this machine; a launch with more is watched no further.
inline constexpr size_t kMostAuthors = size_t{1} << 24;

// Where a block lies in its grid.
inline Dim3 BlockIndex(uint64_t linear, const Dim3& grid) {
  return {static_cast<uint32_t>(linear % grid.x), static_cast<uint32_t>(linear / grid.x % grid.y),
          static_cast<uint32_t>(linear / grid.x / grid.y)};
}

// ---- reports (reports.cc) ----
std::string Coordinates(const Dim3& at);  // "(1,0,0)"
enum class Noted : uint8_t {
  kUninitialised = 1,
  kRace = 2,
  kShuffle = 4,
  kBarrier = 8,
  kGlobalRace = 16
};
// True the first time for an instruction: reports are dear, and one a line is kept.
bool FirstNote(const Warp& w, const Op& op, Noted kind);
Hazard MakeHazard(const Warp& w, const Op& op, int lane, std::string kind);
// "kernel k, line 12 of a.cu, block (0,0,0), thread (3,0,0)"
std::string Where(const Hazard& hazard);
bool Stop(Launch* launch, LaunchOutcome::Status status, std::string message);
bool StopWithHazard(Warp& w, Hazard hazard);
bool StopUnsupportedOp(Warp& w, const Op& op);
bool StopForBudget(Warp& w, const Op& op);

// ---- device printf (printf.cc) ----
bool DevicePrintf(Warp& w, const Op& op, const CallSite& site);
bool DeviceAssert(Warp& w, const Op& op, const CallSite& site);

}  // namespace kw::eval::emu
