// The pipes that a program writes to.
#pragma once

#include <array>
#include <string>
#include <thread>

#include "channel.h"
#include "kw/eval/device.h"

namespace kw::eval {

// The ends for the guest; closing them here ends what GuestOutput reads when the guest is gone.
struct OutputPipes {
  Descriptor out, err;
  // Once for an output.
  static Result<OutputPipes> Open(GuestOutput& output);
};

struct GuestOutput::Impl {
  struct Stream {
    Descriptor read;
    std::string kept;
    uint64_t dropped = 0;
    std::thread reader;
  };
  size_t kept_bytes = 0;
  std::array<Stream, 2> streams;
};

}  // namespace kw::eval
