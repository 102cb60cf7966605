// Races on device memory: who stored what in a launch, and what orders one access before another.
#include <bit>
#include <cstring>

#include "fmt/format.h"
#include "runtime.h"

namespace kw::eval::emu {
namespace {

// Is all that this author stored ordered before the next access of the warp?
bool IsOrdered(const Warp& w, const Author& author) {
  if (author.released <= w.acquired) return true;
  if (author.block != w.block->linear) return false;
  return author.warp == w.index || author.stamp < w.race->seen[w.index][author.warp];
}

std::string_view Verb(StoreAccess access) {
  switch (access) {
    case StoreAccess::kLoad:
      return "reads";
    case StoreAccess::kStore:
      return "overwrites";
    case StoreAccess::kAtomic:
      return "updates";
  }
  return "accesses";
}

void NoteGlobalRace(Warp& w, const Op& op, int lane, uint64_t address, const Author& author,
                    StoreAccess access, bool atomic_store) {
  if (!FirstNote(w, op, Noted::kGlobalRace)) return;
  Hazard hazard = MakeHazard(w, op, lane, "global_race");
  hazard.address = address;
  const DeviceMemory::Entry* entry = w.launch->memory->Holding(address);
  const std::string place =
      fmt::format("{} at byte {} of {}", atomic_store ? "updates with an atomic" : "stores",
                  address - entry->span.start, entry->name);
  if (author.block == w.block->linear) {
    hazard.text = fmt::format(
        "warp {} {} what warp {} of its block {}, with no barrier between them: a "
        "__syncthreads() is missing, or an atomic. {}",
        w.index, Verb(access), author.warp, place, Where(hazard));
  } else {
    hazard.text = fmt::format(
        "block {} {} what block {} {} in the same launch, and nothing orders the two: blocks run "
        "at the same time. Use an atomic (atomicAdd), give each block its own place and combine "
        "them in a second launch, or order them by __threadfence() and an atomic flag. {}",
        Coordinates(w.block->index), Verb(access),
        Coordinates(BlockIndex(author.block, w.launch->grid)), place, Where(hazard));
  }
  w.launch->hazards->Add(std::move(hazard));
}

}  // namespace

void BecomeAuthor(Warp& w) {
  Launch& launch = *w.launch;
  w.author_stamp = w.race->clock;
  w.author = 0;
  if (launch.authors.size() >= kMostAuthors) return;
  w.author = w.stores->base + static_cast<uint32_t>(launch.authors.size());
  Author author;
  author.block = w.block->linear;
  author.warp = w.index;
  author.stamp = w.author_stamp;
  launch.authors.push_back(author);
  w.block->unreleased.push_back(w.author);
}

void WatchStores(Warp& w, Span* span) {
  if (w.parts == nullptr) return w.launch->memory->WatchStores(span, w.stores->unit_shift);
  w.parts->WatchStores(w.launch->part, span);
}

void ReleaseStores(Warp& w) {
  std::vector<uint32_t>& waiting = w.block->unreleased;
  if (waiting.empty()) return;
  const uint32_t now = ++w.stores->clock;
  std::erase_if(waiting, [&](uint32_t number) {
    Author& author = w.launch->authors[number - w.stores->base];
    const bool before = author.warp == w.index || author.stamp < w.race->seen[w.index][author.warp];
    if (before) author.released = now;
    return before;
  });
}

bool IsPlainStoreOfBlock(const Warp& w, uint32_t mark) {
  return (mark & kAtomicStore) == 0 &&
         w.launch->authors[mark - w.stores->base].block == w.block->linear;
}

void CheckAuthors(Warp& w, const Op& op, int lane, const Span& span, uint64_t offset,
                  uint32_t bytes, StoreAccess access, const char* fresh) {
  const uint32_t shift = w.stores->unit_shift;
  const uint64_t from = offset >> shift, to = (offset + bytes - 1) >> shift;
  for (uint64_t unit = from; unit <= to; ++unit) {
    const bool atomic_store = (span.authors[unit] & kAtomicStore) != 0;
    const uint32_t number = span.authors[unit] & ~kAtomicStore;
    if (number < w.stores->base || (atomic_store && access != StoreAccess::kStore)) continue;
    const Author& author = w.launch->authors[number - w.stores->base];
    if (IsOrdered(w, author)) continue;
    const uint64_t at = unit << shift;
    const bool same = fresh != nullptr && at >= offset &&
                      std::memcmp(span.host + at, fresh + (at - offset), size_t{1} << shift) == 0;
    if (same) continue;
    NoteGlobalRace(w, op, lane, span.start + at, author, access, atomic_store);
    return;
  }
}

}  // namespace kw::eval::emu
