// The program of this build, run as a user runs it.
#pragma once

#include <string>
#include <vector>

#include "kw/base/process.h"

namespace kw {

// Objects and verdicts are kept between runs.
inline ProcessExit Kwright(const std::vector<std::string>& arguments) {
  ProcessSpec spec{
      .argv = {"/usr/bin/env", "KWRIGHT_CACHE=" + std::string(KW_BINARY_DIR) + "/e2e-cache",
               KW_BINARY_DIR "/kwright"},
      .inherit_environment = true};
  spec.argv.insert(spec.argv.end(), arguments.begin(), arguments.end());
  return RunProcess(spec).value();
}

}  // namespace kw
