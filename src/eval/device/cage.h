// What the processes of a call give up before they touch what a candidate brought: the guest before
// it loads the object, the emulator device before it reads the PTX (docs/design/sandbox.md). Each
// step that fails ends the process: a cage with a hole is not used. All return what could not be
// done, or nullptr.
#pragma once

#include <cstdint>

namespace kw::eval {

// The guest: standard streams to /dev/null, every descriptor from `first_unused` on closed, the
// libraries that a candidate may need loaded, limits set, the device's addresses reserved without
// access, rights given up.
// A program keeps its standard output and error.
const char* CageGuest(int first_unused, int64_t memory_bytes, bool is_program);

// The emulator device: no core file, no file output, rights given up.
const char* CageEmulator();

// From here on: no new process, no network, no signals to others, no path.
enum class Calls {
  kLoading,   // one thread; the loader may open what the layers before let it, until ForbidOpening
  kComputing  // our own code: threads, no opening
};
const char* ForbidSystemCalls(Calls calls);

// A signal that ends the guest leaves its number and address in the ring, as a hint for the
// author.
void NoteCrashes(volatile uint64_t* address, volatile uint32_t* signal);

}  // namespace kw::eval
