// Which programs judge: part of the key of everything that a verdict or a time is cached under.
#pragma once

#include <string>

namespace kw::eval {

// A hash of the files of the programs that judge (the worker, the emulator, the guest and its
// libraries, the reference), as they lie beside this program. Read once.
const std::string& ProgramIdentity();

}  // namespace kw::eval
