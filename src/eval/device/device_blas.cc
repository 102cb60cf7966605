// DeviceService: calls of cuBLAS.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "blas_rules.h"
#include "cuda_errors.h"
#include "device_service.h"

namespace kw::eval {

using Status = CallOutcome::Status;

ServiceReply DeviceService::Blas(uint64_t stream, std::string_view body) {
  ring::BlasBody message;
  BlasVerdict verdict;
  verdict.nonsense = body.size() != sizeof message;
  if (!verdict.nonsense) {
    std::memcpy(&message, body.data(), sizeof message);
    verdict = CheckBlas(message);
  }
  if (verdict.nonsense) {
    Stop(Status::kProtocol, "the guest sent a call of cuBLAS that is none", kCudaUnknown);
    return ErrorReply(kCudaUnknown);
  }
  const std::string& function = verdict.call.function;
  if (verdict.unsupported) {
    Stop(Status::kUnsupported, "the emulator does not have " + verdict.text, kCudaNotSupported);
    return ErrorReply(kCudaNotSupported);
  }
  ServiceReply reply;
  reply.values[0] = verdict.status;
  if (verdict.status == ring::kBlasNotSupported) {
    // As a program may do that asks cuBLAS what it can, and does it in another way.
    if (note_.empty()) note_ = verdict.text;
    return reply;
  }
  if (verdict.status != ring::kBlasSuccess) {
    if (refused_.empty()) refused_ = verdict.text;
    return reply;
  }
  if (!timeline_.HasStream(stream)) {
    reply = Refused(kCudaInvalidResourceHandle, function + ": the handle's stream is none");
    reply.values[0] = ring::kBlasExecutionFailed;
    return reply;
  }
  if (verdict.nothing) return reply;
  NoteWorkAfterCopyOut(0);
  const bool on_default = stream == ring::kLegacyStream;
  const auto result = std::make_shared<double>(0);
  auto work = [this, call = std::move(verdict.call), result, on_default] {
    blas_on_default_stream_ -= on_default;
    *result = RunBlas(call);
  };
  blas_on_default_stream_ += on_default;
  if (!Enqueue(stream, 0, std::move(work))) return ErrorReply(kCudaUnknown);
  if (verdict.to_host) {
    timeline_.Synchronize(stream);
    std::memcpy(&reply.values[1], result.get(), sizeof reply.values[1]);
    outcome_.device_to_host_bytes += sizeof(double);
  }
  return reply;
}

double DeviceService::RunBlas(const BlasCall& call) {
  const BlasOutcome done = emulator_.RunBlas(call);
  if (done.status == LaunchOutcome::Status::kOk) UntaintWrittenBy(call);
  NoteLaunch({call.function, done.grid, done.block, done.dynamic_shared, done.counters},
             done.status, done.message);
  return done.result;
}

void DeviceService::UntaintWrittenBy(const BlasCall& call) {
  const auto untaint = [this](uint64_t address) {
    if (auto memory = emulator_.FindAllocation(address)) from_host_.erase(memory->start);
  };
  if (!call.c.pointers) return untaint(call.c.address);
  for (int64_t i = 0; !from_host_.empty() && i < call.batches; ++i) {
    uint64_t address = 0;
    const auto at = call.c.address + static_cast<uint64_t>(i) * sizeof address;
    if (!emulator_.Read(at, reinterpret_cast<char*>(&address), sizeof address)) return;
    untaint(address);
  }
}

}  // namespace kw::eval
