// What a program's calls of the runtime came to, as its report will have it: calls that failed, and
// allocations. Lives in the emulator device; fed by DeviceService.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "kw/eval/device.h"

namespace kw::eval {

class ProgramTracker {
 public:
  // A call of the runtime was refused with this text, which the note of its failure may pick up.
  void Refused(int error, std::string text);
  void CallFailed(int error, uint64_t site, std::string_view call);
  void LookedAt(int error);
  // Any other operation.
  void Went() { went_on_ = true; }

  void Allocated(uint64_t address, const std::string& name, uint64_t bytes, uint64_t site);
  void Freed(uint64_t address);

  ProgramTrace Take(uint64_t left_undone);

 private:
  ProgramTrace trace_;
  std::map<uint64_t, size_t> live_;  // address -> index of its allocation
  int refused_error_ = 0;
  std::string refused_text_;
  bool went_on_ = false;  // since the last failure
};

}  // namespace kw::eval
