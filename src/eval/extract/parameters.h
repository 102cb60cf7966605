// Do the parameters of `run` fit the task's prototype? Only what is plainly wrong is said to be:
// a type that this cannot see through (a typedef, a macro, a template) fits.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "kw/eval/task.h"
#include "structure.h"

namespace kw::eval {

// What is wrong, without the line; nothing when it fits or is in doubt.
std::optional<std::string> ParameterMismatch(const EntryFunction& entry,
                                             const std::vector<Parameter>& expected,
                                             const Structure& structure);

}  // namespace kw::eval
