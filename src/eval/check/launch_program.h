// A program made of launches: what is compiled behind a source that has kernels and no main.
#pragma once

#include <string>
#include <vector>

#include "launch_expression.h"

namespace kw::eval {

// int (int argc, char** argv); argv[1] is the seed of the buffers' values.
inline constexpr char kLaunchesEntry[] = "kwright_launches";

// C++ that stands behind the author's source. A launch that does not compile is an error in
// "launch N:1", N from 1.
std::string LaunchProgram(const std::vector<LaunchExpression>& launches);

// What each of the program's allocations is to the user, in the order in which it makes them.
std::vector<std::string> LaunchBuffers(const std::vector<LaunchExpression>& launches);

}  // namespace kw::eval
