// Memory with one address on the host and on the device: managed allocations, mapped pinned ones,
// __managed__ variables. Of programs only; a candidate that asks for it is UNSUPPORTED.
//
// The host has its own copy at the device's address, within the range that is reserved there. Work
// runs when something waits for it, so the copies meet just then: what the host has changed goes to
// the device before (Publish), all of it comes back after (Collect).
#pragma once

#include <cstddef>
#include <cstdint>

#include "cudart/client.h"

namespace kw::cudart {

Error AllocateManaged(void** pointer, size_t bytes, eval::ring::Memory kind);
// Makes device memory that exists (a variable) accessible at its address.
Error ShareWithHost(uint64_t address, size_t bytes);
// Frees it on both sides; false when the pointer is none of ours.
bool FreeManaged(void* pointer, Error* error);

bool IsManaged(const void* pointer);

void Publish();
void Collect();
// The device may write to it from now on: the next Collect has something to do.
void NoteDeviceWork();

// Around what may run queued work.
class Meeting {
 public:
  Meeting() { Publish(); }
  ~Meeting() { Collect(); }
  Meeting(const Meeting&) = delete;
};

}  // namespace kw::cudart
