// DeviceService: a call of `run`, from its buffers to its outcome.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "cuda_errors.h"
#include "device_service.h"
#include "kw/base/hash.h"

namespace kw::eval {

using Status = CallOutcome::Status;

namespace {
constexpr uint64_t kComparePiece = 4 << 20;
// Below these, what goes down and up is sizes, flags and maxima.
constexpr uint64_t kLeastCopiedDown = 16 << 10, kLeastBroughtUp = 1 << 10;
}  // namespace

bool DeviceService::HasSizesOf(const std::vector<BufferSpec>& buffers) const {
  return std::equal(buffers_.begin(), buffers_.end(), buffers.begin(), buffers.end(),
                    [](const Buffer& kept, const BufferSpec& spec) {
                      return kept.spec.output == spec.output && kept.spec.bytes == spec.bytes;
                    });
}

void DeviceService::FreeBuffers() {
  for (const Buffer& buffer : buffers_) {
    // The allocation is ours and is freed once: this cannot fail.
    (void)emulator_.Free(buffer.address);
  }
  buffers_.clear();
}

Result<uint64_t> DeviceService::PlaceBuffer(const BufferSpec& spec) {
  auto address = emulator_.Allocate(std::max<uint64_t>(1, spec.bytes), spec.name);
  if (!address) {
    return Fail(address.error().code, fmt::format("no device memory for '{}' ({} bytes): {}",
                                                  spec.name, spec.bytes, address.error().message));
  }
  KW_CHECK(ring::IsDeviceAddress(*address), "device memory lies where the guest reserves it");
  return *address;
}

BeganMessage DeviceService::Begin(const BeginMessage& begin, std::string_view exchange) {
  BeganMessage began;
  outcome_ = {};
  refused_.clear();
  note_.clear();
  timeline_.Reseed(DeriveSeed(begin.seed, "streams"));
  emulator_.SetBudget(begin.budget);
  if (begin.sampling) emulator_.BeginSampling(*begin.sampling);
  moved_bytes_ = brought_up_bytes_ = 0;
  worked_after_copy_out_ = false;
  std::vector<uint64_t> places;
  if (begin.reuse_buffers && HasSizesOf(begin.buffers)) {
    for (const Buffer& buffer : buffers_) places.push_back(buffer.address);
    buffers_.clear();
  } else {
    FreeBuffers();
    for (const BufferSpec& spec : begin.buffers) {
      auto address = PlaceBuffer(spec);
      if (!address) {
        began.text = address.error().message;
        return began;
      }
      places.push_back(*address);
    }
  }
  for (size_t i = 0; i < begin.buffers.size(); ++i) {
    const BufferSpec& spec = begin.buffers[i];
    Buffer buffer{spec, places[i], {}};
    Result<void> prepared = emulator_.Poison(buffer.address);
    if (prepared && spec.output) {
      buffer.poison.resize(spec.bytes);
      prepared = emulator_.Read(buffer.address, buffer.poison.data(), spec.bytes);
    } else if (prepared) {
      prepared = emulator_.Write(buffer.address, exchange.substr(spec.offset, spec.bytes));
      if (prepared) prepared = emulator_.Protect(buffer.address);
    }
    if (!prepared) {
      began.text = fmt::format("the buffer '{}': {}", spec.name, prepared.error().message);
      return began;
    }
    began.addresses.push_back(buffer.address);
    buffers_.push_back(std::move(buffer));
  }
  call_stream_ = timeline_.CreateStream(true, 0);
  began.stream = call_stream_;
  began.ok = true;
  return began;
}

CallOutcome DeviceService::End(const EndMessage& end, char* exchange) {
  if (end.drain && !fatal_ && timeline_.HasStream(call_stream_)) {
    timeline_.Synchronize(call_stream_);
  }
  if (program_) FinishProgram();
  TakeSample();
  TakeHazards();
  outcome_.printed = emulator_.TakePrintf();
  if (!fatal_ && end.drain) {
    CheckInputs(exchange);
    ReadOutputs(exchange);
  }
  if (fatal_) {
    outcome_.status = fatal_->status;
    outcome_.message = fatal_->message;
  } else if (!refused_.empty()) {
    outcome_.status = Status::kLaunchFailed;
    outcome_.message = refused_;
  } else {
    outcome_.message = LeftUndone();
    if (!note_.empty()) {
      outcome_.message += (outcome_.message.empty() ? "" : "; ") + note_;
    }
  }
  for (const Buffer& buffer : buffers_) from_host_.erase(buffer.address);
  outcome_.kept_allocations = owned_.size();
  for (const auto& [address, bytes] : owned_) outcome_.kept_bytes += bytes;
  timeline_.DestroyStream(call_stream_);
  call_stream_ = 0;
  return std::exchange(outcome_, {});
}

// From here on memory may be read without harm.
void DeviceService::TakeSample() {
  SampledStores stores = emulator_.EndSampling();
  if (stores.runs.empty() && stores.unusable.empty()) return;
  SampledCall& sampled = outcome_.sampled.emplace();
  sampled.unusable = std::move(stores.unusable);
  for (const Buffer& buffer : buffers_) {
    if (!buffer.spec.output) continue;
    const auto runs = stores.runs.find(buffer.address);
    // What no sampled launch has stored to is whole.
    sampled.stored.push_back(runs == stores.runs.end() ? ByteRuns{{0, buffer.spec.bytes}}
                                                       : std::move(runs->second));
  }
}

// What a program queued and never waited for runs all the same, to be checked.
void DeviceService::FinishProgram() {
  const uint64_t left_undone = fatal_ ? 0 : timeline_.pending();
  if (left_undone > 0) timeline_.SynchronizeAll();
  outcome_.program = tracker_.Take(left_undone);
}

void DeviceService::CheckInputs(const char* exchange) {
  std::string now;
  for (const Buffer& buffer : buffers_) {
    if (buffer.spec.output) continue;
    for (uint64_t at = 0; at < buffer.spec.bytes; at += kComparePiece) {
      now.resize(std::min(kComparePiece, buffer.spec.bytes - at));
      auto read = emulator_.Read(buffer.address + at, now.data(), now.size());
      const char* was = exchange + buffer.spec.offset + at;
      if (read && std::memcmp(now.data(), was, now.size()) == 0) continue;
      bool told = std::any_of(outcome_.hazards.begin(), outcome_.hazards.end(),
                              [](const Hazard& hazard) { return hazard.kind == "input_written"; });
      if (!told) {
        Hazard hazard;
        hazard.kind = "input_written";
        hazard.address = buffer.address + at;
        hazard.text = fmt::format("the input '{}' was changed: inputs must stay as they are",
                                  buffer.spec.name);
        outcome_.hazards.push_back(std::move(hazard));
      }
      break;
    }
  }
}

void DeviceService::ReadOutputs(char* exchange) {
  for (const Buffer& buffer : buffers_) {
    if (!buffer.spec.output) continue;
    char* to = exchange + buffer.spec.offset;
    if (auto read = emulator_.Read(buffer.address, to, buffer.spec.bytes); !read) {
      return Stop(Status::kDeviceFault, read.error().message, 0);
    }
    outcome_.output_written.push_back(std::memcmp(to, buffer.poison.data(), buffer.spec.bytes) !=
                                      0);
    if (from_host_.contains(buffer.address)) outcome_.result_from_host = true;
  }
  if (WentThroughHost()) outcome_.result_from_host = true;
}

// Who copies most of the inputs down and works on has computed with them on the host, wherever the
// result went up: as a copy, a device variable, or a kernel's parameters. Who copies as much as the
// outputs down and then up has computed a part there.
bool DeviceService::WentThroughHost() const {
  uint64_t inputs = 0, outputs = 0;
  for (const Buffer& buffer : buffers_)
    (buffer.spec.output ? outputs : inputs) += buffer.spec.bytes;
  const uint64_t down = outcome_.device_to_host_bytes;
  if (worked_after_copy_out_ && down >= kLeastCopiedDown && down >= inputs / 2) return true;
  return brought_up_bytes_ >= kLeastBroughtUp && down >= outputs / 2 &&
         brought_up_bytes_ >= outputs / 2;
}

// Copies and fills are no instructions, so they have a limit of their own.
bool DeviceService::Moves(uint64_t bytes) {
  constexpr uint64_t kMostMoved = 8ULL << 30, kMostMovedByPrograms = 128ULL << 30;
  moved_bytes_ += bytes;
  const uint64_t most = program_ ? kMostMovedByPrograms : kMostMoved;
  if (moved_bytes_ <= most) return true;
  Stop(Status::kDeviceLimit,
       fmt::format("more than {} GiB were copied and filled in one call", most >> 30),
       kCudaLaunchTimeout);
  return false;
}

std::string DeviceService::LeftUndone() const {
  size_t left = timeline_.pending();
  if (left == 0) return "";
  size_t on_default = timeline_.PendingOn(ring::kLegacyStream);
  if (on_default > 0) {
    return fmt::format(
        "{} operation(s) on the default stream were not ordered with the given stream and had not "
        "run when the result was read: pass `stream` to every launch and copy{}",
        on_default,
        blas_on_default_stream_ > 0 ? ", and to cuBLAS by cublasSetStream(handle, stream)" : "");
  }
  return fmt::format(
      "{} operation(s) on other streams were not ordered with the given stream and had not run "
      "when the result was read: join them with an event",
      left);
}

}  // namespace kw::eval
