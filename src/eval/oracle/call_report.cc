#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "case_text.h"
#include "kw/base/text.h"
#include "kw/eval/oracle.h"

namespace kw::eval {
namespace {

using CallStatus = CallOutcome::Status;

// Hazards that end the context on a GPU; all others are what hardware runs past in silence.
constexpr std::array<std::string_view, 11> kFatalHazards = {
    "out_of_bounds", "misaligned",          "use_after_free", "host_pointer",
    "trap",          "illegal_address",     "assert",         "stack_overflow",
    "double_free",   "illegal_instruction", "invalid_free"};

bool IsFatal(const Hazard& hazard) {
  return std::find(kFatalHazards.begin(), kFatalHazards.end(), hazard.kind) != kFatalHazards.end();
}

const Hazard* FirstFatal(const std::vector<Hazard>& hazards) {
  auto found = std::find_if(hazards.begin(), hazards.end(), IsFatal);
  return found == hazards.end() ? nullptr : &*found;
}

// At most three, each text once.
std::string HazardLines(const std::vector<Hazard>& hazards, const Hazard* first) {
  constexpr size_t kShown = 3;
  std::vector<std::string> lines;
  if (first != nullptr) lines.push_back(DescribeHazard(*first));
  size_t left_out = 0;
  for (const Hazard& hazard : hazards) {
    std::string line = DescribeHazard(hazard);
    if (std::find(lines.begin(), lines.end(), line) != lines.end()) continue;
    if (lines.size() < kShown) {
      lines.push_back(std::move(line));
    } else {
      ++left_out;
    }
  }
  if (left_out > 0) lines.push_back(fmt::format("... and {} more", left_out));
  return Join(lines, "\n");
}

struct Mapped {
  Status status;
  std::string reason, headline;
  bool environmental = false;
};

Mapped MapStatus(const CallOutcome& outcome, const Hazard* fatal) {
  const std::string fault = fatal == nullptr ? "device_fault" : fatal->kind;
  switch (outcome.status) {
    case CallStatus::kOk:
      break;
    case CallStatus::kGuestCrashed:
      return {Status::kRuntimeError, "host_crash", "the host code of run() crashed"};
    case CallStatus::kGuestExited:
      return {Status::kRuntimeError, "host_exit", "the host code ended its process"};
    case CallStatus::kHostLimit:
      return {Status::kTimeout, "host_cpu", "the host code of run() used up its CPU time"};
    case CallStatus::kDeviceLimit:
      return {Status::kTimeout, "instruction_budget",
              "the kernel used up its instructions: it does not end, or does far too much work"};
    case CallStatus::kHostMemory:
      return {Status::kRuntimeError, "host_memory", "the host code held too much memory"};
    case CallStatus::kDeviceMemory:
      return {Status::kRuntimeError, "device_memory", "the device ran out of memory"};
    case CallStatus::kDeviceFault:
      return {Status::kRuntimeError, fault, "the kernel faulted"};
    case CallStatus::kLaunchFailed:
      return {Status::kRuntimeError, "launch_failed", "a CUDA call or launch failed"};
    case CallStatus::kUnsupported:
      return {Status::kUnsupported, "unsupported", "the judge cannot run this"};
    case CallStatus::kProtocol:
      return {Status::kRejected, "protocol", "the host code tampered with the runtime library"};
    case CallStatus::kWallLimit:
      return {Status::kTimeout, "wall_limit", "the call was stopped by the wall clock", true};
  }
  if (fatal != nullptr) return {Status::kRuntimeError, fatal->kind, "the kernel faulted"};
  if (!outcome.hazards.empty()) {
    return {Status::kRejected, outcome.hazards.front().kind,
            "a hazard was found, which hardware would run past in silence"};
  }
  return {Status::kRejected, "host_result",
          "the result was computed on the host: inputs or partial results were copied down, or an "
          "output was copied up from host memory. Compute it in kernels"};
}

}  // namespace

std::optional<OracleReport> ReportOfCall(const CallOutcome& outcome, const Case& c) {
  if (outcome.status == CallStatus::kOk && outcome.hazards.empty() && !outcome.result_from_host) {
    return std::nullopt;
  }
  const Hazard* fatal = FirstFatal(outcome.hazards);
  Mapped mapped = MapStatus(outcome, fatal);
  OracleReport report;
  report.status = mapped.status;
  report.reason = std::move(mapped.reason);
  report.environmental = mapped.environmental;
  report.hazards = !outcome.hazards.empty()            ? "found"
                   : outcome.status == CallStatus::kOk ? "none"
                                                       : "unchecked";
  report.failing = c;
  report.feedback = fmt::format("In {}: {}.", DescribeCase(c), mapped.headline);
  const std::string hazards = HazardLines(outcome.hazards, fatal);
  if (!hazards.empty()) report.feedback += "\n" + hazards;
  const bool said = std::any_of(
      outcome.hazards.begin(), outcome.hazards.end(),
      [&](const Hazard& hazard) { return outcome.message.find(hazard.text) != std::string::npos; });
  if (!outcome.message.empty() && !said) {
    report.feedback += "\n" + Shorten(ToValidUtf8(outcome.message), 1000);
  }
  return report;
}

}  // namespace kw::eval
