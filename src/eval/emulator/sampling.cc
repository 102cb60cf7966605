#include "sampling.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "fmt/format.h"
#include "kw/base/hash.h"
#include "runtime.h"

namespace kw::eval::emu {
namespace {

// Smaller grids run as a whole.
constexpr uint64_t kLeastBlocks = 64;

// Bytes [from, to) stored by the launch, by the authors of its units, joined into runs.
ByteRuns StoredRuns(const Span& span, const StoreShadow& stores) {
  ByteRuns runs;
  const uint64_t unit_bytes = uint64_t{1} << stores.unit_shift;
  const uint64_t sectors = (span.bytes + 31) / 32;
  for (uint64_t sector = 0; sector < sectors; ++sector) {
    if ((span.stored[sector >> 6] >> (sector & 63) & 1) == 0) continue;
    const uint64_t end = std::min(sector * 32 + 32, span.bytes);
    for (uint64_t at = sector * 32; at < end; at += unit_bytes) {
      const uint32_t author = span.authors[at >> stores.unit_shift] & ~kAtomicStore;
      if (author < stores.base) continue;
      if (!runs.empty() && runs.back().second == at) {
        runs.back().second += unit_bytes;
      } else {
        runs.emplace_back(at, at + unit_bytes);
      }
    }
  }
  return runs;
}

// Of the mean of these numbers, relative to it.
double StandardError(const std::vector<uint64_t>& values) {
  const double n = static_cast<double>(values.size());
  if (values.size() < 2) return 1;
  double sum = 0, squares = 0;
  for (const uint64_t value : values) sum += static_cast<double>(value);
  const double mean = sum / n;
  if (mean == 0) return 0;
  for (const uint64_t value : values) squares += std::pow(static_cast<double>(value) - mean, 2);
  return std::sqrt(squares / (n - 1) / n) / mean;
}

}  // namespace

std::vector<uint64_t> BlocksToSample(const Dim3& grid, uint64_t seed) {
  const uint64_t total = BlockCount(grid);
  std::vector<uint64_t> blocks;
  std::set<uint64_t> known;
  const auto add = [&](uint64_t block) {
    if (known.insert(block).second) blocks.push_back(block);
  };
  for (const uint64_t z : {0u, grid.z - 1}) {
    for (const uint64_t y : {0u, grid.y - 1}) {
      for (const uint64_t x : {0u, grid.x - 1}) add(x + grid.x * (y + grid.y * z));
    }
  }
  const uint64_t most = std::min(total, kMostSampledBlocks);
  for (uint64_t draw = 0; blocks.size() < most; ++draw) {
    uint64_t block = DeriveSeed(seed + draw, "block") % total;
    // The last few of a small grid would be drawn for ever.
    while (known.contains(block)) block = (block + 1) % total;
    add(block);
  }
  return blocks;
}

bool CanSample(const Launch& launch) {
  return !launch.program->blocks_signal && launch.workspace == 0 && launch.watched &&
         BlockCount(launch.grid) > kLeastBlocks;
}

void RunSample(Launch* launch, const Sampling& sampling, LaunchOutcome* outcome) {
  BlockQueue queue(*launch, BlocksToSample(launch->grid, sampling.seed),
                   sampling.lane_instructions);
  std::vector<uint64_t> costs;
  launch->block_costs = &costs;
  RunBlocks(launch, &queue);
  launch->block_costs = nullptr;
  outcome->blocks_run = costs.size();
  if (costs.size() < BlockCount(launch->grid)) outcome->error = StandardError(costs);
}

void SampledMemory::Spoil(uint64_t start, const std::string& who) {
  if (!stores_.unusable.empty() || !stores_.runs.contains(start)) return;
  stores_.unusable = fmt::format("{} touches {}, of which a sampled launch has stored a part", who,
                                 memory_->Holding(start)->name);
}

void SampledMemory::NoteLaunch(const Launch& launch, bool in_part) {
  const auto any = [](const uint64_t* marks, uint64_t bytes) {
    return std::any_of(marks, marks + bytes / 2048 + 1, [](uint64_t word) { return word != 0; });
  };
  for (DeviceMemory::Entry& entry : memory_->entries()) {
    const Span& span = entry.span;
    if (!span.live) continue;
    const bool stored = any(span.stored, span.bytes);
    if (stored || any(span.touched, span.bytes)) Spoil(span.start, launch.kernel_title);
    if (!stored || !in_part) continue;
    if (span.authors == nullptr || launch.authors.size() >= kMostAuthors) {
      stores_.unusable = "more was stored than is kept track of";
      continue;
    }
    stores_.runs[span.start] = StoredRuns(span, launch.stores);
  }
}

void SampledMemory::NoteAccess(uint64_t address) {
  const DeviceMemory::Entry* entry = memory_->Holding(address);
  if (entry != nullptr) Spoil(entry->span.start, "a copy or a fill");
}

void SampledMemory::NoteLibraryCall(const std::string& function) {
  if (!stores_.runs.empty()) Spoil(stores_.runs.begin()->first, function);
}

}  // namespace kw::eval::emu
