// Which compilers there are, and the surroundings that they run in.
#pragma once

#include <string>
#include <vector>

#include "kw/base/process.h"
#include "kw/eval/build.h"

namespace kw::eval {

struct Toolchain {
  ToolchainInfo info;   // empty paths: not there
  std::string ptxas;    // beside nvcc
  std::string cudart;   // the shared runtime library that objects are linked against
  std::string linker;   // "gold" or "lld", three times as quick as g++'s own; "": neither is there
  std::string problem;  // why there is no usable nvcc, and how to get one
};

// Looks for nvcc in: `configured`, $KWRIGHT_NVCC, $PATH, $CUDA_HOME/bin, /usr/local/cuda/bin, the
// venv below ProgramHome(). A configured nvcc that does not run is an error; a missing one is not.
Result<Toolchain> FindToolchain(const std::string& configured);

// PATH and library path of this process, TMPDIR and HOME in `scratch`, and how to allocate.
std::vector<std::string> CompilerEnvironment(const Toolchain& toolchain,
                                             const std::string& scratch);

}  // namespace kw::eval
