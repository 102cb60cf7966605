// DeviceService: memory and copies.
#include <fmt/format.h>

#include <algorithm>

#include "cuda_errors.h"
#include "device_service.h"

namespace kw::eval {

using Status = CallOutcome::Status;

namespace {

constexpr size_t kMaxPinned = 4096;
constexpr uint64_t kCopyPiece = 4 << 20;

const char* AllocatedBy(uint64_t kind, uint64_t stream) {
  if (kind == static_cast<uint64_t>(ring::Memory::kManaged)) return "cudaMallocManaged";
  if (kind == static_cast<uint64_t>(ring::Memory::kMapped)) return "cudaHostAlloc";
  return stream ? "cudaMallocAsync" : "cudaMalloc";
}

}  // namespace

std::optional<Emulator::Allocation> DeviceService::FindMemory(uint64_t address) const {
  if (auto memory = emulator_.FindAllocation(address)) return memory;
  auto symbol = symbols_.upper_bound(address);
  if (symbol == symbols_.begin()) return std::nullopt;
  --symbol;
  if (address - symbol->first >= symbol->second) return std::nullopt;
  return Emulator::Allocation{symbol->first, symbol->second, "a device variable"};
}

std::optional<std::string> DeviceService::AreaFault(const Area& area) const {
  auto memory = FindMemory(area.address);
  if (!memory) return fmt::format("0x{:x} is no device memory", area.address);
  uint64_t room = memory->bytes - (area.address - memory->start);
  // rows * pitch cannot overflow once both are below the room.
  bool fits = area.width <= room && area.rows <= room &&
              (area.rows == 1 ||
               (area.pitch <= room &&
                (area.rows - 1) <= (room - area.width) / std::max<uint64_t>(1, area.pitch)));
  if (fits) return std::nullopt;
  if (area.rows == 1) {
    return fmt::format("{} bytes at byte {} of {}, which has {}", area.width,
                       area.address - memory->start, memory->name, memory->bytes);
  }
  return fmt::format("{} rows of {} bytes, {} apart, at byte {} of {}, which has {}", area.rows,
                     area.width, area.pitch, area.address - memory->start, memory->name,
                     memory->bytes);
}

bool DeviceService::WritesInput(const Area& area, const char* how) {
  auto memory = FindMemory(area.address);
  if (!memory) return false;
  for (const Buffer& buffer : buffers_) {
    if (buffer.spec.output || buffer.address != memory->start) continue;
    Hazard hazard;
    hazard.kind = "input_written";
    hazard.kernel = how;
    hazard.address = area.address;
    hazard.text = fmt::format("{} writes to the input '{}': inputs must stay as they are", how,
                              buffer.spec.name);
    outcome_.hazards.push_back(std::move(hazard));
    return true;
  }
  return false;
}

ServiceReply DeviceService::Allocate(uint64_t bytes, uint64_t stream, uint64_t site,
                                     uint64_t kind) {
  if (stream != 0 && !timeline_.HasStream(stream)) return ErrorReply(kCudaInvalidResourceHandle);
  uint64_t live = emulator_.live_bytes();
  auto device = static_cast<uint64_t>(sheet_.memory_bytes);
  if (bytes == 0 || bytes > device || live > device - bytes) {
    tracker_.Refused(
        kCudaMemoryAllocation,
        fmt::format("{} bytes beside {} in use; the device has {}", bytes, live, device));
    return ErrorReply(kCudaMemoryAllocation);
  }
  if (bytes > memory_limit_ || live > memory_limit_ - bytes) {
    Stop(
        Status::kUnsupported,
        fmt::format("{} bytes of device memory are asked for beside {} in use; this emulator lends "
                    "{}",
                    bytes, live, memory_limit_),
        kCudaMemoryAllocation);
    return ErrorReply(kCudaMemoryAllocation);
  }
  const std::string name = fmt::format("{} {}", AllocatedBy(kind, stream), ++allocations_made_);
  auto address = emulator_.Allocate(bytes, name);
  if (!address) return ErrorReply(kCudaMemoryAllocation);
  owned_[*address] = bytes;
  if (program_) tracker_.Allocated(*address, name, bytes, site);
  ServiceReply reply;
  reply.values[0] = *address;
  return reply;
}

ServiceReply DeviceService::NotOwned(uint64_t address) {
  const bool again = freed_.contains(address);
  tracker_.Refused(kCudaInvalidValue,
                   fmt::format("0x{:x} {}", address,
                               again ? "was freed before" : "is no allocation of this program"));
  if (!program_) {
    Hazard hazard;
    hazard.kind = again ? "double_free" : "invalid_free";
    hazard.address = address;
    hazard.text = again ? fmt::format(
                              "frees 0x{:x}, which it has freed before: free each allocation once, "
                              "and set its pointer to nullptr",
                              address)
                        : fmt::format(
                              "frees 0x{:x}, which it has not allocated: inputs and outputs belong "
                              "to the caller",
                              address);
    outcome_.hazards.push_back(std::move(hazard));
  }
  return ErrorReply(kCudaInvalidValue);
}

ServiceReply DeviceService::Free(uint64_t address) {
  // As on hardware: freeing waits for the device, so work that still uses the memory is done.
  timeline_.SynchronizeAll();
  if (owned_.erase(address) == 0) return NotOwned(address);
  freed_.insert(address);
  tracker_.Freed(address);
  RunFree(address);
  return {};
}

ServiceReply DeviceService::FreeAsync(uint64_t address, uint64_t stream) {
  if (!timeline_.HasStream(stream)) return ErrorReply(kCudaInvalidResourceHandle);
  if (owned_.erase(address) == 0) return NotOwned(address);
  freed_.insert(address);
  tracker_.Freed(address);
  if (!Enqueue(stream, 0, [this, address] { RunFree(address); })) return ErrorReply(kCudaUnknown);
  return {};
}

void DeviceService::RunFree(uint64_t address) {
  from_host_.erase(address);
  // It was the guest's own until now; only a bug here could make this fail.
  if (auto freed = emulator_.Free(address); !freed) StopAtFault(freed.error().message);
}

ServiceReply DeviceService::CopyIn(const Area& to, uint64_t stream, bool wait,
                                   std::string_view body) {
  if (!timeline_.HasStream(stream)) {
    return Refused(kCudaInvalidResourceHandle, "a copy to the device: no such stream");
  }
  if (to.rows == 0 || to.width == 0 || body.size() / to.width != to.rows ||
      body.size() % to.width != 0) {
    Stop(Status::kProtocol, "the guest's copy does not have the size that it says", kCudaUnknown);
    return ErrorReply(kCudaUnknown);
  }
  if (auto fault = AreaFault(to)) {
    return Refused(kCudaInvalidValue, "a copy to the device: " + *fault);
  }
  if (WritesInput(to, "a copy from the host")) return {};
  outcome_.host_to_device_bytes += body.size();
  NoteWorkAfterCopyOut(body.size());
  auto write = [this, to, bytes = std::string(body)] {
    RunWrite(to, bytes);
    if (auto memory = emulator_.FindAllocation(to.address)) from_host_.insert(memory->start);
  };
  if (!Enqueue(stream, body.size(), std::move(write))) return ErrorReply(kCudaUnknown);
  if (wait) timeline_.Synchronize(stream);
  return {};
}

void DeviceService::NoteWorkAfterCopyOut(uint64_t bytes) {
  if (outcome_.device_to_host_bytes == 0) return;
  worked_after_copy_out_ = true;
  brought_up_bytes_ += bytes;
}

void DeviceService::RunWrite(const Area& to, const std::string& bytes) {
  if (!Moves(bytes.size())) return;
  for (uint64_t row = 0; row < to.rows; ++row) {
    auto wrote = emulator_.Write(to.address + row * to.pitch,
                                 std::string_view(bytes).substr(row * to.width, to.width));
    if (!wrote) return StopAtFault(wrote.error().message);
  }
}

ServiceReply DeviceService::CopyOut(const Area& from, uint64_t stream) {
  if (!timeline_.HasStream(stream)) {
    return Refused(kCudaInvalidResourceHandle, "a copy to the host: no such stream");
  }
  if (from.rows == 0 || from.width == 0 || from.width > ring::kBodyBytes ||
      from.rows > ring::kBodyBytes / from.width) {
    Stop(Status::kProtocol, "the guest asks for more than the ring holds", kCudaUnknown);
    return ErrorReply(kCudaUnknown);
  }
  if (auto fault = AreaFault(from)) {
    return Refused(kCudaInvalidValue, "a copy to the host: " + *fault);
  }
  timeline_.Synchronize(stream);
  ServiceReply reply;
  if (fatal_ || !Moves(from.width * from.rows)) return reply;
  reply.body.resize(from.width * from.rows);
  for (uint64_t row = 0; row < from.rows; ++row) {
    auto read = emulator_.Read(from.address + row * from.pitch,
                               reply.body.data() + row * from.width, from.width);
    if (!read) return Refused(kCudaInvalidValue, "a copy to the host: " + read.error().message);
  }
  outcome_.device_to_host_bytes += reply.body.size();
  return reply;
}

ServiceReply DeviceService::CopyDevice(const Area& to, const Area& from, uint64_t stream) {
  if (!timeline_.HasStream(stream)) {
    return Refused(kCudaInvalidResourceHandle, "a copy on the device: no such stream");
  }
  if (to.rows == 0 || to.width == 0) return ErrorReply(kCudaInvalidValue);
  for (const Area& area : {to, from}) {
    if (auto fault = AreaFault(area)) {
      return Refused(kCudaInvalidValue, "a copy on the device: " + *fault);
    }
  }
  if (WritesInput(to, "a copy on the device")) return {};
  if (!Enqueue(stream, 0, [this, to, from] { RunCopy(to, from); })) return ErrorReply(kCudaUnknown);
  return {};
}

void DeviceService::RunCopy(const Area& to, const Area& from) {
  if (!Moves(to.width * to.rows)) return;
  ++outcome_.device_moves;
  outcome_.device_moved_bytes += 2 * to.width * to.rows;
  std::string piece;
  for (uint64_t row = 0; row < to.rows; ++row) {
    for (uint64_t x = 0; x < to.width; x += kCopyPiece) {
      piece.resize(std::min(kCopyPiece, to.width - x));
      auto moved = emulator_.Read(from.address + row * from.pitch + x, piece.data(), piece.size());
      if (moved) moved = emulator_.Write(to.address + row * to.pitch + x, piece);
      if (!moved) return StopAtFault(moved.error().message);
    }
  }
  auto target = emulator_.FindAllocation(to.address),
       source = emulator_.FindAllocation(from.address);
  if (!target) return;
  if (source && from_host_.contains(source->start)) {
    from_host_.insert(target->start);
  } else {
    from_host_.erase(target->start);
  }
}

ServiceReply DeviceService::FillArea(const Area& to, uint8_t value, uint64_t stream) {
  if (!timeline_.HasStream(stream)) {
    return Refused(kCudaInvalidResourceHandle, "cudaMemset: no such stream");
  }
  if (to.rows == 0 || to.width == 0) return ErrorReply(kCudaInvalidValue);
  if (auto fault = AreaFault(to)) return Refused(kCudaInvalidValue, "cudaMemset: " + *fault);
  if (WritesInput(to, "cudaMemset")) return {};
  if (!Enqueue(stream, 0, [this, to, value] { RunFill(to, value); }))
    return ErrorReply(kCudaUnknown);
  return {};
}

void DeviceService::RunFill(const Area& to, uint8_t value) {
  if (!Moves(to.width * to.rows)) return;
  ++outcome_.device_moves;
  outcome_.device_moved_bytes += to.width * to.rows;
  for (uint64_t row = 0; row < to.rows; ++row) {
    auto filled = emulator_.Fill(to.address + row * to.pitch, value, to.width);
    if (!filled) return StopAtFault(filled.error().message);
  }
  if (auto memory = emulator_.FindAllocation(to.address)) from_host_.erase(memory->start);
}

ServiceReply DeviceService::MemoryInfo() const {
  ServiceReply reply;
  uint64_t live = emulator_.live_bytes();
  reply.values[0] = live < memory_limit_ ? memory_limit_ - live : 0;
  reply.values[1] = static_cast<uint64_t>(sheet_.memory_bytes);
  return reply;
}

ServiceReply DeviceService::PointerInfo(uint64_t address) const {
  ServiceReply reply;
  if (auto memory = FindMemory(address)) {
    reply.values[0] = 1;
    reply.values[1] = memory->start;
    return reply;
  }
  auto range = pinned_.upper_bound(address);
  if (range != pinned_.begin() && address - std::prev(range)->first < std::prev(range)->second) {
    reply.values[0] = 2;
    reply.values[1] = std::prev(range)->first;
  }
  return reply;
}

ServiceReply DeviceService::Pinned(uint64_t address, uint64_t bytes) {
  if (bytes == 0)
    return ErrorReply(pinned_.erase(address) ? kCudaSuccess : kCudaHostMemoryNotRegistered);
  if (ring::IsDeviceAddress(address) || address + bytes < address)
    return ErrorReply(kCudaInvalidValue);
  if (pinned_.size() >= kMaxPinned) return ErrorReply(kCudaMemoryAllocation);
  auto next = pinned_.lower_bound(address);
  bool overlaps =
      (next != pinned_.end() && next->first < address + bytes) ||
      (next != pinned_.begin() && address - std::prev(next)->first < std::prev(next)->second);
  if (overlaps) return ErrorReply(kCudaHostMemoryAlreadyRegistered);
  pinned_[address] = bytes;
  return {};
}

}  // namespace kw::eval
