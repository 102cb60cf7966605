// Which function of the runtime a program has called, from where, and which calls failed: what the
// report of a checked program is made of. Of candidates nothing is noted.
#pragma once

#include <cstdint>

#include "cudart/cuda_types.h"

namespace kw::cudart {

// Where the program called the runtime from, as an offset in its object; 0 when that is unknown.
uint64_t CallSite();
// The coming launch was written where the runtime was called from now: its own call comes from
// code that nvcc made up.
void NoteLaunchSite();

void NoteFailure(Error error);
// Somebody asked for this error's name, or for the last error.
void NoteLookedAt(Error error);

}  // namespace kw::cudart
