#include "program_tracker.h"

#include <utility>

#include "cuda_errors.h"

namespace kw::eval {
namespace {

constexpr size_t kMaxFailures = 100, kMaxAllocations = 10'000;

}  // namespace

void ProgramTracker::Refused(int error, std::string text) {
  refused_error_ = error;
  refused_text_ = std::move(text);
}

void ProgramTracker::CallFailed(int error, uint64_t site, std::string_view call) {
  if (trace_.failures.size() == kMaxFailures) return;
  CallFailure failure;
  failure.launch =
      call.find("LaunchKernel") != call.npos || call.find("LaunchCooperativeKernel") != call.npos;
  failure.call = failure.launch ? "a kernel launch" : std::string(call);
  failure.error = CudaErrorName(error);
  if (refused_error_ == error) failure.text = std::exchange(refused_text_, "");
  if (failure.text.empty()) failure.text = CudaErrorText(error);
  failure.site = site;
  trace_.failures.push_back(std::move(failure));
  went_on_ = false;
}

void ProgramTracker::LookedAt(int error) {
  const std::string name = CudaErrorName(error);
  for (CallFailure& failure : trace_.failures) failure.looked_at |= failure.error == name;
}

void ProgramTracker::Allocated(uint64_t address, const std::string& name, uint64_t bytes,
                               uint64_t site) {
  if (trace_.allocations.size() == kMaxAllocations) return;
  live_[address] = trace_.allocations.size();
  trace_.allocations.push_back({name, bytes, site, false});
}

void ProgramTracker::Freed(uint64_t address) {
  const auto found = live_.find(address);
  if (found == live_.end()) return;
  trace_.allocations[found->second].freed = true;
  live_.erase(found);
}

ProgramTrace ProgramTracker::Take(uint64_t left_undone) {
  if (!trace_.failures.empty()) trace_.failures.back().last = !went_on_;
  trace_.left_undone = left_undone;
  return std::exchange(trace_, {});
}

}  // namespace kw::eval
