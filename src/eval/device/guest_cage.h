// What the guest process gives up before it touches the candidate's object. Each step that fails
// ends the process: a cage with a hole is not used.
#pragma once

#include <cstdint>

namespace kw::eval {

// Standard streams to /dev/null, every descriptor but `keep_below` closed, limits set, the device's
// addresses reserved without access, capabilities dropped.
// Returns what could not be done, or nullptr.
const char* ShedPrivileges(int keep_below, int64_t memory_bytes);

// A signal that ends the guest leaves its number and address in the ring, as a hint for the
// author.
void NoteCrashes(volatile uint64_t* address, volatile uint32_t* signal);

// From here on: no new process or thread, no network, no signals to others, no writing to files.
const char* ForbidSystemCalls();

}  // namespace kw::eval
