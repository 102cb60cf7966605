// What a device refuses to launch, and how many blocks fit on a multiprocessor: pure functions of
// the device's sheet and the kernel.
#pragma once

#include <cstdint>
#include <string>

#include "kw/eval/emulator.h"

namespace kw::eval {

struct LaunchShape {
  Dim3 grid, block;
  uint64_t dynamic_shared = 0;
  uint64_t dynamic_shared_allowed = 0;  // by cudaFuncSetAttribute; 0: never asked for
  bool cooperative = false;
};

struct LaunchVerdict {
  int error = 0;     // cudaError_t
  std::string text;  // what is wrong, for the author
};
LaunchVerdict CheckLaunch(const DeviceSheet& sheet, const Emulator::KernelInfo& kernel,
                          const LaunchShape& shape);

// The largest block of a kernel that the device can run, in threads: by its own limit, the kernel's
// __launch_bounds__, and its registers where they are known.
uint64_t MostThreads(const DeviceSheet& sheet, const Emulator::KernelInfo& kernel);

// Blocks that fit on one multiprocessor by threads, block slots, shared memory, and registers where
// they are known.
uint64_t BlocksPerMultiprocessor(const DeviceSheet& sheet, const Emulator::KernelInfo& kernel,
                                 uint64_t threads, uint64_t dynamic_shared);

}  // namespace kw::eval
