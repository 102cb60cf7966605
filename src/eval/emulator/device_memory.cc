#include "device_memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "fmt/format.h"
#include "kw/base/hash.h"

namespace kw::eval::emu {
namespace {

constexpr uint64_t kAlign = 256;
constexpr uint64_t kGuard = 1 << 16;

uint64_t Mapped(uint64_t bytes) { return (bytes + 4095) / 4096 * 4096; }

}  // namespace

DeviceMemory::DeviceMemory(uint64_t seed, uint64_t device_bytes, bool watched)
    : seed_(seed), device_bytes_(device_bytes), watched_(watched) {
  const uint64_t bits = DeriveSeed(seed, "poison");
  // A NaN as float, half and bfloat16 alike: exponents all ones, and a mantissa.
  const uint32_t half = 0x7fc0 | (bits & 0x3f) | (bits & 0x8000);
  poison_ = half << 16 | half;
  next_ = kDeviceBase + (DeriveSeed(seed, "addresses") % (uint64_t{1} << 20)) * 4096;
}

DeviceMemory::~DeviceMemory() {
  for (Entry& entry : entries_) {
    if (entry.span.live) munmap(entry.span.host, Mapped(entry.span.bytes));
  }
}

void DeviceMemory::FillPoison(char* to, uint64_t bytes) const {
  uint64_t i = 0;
  for (; i + 4 <= bytes; i += 4) std::memcpy(to + i, &poison_, 4);
  for (; i < bytes; ++i) to[i] = static_cast<char>(poison_ >> (8 * (i & 3)));
}

void DeviceMemory::MakeUnwritten(Entry& entry) {
  FillPoison(entry.span.host, entry.span.bytes);
  if (!watched_) return;
  entry.written.assign(entry.span.bytes / 8 + 1, 0);
  entry.span.written = entry.written.data();
  entry.span.unwritten = entry.span.bytes;
}

Result<DeviceMemory::Entry*> DeviceMemory::Allocate(uint64_t bytes, std::string name,
                                                    bool internal) {
  bytes = std::max<uint64_t>(bytes, 1);
  const uint64_t limit =
      std::min(kMaxLiveBytes, device_bytes_ == 0 ? kMaxLiveBytes : device_bytes_);
  if (bytes > limit || live_bytes_ + bytes > limit ||
      next_ + bytes + kGuard > kDeviceBase + kDeviceBytes) {
    return Fail(ErrorCode::kLimit,
                fmt::format("cudaErrorMemoryAllocation: {} bytes for {} on top of {}", bytes, name,
                            live_bytes_));
  }
  void* host =
      mmap(nullptr, Mapped(bytes), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (host == MAP_FAILED) {
    return Fail(ErrorCode::kLimit, fmt::format("cudaErrorMemoryAllocation: this machine has no "
                                               "{} bytes for {}",
                                               bytes, name));
  }
  // All of it is written below: where the system grants large pages, that takes half as long.
  madvise(host, Mapped(bytes), MADV_HUGEPAGE);
  Entry& entry = entries_.emplace_back();
  entry.name = std::move(name);
  entry.span.start = next_;
  entry.span.bytes = bytes;
  entry.span.host = static_cast<char*>(host);
  entry.touched.assign(bytes / 2048 + 1, 0);
  entry.span.touched = entry.span.stored = entry.touched.data();
  MakeUnwritten(entry);
  entry.internal = internal;
  if (!internal) live_bytes_ += bytes;
  const uint64_t jitter = DeriveSeed(seed_ + ++count_, "gap") % 64 * kAlign;
  next_ = (next_ + bytes + kGuard + kAlign - 1) / kAlign * kAlign + jitter;
  return &entry;
}

Result<void> DeviceMemory::Free(uint64_t address) {
  Entry* entry = Holding(address);
  if (entry == nullptr || entry->span.start != address || !entry->span.live || entry->internal) {
    return Fail(
        ErrorCode::kInvalid,
        fmt::format("cudaErrorInvalidValue: {:#x} is not the start of an allocation", address));
  }
  munmap(entry->span.host, Mapped(entry->span.bytes));
  entry->span.host = nullptr;
  entry->span.live = false;
  entry->span.written = nullptr;
  entry->written = {};
  entry->touched = {};
  entry->stored = {};
  entry->authors.Clear();
  entry->span.authors = nullptr;
  entry->views.clear();
  live_bytes_ -= entry->span.bytes;
  return {};
}

const DeviceMemory::Entry* DeviceMemory::Holding(uint64_t address) const {
  const auto after =
      std::upper_bound(entries_.begin(), entries_.end(), address,
                       [](uint64_t a, const Entry& entry) { return a < entry.span.start; });
  if (after == entries_.begin()) return nullptr;
  const Entry& entry = *std::prev(after);
  return address - entry.span.start < entry.span.bytes ? &entry : nullptr;
}

DeviceMemory::Entry* DeviceMemory::Holding(uint64_t address) {
  return const_cast<Entry*>(std::as_const(*this).Holding(address));
}

std::pair<const DeviceMemory::Entry*, const DeviceMemory::Entry*> DeviceMemory::Around(
    uint64_t address) const {
  const auto after =
      std::upper_bound(entries_.begin(), entries_.end(), address,
                       [](uint64_t a, const Entry& entry) { return a < entry.span.start; });
  return {after == entries_.begin() ? nullptr : &*std::prev(after),
          after == entries_.end() ? nullptr : &*after};
}

Span* DeviceMemory::Find(uint64_t address, uint64_t bytes) {
  Entry* entry = Holding(address);
  if (entry == nullptr || !entry->span.live) return nullptr;
  const uint64_t offset = address - entry->span.start;
  return entry->span.bytes - offset >= bytes ? &entry->span : nullptr;
}

Result<DeviceMemory::Entry*> DeviceMemory::Range(uint64_t address, uint64_t bytes,
                                                 std::string_view doing) {
  Entry* entry = Holding(address);
  if (entry == nullptr) {
    return Fail(ErrorCode::kInvalid, fmt::format("cudaErrorInvalidValue: {}: {:#x} is no device "
                                                 "memory",
                                                 doing, address));
  }
  if (!entry->span.live) {
    return Fail(ErrorCode::kInvalid,
                fmt::format("cudaErrorInvalidValue: {}: {} was freed", doing, entry->name));
  }
  const uint64_t offset = address - entry->span.start;
  if (entry->span.bytes - offset < bytes) {
    return Fail(ErrorCode::kInvalid,
                fmt::format("cudaErrorInvalidValue: {}: {} bytes at byte {} of {}, which has {}",
                            doing, bytes, offset, entry->name, entry->span.bytes));
  }
  return entry;
}

namespace {

void MarkRange(DeviceMemory::Entry& entry, uint64_t offset, uint64_t bytes) {
  if (entry.span.written == nullptr) return;
  if (bytes == entry.span.bytes) {
    entry.span.unwritten = 0;
  } else {
    for (uint64_t i = offset; i < offset + bytes;) {
      uint8_t& byte = entry.written[i >> 3];
      if ((i & 7) == 0 && offset + bytes - i >= 8) {
        entry.span.unwritten -= static_cast<uint64_t>(8 - __builtin_popcount(byte));
        byte = 0xff;
        i += 8;
      } else {
        entry.span.unwritten -= (byte >> (i & 7) & 1) == 0;
        byte = static_cast<uint8_t>(byte | 1 << (i & 7));
        ++i;
      }
    }
  }
  if (entry.span.unwritten == 0) entry.span.written = nullptr;
}

}  // namespace

Result<void> DeviceMemory::Write(uint64_t address, std::string_view bytes) {
  if (bytes.empty()) return {};
  KW_ASSIGN(Entry * entry, Range(address, bytes.size(), "writing"));
  const uint64_t offset = address - entry->span.start;
  std::memcpy(entry->span.host + offset, bytes.data(), bytes.size());
  MarkRange(*entry, offset, bytes.size());
  return {};
}

Result<void> DeviceMemory::Read(uint64_t address, char* to, uint64_t bytes) const {
  if (bytes == 0) return {};
  KW_ASSIGN(Entry * entry, const_cast<DeviceMemory*>(this)->Range(address, bytes, "reading"));
  std::memcpy(to, entry->span.host + (address - entry->span.start), bytes);
  return {};
}

Result<void> DeviceMemory::Fill(uint64_t address, uint8_t value, uint64_t bytes) {
  if (bytes == 0) return {};
  KW_ASSIGN(Entry * entry, Range(address, bytes, "filling"));
  const uint64_t offset = address - entry->span.start;
  std::memset(entry->span.host + offset, value, bytes);
  MarkRange(*entry, offset, bytes);
  return {};
}

Result<void> DeviceMemory::Poison(uint64_t address) {
  KW_ASSIGN(Entry * entry, Range(address, 1, "poisoning"));
  MakeUnwritten(*entry);
  return {};
}

uint32_t* DeviceMemory::AuthorMap::Reserve(uint64_t units) {
  const uint64_t bytes = Mapped(units * sizeof(uint32_t));
  if (bytes > bytes_) {
    Clear();
    void* pages = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (pages == MAP_FAILED) return nullptr;
    pages_ = pages;
    bytes_ = bytes;
  }
  return static_cast<uint32_t*>(pages_);
}

void DeviceMemory::AuthorMap::Clear() {
  if (pages_ != nullptr) munmap(pages_, bytes_);
  pages_ = nullptr;
  bytes_ = 0;
}

uint32_t DeviceMemory::BeginLaunch(bool apart) {
  // Numbers go on from launch to launch, so that old ones need not be wiped, until they run out.
  const bool fresh = next_author_ > kAtomicStore / 2;
  if (fresh) next_author_ = 1;
  for (Entry& entry : entries_) {
    std::fill(entry.touched.begin(), entry.touched.end(), 0);
    entry.stored.assign(apart ? entry.touched.size() : 0, 0);
    entry.span.stored = apart ? entry.stored.data() : entry.touched.data();
    entry.span.reported = false;
    entry.span.authors = nullptr;
    if (!fresh) continue;
    entry.authors.Clear();
    entry.views.clear();
  }
  ++launches_;
  return next_author_;
}

void DeviceMemory::EndLaunch(size_t authors) { next_author_ += static_cast<uint32_t>(authors); }

void DeviceMemory::WatchStores(Span* span, uint32_t unit_shift) {
  Entry* entry = Holding(span->start);
  span->authors = entry->authors.Reserve((span->bytes >> unit_shift) + 1);
}

uint64_t DeviceMemory::Touched(double factor) const {
  uint64_t sectors = 0;
  for (const Entry& entry : entries_) {
    uint64_t own = 0;
    for (size_t i = 0; i < entry.touched.size(); ++i) {
      own += static_cast<uint64_t>(__builtin_popcountll(entry.touched[i] | entry.span.stored[i]));
    }
    const uint64_t all = (entry.span.bytes + 31) / 32;
    sectors +=
        factor == 1
            ? own
            : std::min(all, static_cast<uint64_t>(std::ceil(static_cast<double>(own) * factor)));
  }
  return sectors;
}

}  // namespace kw::eval::emu
