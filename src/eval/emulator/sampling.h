// Launches of which only some blocks run, and what of a call's memory can be looked at then.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "kw/eval/emulator.h"

namespace kw::eval::emu {

struct Launch;
class DeviceMemory;

// The blocks that run, in order: the corners of the grid, then others in an order that the seed
// decides, at most kMostSampledBlocks of them.
inline constexpr uint64_t kMostSampledBlocks = 4096;
std::vector<uint64_t> BlocksToSample(const Dim3& grid, uint64_t seed);

// Is this launch one to sample, if any is?
bool CanSample(const Launch& launch);
// Runs some of its blocks.
void RunSample(Launch* launch, const Sampling& sampling, LaunchOutcome* outcome);

// What the launches of a call have stored in part. Whoever takes such memory for whole makes the
// call's results meaningless.
class SampledMemory {
 public:
  SampledMemory(DeviceMemory* memory, const Sampling& sampling)
      : memory_(memory), sampling_(sampling) {}

  // For the launch that comes: its blocks do not depend on what ran before this call.
  Sampling Next() { return {sampling_.seed + launches_++, sampling_.lane_instructions}; }
  // When a launch has ended, before the next one begins; `in_part`: not all of its blocks ran.
  void NoteLaunch(const Launch& launch, bool in_part);
  // The host, a copy or a fill touches an allocation.
  void NoteAccess(uint64_t address);
  // A library call comes: it may touch anything.
  void NoteLibraryCall(const std::string& function);
  SampledStores Take() { return std::move(stores_); }

 private:
  void Spoil(uint64_t start, const std::string& who);

  DeviceMemory* memory_;
  const Sampling sampling_;
  SampledStores stores_;
  uint64_t launches_ = 0;
};

}  // namespace kw::eval::emu
