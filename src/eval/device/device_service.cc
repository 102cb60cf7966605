#include "device_service.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "cuda_errors.h"
#include "kw/base/hash.h"
#include "kw/base/text.h"

namespace kw::eval {

using ring::Op;
using Status = CallOutcome::Status;

namespace {

constexpr size_t kMaxQueued = 1 << 16;
constexpr uint64_t kMaxCaptured = 1ULL << 30;
constexpr size_t kMaxLaunches = 1 << 16;
constexpr size_t kMaxStreams = 1024, kMaxEvents = 1 << 16;
// What static constructors may run on the device.
constexpr uint64_t kLoadBudget = 100'000'000;

ServiceReply Value(uint64_t first, uint64_t second = 0) {
  ServiceReply reply;
  reply.values[0] = first;
  reply.values[1] = second;
  return reply;
}

template <class T>
void AppendBytes(std::string* to, const T& value) {
  to->append(reinterpret_cast<const char*>(&value), sizeof value);
}

// A name from the guest as it may stand in a message.
std::string Printable(std::string_view name) {
  constexpr size_t kShown = 300;
  std::string shown(name.substr(0, kShown));
  for (char& c : shown) {
    if (c < 0x20 || c > 0x7e) c = '?';
  }
  return shown;
}

// The device that most peaks of the sheet come from: lane-instructions a microsecond.
double LanesPerMicrosecond(const DeviceSheet& sheet) {
  return std::max(1.0, sheet.sm_count * 128.0 * sheet.clock_ghz * 1000.0);
}

}  // namespace

DeviceService::DeviceService(OpenMessage open)
    : sheet_(open.sheet),
      emulator_(std::move(open.sheet), open.seed, Emulator::Checks::kAll, open.threads),
      memory_limit_(static_cast<uint64_t>(open.memory_bytes)),
      program_(open.program),
      registers_(std::move(open.registers)) {}

LoadedMessage DeviceService::LoadObject(std::string_view object) {
  LoadedMessage loaded;
  auto images = ReadPtxImages(object);
  if (!images) {
    loaded.text = "the object holds no device code that can be read: " + images.error().message;
    return loaded;
  }
  return LoadPtx(*images);
}

LoadedMessage DeviceService::LoadPtx(const std::vector<std::string>& images) {
  LoadedMessage loaded;
  for (const std::string& ptx : images) {
    auto module = emulator_.LoadModule(ptx);
    if (!module) {
      loaded.unsupported = true;
      loaded.text = "the emulator cannot read the PTX: " + module.error().message;
      return loaded;
    }
    modules_.push_back(*module);
  }
  if (modules_.empty()) {
    loaded.text = "the object holds no PTX: build it for compute_80 (code=compute_80)";
    return loaded;
  }
  emulator_.SetBudget(kLoadBudget);
  loaded.ok = true;
  return loaded;
}

ServiceReply DeviceService::Serve(const ring::Request& request, std::string_view body) {
  ServiceReply reply;
  if (fatal_) {
    reply = ErrorReply(fatal_->error);
  } else if (request.op == 0 || request.op > ring::kOpCount) {
    Stop(Status::kProtocol,
         fmt::format("the guest asked for operation {}, which is none", request.op), kCudaUnknown);
    reply = ErrorReply(kCudaUnknown);
  } else if (body.size() != request.body_bytes || body.size() > ring::kBodyBytes) {
    Stop(Status::kProtocol, fmt::format("the guest sent a body of {} bytes", request.body_bytes),
         kCudaUnknown);
    reply = ErrorReply(kCudaUnknown);
  } else {
    reply = Dispatch(static_cast<Op>(request.op), request.values, body);
  }
  if (fatal_) {
    reply.sticky = fatal_->error;
    if (reply.error == 0) reply.error = fatal_->error;
  }
  return reply;
}

ServiceReply DeviceService::Dispatch(Op op, Values v, std::string_view body) {
  if (op == Op::kCallFailed) {
    if (program_) tracker_.CallFailed(static_cast<int>(v[0]), v[1], Printable(body));
    return {};
  }
  if (op == Op::kErrorLookedAt) {
    if (program_) tracker_.LookedAt(static_cast<int>(v[0]));
    return {};
  }
  tracker_.Went();
  switch (op) {
    case Op::kHello:
      return Hello();
    case Op::kFindKernel:
      return FindKernel(body);
    case Op::kFindSymbol:
      return FindSymbol(body);
    case Op::kAllocate:
      return Allocate(v[0], v[1], v[2], v[3]);
    case Op::kFree:
      return Free(v[0]);
    case Op::kFreeAsync:
      return FreeAsync(v[0], v[1]);
    case Op::kCopyIn:
      return CopyIn({v[0], v[1], v[2], v[3]}, v[4], v[5] != 0, body);
    case Op::kCopyOut:
      return CopyOut({v[0], v[1], v[2], v[3]}, v[4]);
    case Op::kCopyDevice:
      return CopyDevice({v[0], v[1], v[4], v[5]}, {v[2], v[3], v[4], v[5]}, v[6]);
    case Op::kFill:
      return FillArea({v[0], v[1], v[2], v[3]}, static_cast<uint8_t>(v[4]), v[5]);
    case Op::kLaunch:
      return Launch(v, body);
    case Op::kBlas:
      return Blas(v[0], body);
    case Op::kSetMaxDynamicShared:
      return SetMaxDynamicShared(v[0], v[1]);
    case Op::kOccupancy:
      return Occupancy(v);
    case Op::kStreamCreate:
    case Op::kStreamDestroy:
    case Op::kStreamSynchronize:
    case Op::kStreamInfo:
    case Op::kStreamWaitEvent:
    case Op::kDeviceSynchronize:
      return StreamCall(op, v);
    case Op::kEventCreate:
    case Op::kEventDestroy:
    case Op::kEventRecord:
    case Op::kEventSynchronize:
    case Op::kEventElapsed:
      return EventCall(op, v);
    case Op::kMemoryInfo:
      return MemoryInfo();
    case Op::kPointerInfo:
      return PointerInfo(v[0]);
    case Op::kPinned:
      return Pinned(v[0], v[1]);
    case Op::kUnsupported:
    case Op::kCallFailed:
    case Op::kErrorLookedAt:
      break;
  }
  Stop(Status::kUnsupported, "the emulator does not have " + Printable(body), kCudaNotSupported);
  return ErrorReply(kCudaNotSupported);
}

ServiceReply DeviceService::Hello() const {
  ring::DeviceFacts facts{};
  std::snprintf(facts.name, sizeof facts.name, "%s", sheet_.title.c_str());
  facts.sm = sheet_.sm;
  facts.sm_count = sheet_.sm_count;
  facts.clock_khz = static_cast<int32_t>(sheet_.clock_ghz * 1e6);
  facts.max_threads_per_block = sheet_.max_threads_per_block;
  facts.max_threads_per_sm = sheet_.max_threads_per_sm;
  facts.max_blocks_per_sm = sheet_.max_blocks_per_sm;
  facts.registers_per_sm = sheet_.registers_per_sm;
  facts.shared_per_block = sheet_.shared_per_block;
  facts.shared_per_block_optin = sheet_.shared_per_block_optin;
  facts.shared_per_sm = sheet_.shared_per_sm;
  facts.memory_bytes = static_cast<uint64_t>(sheet_.memory_bytes);
  facts.l2_bytes = static_cast<uint64_t>(sheet_.l2_bytes);
  facts.program = program_;
  ServiceReply reply;
  AppendBytes(&reply.body, facts);
  return reply;
}

ServiceReply DeviceService::FindKernel(std::string_view name) {
  if (name.empty() || name.size() > ring::kMaxName) return ErrorReply(kCudaInvalidDeviceFunction);
  auto known = std::find_if(kernels_.begin(), kernels_.end(),
                            [name](const Kernel& kernel) { return kernel.name == name; });
  if (known == kernels_.end()) {
    for (int module : modules_) {
      auto info = emulator_.FindKernel(module, std::string(name));
      if (!info) continue;
      if (auto found = registers_.find(name); found != registers_.end()) {
        info->registers = found->second;
      }
      kernels_.push_back({module, std::string(name), std::move(*info), 0});
      known = kernels_.end() - 1;
      break;
    }
  }
  if (known == kernels_.end()) {
    return Refused(kCudaInvalidDeviceFunction,
                   fmt::format("the object's PTX has no kernel '{}'", Printable(name)));
  }
  const Emulator::KernelInfo& info = known->info;
  ring::KernelFacts facts{};
  facts.parameter_bytes = info.parameter_bytes;
  facts.parameter_count = static_cast<uint32_t>(info.parameters.size());
  facts.static_shared = info.static_shared;
  facts.local_bytes = info.local_bytes;
  facts.max_threads = static_cast<uint32_t>(MostThreads(sheet_, info));
  facts.registers = static_cast<uint32_t>(std::max(info.registers, 0));
  facts.max_dynamic_shared = static_cast<uint32_t>(std::max<uint64_t>(
      known->dynamic_shared_allowed,
      static_cast<uint64_t>(sheet_.shared_per_block) -
          std::min<uint64_t>(info.static_shared, static_cast<uint64_t>(sheet_.shared_per_block))));
  ServiceReply reply = Value(static_cast<uint64_t>(known - kernels_.begin()));
  AppendBytes(&reply.body, facts);
  for (const auto& [offset, bytes] : info.parameters) {
    AppendBytes(&reply.body, ring::KernelParam{offset, bytes});
  }
  if (info.parameter_bytes > ring::kMaxKernelParams || reply.body.size() > ring::kBodyBytes) {
    return Refused(kCudaInvalidValue, fmt::format("the parameters of '{}' are too large", name));
  }
  return reply;
}

ServiceReply DeviceService::FindSymbol(std::string_view name) {
  if (name.empty() || name.size() > ring::kMaxName) return ErrorReply(kCudaInvalidSymbol);
  for (int module : modules_) {
    auto found = emulator_.FindGlobal(module, std::string(name));
    if (!found) continue;
    symbols_[found->first] = found->second;
    return Value(found->first, found->second);
  }
  return ErrorReply(kCudaInvalidSymbol);
}

ServiceReply DeviceService::SetMaxDynamicShared(uint64_t kernel, uint64_t bytes) {
  if (kernel >= kernels_.size()) return ErrorReply(kCudaInvalidDeviceFunction);
  Kernel& target = kernels_[kernel];
  if (bytes + target.info.static_shared > static_cast<uint64_t>(sheet_.shared_per_block_optin) ||
      bytes > UINT32_MAX) {
    return ErrorReply(kCudaInvalidValue);
  }
  target.dynamic_shared_allowed = bytes;
  return {};
}

ServiceReply DeviceService::Occupancy(Values v) {
  if (v[0] >= kernels_.size()) return ErrorReply(kCudaInvalidDeviceFunction);
  return Value(BlocksPerMultiprocessor(sheet_, kernels_[v[0]].info, v[1],
                                       std::min<uint64_t>(v[2], UINT32_MAX)));
}

ServiceReply DeviceService::Launch(Values v, std::string_view parameters) {
  auto low = [](uint64_t value) { return static_cast<uint32_t>(value); };
  auto high = [](uint64_t value) { return static_cast<uint32_t>(value >> 32); };
  if (v[0] >= kernels_.size()) return Refused(kCudaInvalidDeviceFunction, "no such kernel");
  const Kernel& kernel = kernels_[v[0]];
  LaunchShape shape{{low(v[1]), high(v[1]), low(v[2])},
                    {high(v[2]), low(v[3]), high(v[3])},
                    v[4],
                    kernel.dynamic_shared_allowed,
                    (v[6] & ring::kCooperative) != 0};
  auto refuse = [&](int error, const std::string& why) {
    return Refused(error, fmt::format("launch of {}: {}", Demangled(kernel.name), why));
  };
  if (!timeline_.HasStream(v[5])) return refuse(kCudaInvalidResourceHandle, "no such stream");
  if (parameters.size() != kernel.info.parameter_bytes) {
    Stop(Status::kProtocol, "the guest launched a kernel with parameters of another size",
         kCudaUnknown);
    return ErrorReply(kCudaUnknown);
  }
  LaunchVerdict verdict = CheckLaunch(sheet_, kernel.info, shape);
  if (verdict.error) return refuse(verdict.error, verdict.text);
  // More than pointers and sizes in its parameters can be what the host has computed.
  constexpr uint64_t kOrdinaryParameters = 512;
  NoteWorkAfterCopyOut(parameters.size() > kOrdinaryParameters ? parameters.size() : 0);
  LaunchRequest request{.module = kernel.module,
                        .kernel = kernel.name,
                        .grid = shape.grid,
                        .block = shape.block,
                        .dynamic_shared = static_cast<uint32_t>(shape.dynamic_shared),
                        .shared_optin = kernel.dynamic_shared_allowed > 0,
                        .cooperative = shape.cooperative,
                        .parameters = std::string(parameters)};
  if (!Enqueue(v[5], 0, [this, request] { RunLaunch(request); })) return ErrorReply(kCudaUnknown);
  return {};
}

void DeviceService::RunLaunch(LaunchRequest request) {
  LaunchOutcome done = emulator_.Launch(request);
  UntaintWrittenBy(request);
  NoteLaunch({request.kernel, request.grid, request.block, request.dynamic_shared, done.counters,
              done.blocks_run, done.error},
             done.status, done.message);
}

void DeviceService::NoteLaunch(LaunchRecord launch, LaunchOutcome::Status status,
                               const std::string& message) {
  now_us_ += sheet_.launch_us +
             static_cast<double>(launch.counters.lane_instructions) / LanesPerMicrosecond(sheet_);
  if (outcome_.launches.size() == kMaxLaunches) {
    return Stop(Status::kDeviceLimit,
                fmt::format("more than {} launches in one call", kMaxLaunches), kCudaLaunchTimeout);
  }
  outcome_.launches.push_back(std::move(launch));
  switch (status) {
    case LaunchOutcome::Status::kOk:
      return;
    case LaunchOutcome::Status::kInvalidLaunch:
      if (refused_.empty()) {
        refused_ =
            fmt::format("{} (launch of {})", message, Demangled(outcome_.launches.back().kernel));
      }
      return;
    case LaunchOutcome::Status::kFault:
      return StopAtFault(message);
    case LaunchOutcome::Status::kUnsupported:
      return Stop(Status::kUnsupported, message, kCudaNotSupported);
    case LaunchOutcome::Status::kBudget:
      return Stop(Status::kDeviceLimit, message, kCudaLaunchTimeout);
  }
}

void DeviceService::StopAtFault(const std::string& message) {
  TakeHazards();
  int error = kCudaLaunchFailure;
  for (const Hazard& hazard : outcome_.hazards) {
    if (hazard.kind == "misaligned") error = kCudaMisalignedAddress;
    if (hazard.kind == "out_of_bounds" || hazard.kind == "use_after_free" ||
        hazard.kind == "host_pointer") {
      error = kCudaIllegalAddress;
    }
    if (hazard.kind == "assert") error = kCudaAssert;
    if (hazard.kind != "host_pointer") continue;
    auto range = pinned_.upper_bound(hazard.address);
    if (range != pinned_.begin() &&
        hazard.address - std::prev(range)->first < std::prev(range)->second) {
      return Stop(Status::kUnsupported,
                  fmt::format("kernel {} uses pinned host memory in place, which the emulator does "
                              "not have: copy it to device memory",
                              hazard.kernel),
                  kCudaNotSupported);
    }
  }
  Stop(Status::kDeviceFault, fmt::format("{}: {}", CudaErrorName(error), message), error);
}

ServiceReply DeviceService::Refused(int error, std::string what) {
  tracker_.Refused(error, what);
  if (refused_.empty()) refused_ = fmt::format("{}: {}", CudaErrorName(error), what);
  return ErrorReply(error);
}

void DeviceService::Stop(Status status, std::string message, int error) {
  if (!fatal_) fatal_ = Fatal{status, std::move(message), error};
  timeline_.Clear();
}

bool DeviceService::Enqueue(uint64_t stream, uint64_t captured_bytes, Timeline::Work work) {
  if (timeline_.pending() >= kMaxQueued || captured_bytes_ + captured_bytes > kMaxCaptured) {
    Stop(Status::kDeviceLimit,
         fmt::format("more than {} operations or {} MiB of copies are queued and nothing waits "
                     "for them",
                     kMaxQueued, kMaxCaptured >> 20),
         kCudaLaunchTimeout);
    return false;
  }
  captured_bytes_ += captured_bytes;
  timeline_.Enqueue(stream, [this, captured_bytes, work = std::move(work)] {
    captured_bytes_ -= captured_bytes;
    if (!fatal_) work();
  });
  return true;
}

void DeviceService::TakeHazards() {
  for (Hazard& hazard : emulator_.TakeHazards()) outcome_.hazards.push_back(std::move(hazard));
}

void DeviceService::UntaintWrittenBy(const LaunchRequest& request) {
  // A kernel may have written whatever it was given a pointer to.
  const std::string& bytes = request.parameters;
  for (size_t i = 0; !from_host_.empty() && i + 8 <= bytes.size(); i += 8) {
    uint64_t word = 0;
    std::memcpy(&word, bytes.data() + i, sizeof word);
    if (auto memory = emulator_.FindAllocation(word)) from_host_.erase(memory->start);
  }
}

ServiceReply DeviceService::StreamCall(Op op, Values v) {
  if (op == Op::kStreamCreate) {
    if (timeline_.streams() >= kMaxStreams) return ErrorReply(kCudaMemoryAllocation);
    return Value(timeline_.CreateStream(v[0] != 0, static_cast<int>(v[1])));
  }
  if (op == Op::kDeviceSynchronize) {
    timeline_.SynchronizeAll();
    return {};
  }
  if (!timeline_.HasStream(v[0])) return ErrorReply(kCudaInvalidResourceHandle);
  switch (op) {
    case Op::kStreamDestroy:
      if (v[0] == call_stream_ || !timeline_.DestroyStream(v[0])) {
        return ErrorReply(kCudaInvalidResourceHandle);
      }
      return {};
    case Op::kStreamSynchronize:
      timeline_.Synchronize(v[0]);
      return {};
    case Op::kStreamInfo:
      return Value(timeline_.IsNonBlocking(v[0]),
                   static_cast<uint64_t>(int64_t{timeline_.Priority(v[0])}));
    default:
      break;
  }
  if (!timeline_.HasEvent(v[1])) return Refused(kCudaInvalidResourceHandle, "no such event");
  timeline_.StreamWait(v[0], v[1]);
  return {};
}

ServiceReply DeviceService::EventCall(Op op, Values v) {
  constexpr int kNotReady = 600;
  if (op == Op::kEventCreate && timeline_.events() >= kMaxEvents)
    return ErrorReply(kCudaMemoryAllocation);
  if (op == Op::kEventCreate) return Value(timeline_.CreateEvent(v[0] != 0));
  if (!timeline_.HasEvent(v[0])) return ErrorReply(kCudaInvalidResourceHandle);
  if (op == Op::kEventDestroy) {
    timeline_.DestroyEvent(v[0]);
    return {};
  }
  if (op == Op::kEventSynchronize) {
    timeline_.SynchronizeEvent(v[0]);
    return {};
  }
  if (op == Op::kEventRecord) {
    if (!timeline_.HasStream(v[1])) return Refused(kCudaInvalidResourceHandle, "no such stream");
    if (timeline_.pending() >= kMaxQueued)
      Enqueue(v[1], 0, [] {});
    else
      timeline_.Record(v[0], v[1], [this] { return now_us_; });
    return {};
  }
  if (!timeline_.HasEvent(v[1])) return ErrorReply(kCudaInvalidResourceHandle);
  if (timeline_.EventPending(v[0]) || timeline_.EventPending(v[1])) return ErrorReply(kNotReady);
  auto start = timeline_.EventTime(v[0]), end = timeline_.EventTime(v[1]);
  if (!start || !end) return ErrorReply(kCudaInvalidResourceHandle);
  auto milliseconds = static_cast<float>((*end - *start) / 1000.0);
  uint32_t bits = 0;
  std::memcpy(&bits, &milliseconds, sizeof bits);
  return Value(bits);
}

}  // namespace kw::eval
