// The two processes of a session, started and on their way into their cages, with nothing of a
// candidate in them yet.
#pragma once

#include <thread>

#include "channel.h"
#include "kw/base/process.h"
#include "kw/eval/device.h"
#include "shared_file.h"

namespace kw::eval {

struct ProcessPair {
  // They end with the thread that starts them.
  static Result<ProcessPair> Start(const EmulatorDeviceConfig& config);
  bool Alive();

  std::thread::id owner;
  Child emulator, guest;
  Channel channel;     // to the emulator
  Descriptor control;  // to the guest
  Ring ring;
  Exchange exchange;
  // Empty memory files that both hold already: filled and sealed when there is a candidate.
  Descriptor object, guest_object;
  Descriptor guest_library;  // the same: a library that the candidate's task allows, or nothing
};

}  // namespace kw::eval
