#include "launch_parts.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "runtime.h"

namespace kw::eval::emu {
namespace {

constexpr uint64_t kPieceBytes = 2048;  // what one word of a sector bitmap stands for
constexpr uint64_t kMostKeptBytes = uint64_t{512} << 20;
// Below this the threads' waking costs more than they bring.
constexpr uint64_t kLeastLaneInstructions = 1'000'000;
constexpr int kMostUndone = 2;

template <class F>
bool AnySector(uint64_t word, uint64_t index, F test) {
  for (; word != 0; word &= word - 1) {
    if (test(index * 64 + static_cast<uint64_t>(std::countr_zero(word)))) return true;
  }
  return false;
}

}  // namespace

LaunchParts::LaunchParts(const Launch& launch, int parts, BlockQueue* queue)
    : memory_(launch.memory),
      queue_(queue),
      unit_shift_(launch.stores.unit_shift),
      first_author_(launch.stores.base),
      number_(launch.memory->launches()) {
  // From here on a thread changes its own views alone.
  for (DeviceMemory::Entry& entry : memory_->entries()) {
    if (entry.span.live) entry.views.resize(static_cast<size_t>(parts));
    entry.kept.clear();
  }
}

Span* LaunchParts::Find(int part, uint64_t address, uint64_t bytes) {
  DeviceMemory::Entry* entry = memory_->Holding(address);
  if (entry == nullptr || !entry->span.live) return nullptr;
  if (entry->span.bytes - (address - entry->span.start) < bytes) return nullptr;
  std::unique_ptr<View>& view = entry->views[static_cast<size_t>(part)];
  if (view == nullptr) view = std::make_unique<View>();
  if (view->launch != number_) {
    view->launch = number_;
    view->span = entry->span;
    view->loaded.assign(entry->touched.size(), 0);
    view->stored.assign(entry->touched.size(), 0);
    view->span.touched = view->loaded.data();
    view->span.stored = view->stored.data();
    if (entry->span.written != nullptr) {
      view->written = entry->written;
      view->span.written = view->written.data();
    }
  }
  return &view->span;
}

void LaunchParts::WatchStores(int part, Span* span) {
  View& view = *memory_->Holding(span->start)->views[static_cast<size_t>(part)];
  span->authors = view.authors.Reserve((span->bytes >> unit_shift_) + 1);
}

void LaunchParts::Keep(const Span& span, uint64_t piece) {
  const uint64_t from = piece * kPieceBytes;
  Kept kept{span.host + from, std::min(kPieceBytes, span.bytes - from), nullptr};
  const std::lock_guard lock(mutex_);
  std::vector<bool>& known = memory_->Holding(span.start)->kept;
  if (known.empty()) known.resize(span.bytes / kPieceBytes + 1);
  if (known[piece]) return;
  known[piece] = true;
  kept.before.reset(new char[kept.bytes]);
  std::memcpy(kept.before.get(), kept.host, kept.bytes);
  kept_.push_back(std::move(kept));
  if (kept_.size() * kPieceBytes <= kMostKeptBytes) return;
  full_ = true;
  queue_->Close();
}

bool LaunchParts::StoredBoth(const View& a, const View& b, uint64_t sector) const {
  if (a.span.authors == nullptr || b.span.authors == nullptr) return true;
  const uint64_t last = std::min((sector + 1) * 32, a.span.bytes) - 1;
  for (uint64_t unit = sector * 32 >> unit_shift_; unit <= last >> unit_shift_; ++unit) {
    if (a.span.authors[unit] >= first_author_ && b.span.authors[unit] >= first_author_) return true;
  }
  return false;
}

bool LaunchParts::Met(const DeviceMemory::Entry& entry) const {
  std::vector<const View*> views;
  for (const std::unique_ptr<View>& view : entry.views) {
    if (view != nullptr && view->launch == number_) views.push_back(view.get());
  }
  for (size_t b = 1; b < views.size(); ++b) {
    for (size_t a = 0; a < b; ++a) {
      const View &x = *views[a], &y = *views[b];
      for (size_t i = 0; i < x.stored.size(); ++i) {
        if (((x.stored[i] & y.loaded[i]) | (x.loaded[i] & y.stored[i])) != 0) return true;
        const uint64_t both = x.stored[i] & y.stored[i];
        if (AnySector(both, i, [&](uint64_t sector) { return StoredBoth(x, y, sector); })) {
          return true;
        }
      }
    }
  }
  return false;
}

bool LaunchParts::Met() const {
  for (const DeviceMemory::Entry& entry : memory_->entries()) {
    if (Met(entry)) return true;
  }
  return false;
}

void LaunchParts::Join() {
  for (DeviceMemory::Entry& entry : memory_->entries()) {
    for (const std::unique_ptr<View>& view : entry.views) {
      if (view == nullptr || view->launch != number_) continue;
      for (size_t i = 0; i < entry.touched.size(); ++i) {
        entry.span.touched[i] |= view->loaded[i];
        entry.span.stored[i] |= view->stored[i];
      }
      if (entry.span.written == nullptr) continue;
      if (view->span.written == nullptr) {
        entry.span.written = nullptr;
        entry.span.unwritten = 0;
        continue;
      }
      for (size_t i = 0; i < entry.written.size(); ++i) {
        const uint8_t fresh = view->written[i] & static_cast<uint8_t>(~entry.written[i]);
        entry.written[i] |= fresh;
        entry.span.unwritten -= static_cast<uint64_t>(std::popcount(fresh));
      }
      if (entry.span.unwritten == 0) entry.span.written = nullptr;
    }
  }
}

void LaunchParts::Undo() {
  for (const Kept& kept : kept_) std::memcpy(kept.host, kept.before.get(), kept.bytes);
}

namespace {

bool IsWorthIt(const Launch& launch, const PartsHistory& history, int threads) {
  const Program& program = *launch.program;
  if (program.blocks_signal || launch.workspace != 0 || !launch.watched) return false;
  if (history.undone >= kMostUndone) return false;
  const uint64_t blocks = BlockCount(launch.grid);
  if (blocks < 4 * static_cast<uint64_t>(threads)) return false;
  const uint64_t each =
      std::max<uint64_t>(history.lane_instructions_a_block, program.ops.size() * launch.threads);
  return blocks >= kLeastLaneInstructions / each;
}

void AddPart(const Launch& part, Launch* whole) {
  whole->spent += part.spent;
  whole->effort += part.effort;
  whole->barriers += part.barriers;
  whole->divergent_branches += part.divergent_branches;
  whole->counts.global_load_sectors += part.counts.global_load_sectors;
  whole->counts.global_store_sectors += part.counts.global_store_sectors;
  whole->counts.global_requests += part.counts.global_requests;
  whole->counts.shared_requests += part.counts.shared_requests;
  whole->counts.shared_conflicts += part.counts.shared_conflicts;
  whole->counts.atomics += part.counts.atomics;
  for (size_t i = 0; i < whole->stats.size(); ++i) {
    whole->stats[i].warps += part.stats[i].warps;
    whole->stats[i].lanes += part.stats[i].lanes;
  }
}

}  // namespace

bool RunInParts(Launch* launch, Crew* crew, PartsHistory* history) {
  if (crew == nullptr || !IsWorthIt(*launch, *history, crew->size())) return false;
  BlockQueue queue(*launch, crew->size());
  LaunchParts marks(*launch, crew->size(), &queue);
  const size_t count = static_cast<size_t>(crew->size());
  std::vector<Launch> parts(count, *launch);
  std::atomic<bool> clean = true;
  crew->Run([&](int number) {
    Launch& part = parts[static_cast<size_t>(number)];
    HazardLog hazards;
    part.parts = &marks;
    part.part = number;
    part.hazards = &hazards;
    RunBlocks(&part, &queue);
    if (part.status == LaunchOutcome::Status::kOk && hazards.Take().empty() &&
        part.authors.size() < kMostAuthors) {
      return;
    }
    clean = false;
    queue.Close();
  });
  uint64_t effort = 0;
  for (const Launch& part : parts) {
    effort += part.effort;
    launch->part_authors = std::max(launch->part_authors, part.authors.size());
  }
  if (!clean || marks.full() || effort > launch->budget || marks.Met()) {
    marks.Undo();
    ++history->undone;
    return false;
  }
  marks.Join();
  for (const Launch& part : parts) AddPart(part, launch);
  return true;
}

}  // namespace kw::eval::emu
