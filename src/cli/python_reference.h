// The Definition's Python reference beside reference.cpp.
#pragma once

#include <string>
#include <vector>

#include "kw/base.h"
#include "kw/eval/calibration.h"

namespace kw::cli {

// Runs the definition's Python in float64 by this interpreter, which has torch and numpy, over the
// cases, and compares what reference.cpp says. The Python runs as this user, outside of any cage.
[[nodiscard]] Result<eval::CheckStep> CompareWithPython(const eval::Task& task,
                                                        const std::vector<eval::Case>& cases,
                                                        eval::Reference& reference,
                                                        const std::string& python);

// Beside a task's files: the digest of the expected outputs that once agreed with the Python
// reference, so that later checks need no Python. No part of the task's hash.
[[nodiscard]] Result<void> KeepPythonDigest(const eval::Task& task, const std::string& digest);
[[nodiscard]] Result<eval::CheckStep> CompareWithPythonDigest(const eval::Task& task,
                                                              const std::string& digest);

}  // namespace kw::cli
