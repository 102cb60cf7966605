// Device memory: allocations at addresses of their own, never reused, with gaps between them.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kw/base/error.h"
#include "warp.h"

namespace kw::eval::emu {

// Where device addresses lie. Host code sees them as pointers that must not be touched.
inline constexpr uint64_t kDeviceBase = uint64_t{1} << 45;
inline constexpr uint64_t kDeviceBytes = uint64_t{1} << 44;
// What all allocations together may take of this machine.
inline constexpr uint64_t kMaxLiveBytes = uint64_t{16} << 30;

class DeviceMemory {
 public:
  // Unless `watched`, fresh memory counts as written.
  DeviceMemory(uint64_t seed, uint64_t device_bytes, bool watched = true);
  ~DeviceMemory();
  DeviceMemory(const DeviceMemory&) = delete;
  DeviceMemory& operator=(const DeviceMemory&) = delete;

  // Zeroed pages for the authors of an allocation's units.
  class AuthorMap {
   public:
    AuthorMap() = default;
    ~AuthorMap() { Clear(); }
    AuthorMap(const AuthorMap&) = delete;
    AuthorMap& operator=(const AuthorMap&) = delete;
    // Room for that many units, or nullptr where the machine has none.
    uint32_t* Reserve(uint64_t units);
    void Clear();

   private:
    void* pages_ = nullptr;
    uint64_t bytes_ = 0;
  };

  // An allocation as one part of a launch sees it (launch_parts.h).
  struct View {
    Span span;
    std::vector<uint8_t> written;
    std::vector<uint64_t> loaded, stored;  // behind span.touched and span.stored
    AuthorMap authors;
    uint64_t launch = 0;  // its number
  };
  struct Entry {
    Span span;
    std::string name;
    bool internal = false;          // not the caller's: does not count as live
    std::vector<uint8_t> written;   // behind span.written
    std::vector<uint64_t> touched;  // behind span.touched and span.stored
    AuthorMap authors;              // behind span.authors
    std::vector<std::unique_ptr<View>> views;
    std::vector<bool> kept;  // pieces that LaunchParts has kept
  };

  Result<Entry*> Allocate(uint64_t bytes, std::string name, bool internal = false);
  Result<void> Free(uint64_t address);
  Result<void> Write(uint64_t address, std::string_view bytes);
  Result<void> Read(uint64_t address, char* to, uint64_t bytes) const;
  Result<void> Fill(uint64_t address, uint8_t value, uint64_t bytes);
  Result<void> Poison(uint64_t address);

  // The live or freed allocation that holds an address, or nullptr.
  Entry* Holding(uint64_t address);
  const Entry* Holding(uint64_t address) const;
  // The nearest allocation below and above an address that lies in none.
  std::pair<const Entry*, const Entry*> Around(uint64_t address) const;
  // A live one that holds all of [address, address + bytes).
  Span* Find(uint64_t address, uint64_t bytes);

  // Forgets what was touched and stored, and gives the number of the launch's first author.
  uint32_t BeginLaunch();
  // How many authors the launch had.
  void EndLaunch(size_t authors);
  // Authors are kept for this allocation until the next launch.
  void WatchStores(Span* span, uint32_t unit_shift);
  uint64_t Touched() const;  // distinct sectors since then
  uint64_t launches() const { return launches_; }
  std::deque<Entry>& entries() { return entries_; }
  uint64_t live_bytes() const { return live_bytes_; }
  uint32_t poison_word() const { return poison_; }
  void FillPoison(char* to, uint64_t bytes) const;

 private:
  Result<Entry*> Range(uint64_t address, uint64_t bytes, std::string_view doing);
  void MakeUnwritten(Entry& entry);

  std::deque<Entry> entries_;  // by address
  uint64_t next_ = kDeviceBase;
  uint64_t seed_;
  uint64_t device_bytes_;
  bool watched_;
  uint64_t live_bytes_ = 0;
  uint64_t count_ = 0;
  uint32_t poison_;
  uint32_t next_author_ = 1;
  uint64_t launches_ = 0;
};

}  // namespace kw::eval::emu
