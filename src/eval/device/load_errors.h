// Why an object cannot be loaded, in words for its author.
#pragma once

#include <string>
#include <string_view>

#include "messages.h"

namespace kw::eval {

// Whether the bytes begin like a shared object for this machine, and hold nothing that would run
// before the loader is done; the message says what else they are or have. ok for anything that the
// loader should look at.
LoadedMessage CheckObject(std::string_view object);

// The first function of the CUDA runtime that the object exports a definition of; "" when there is
// none. Its own calls would go there, past the device.
std::string RedefinedFunction(std::string_view object);

// The loader's complaint about the guest's object, explained: a missing `run`, a symbol that
// nobody defines, a CUDA function or library that the emulator does not have (unsupported).
LoadedMessage ExplainLoadError(std::string_view complaint);

// "SIGSEGV (invalid memory access)"
std::string SignalText(int signal);

}  // namespace kw::eval
