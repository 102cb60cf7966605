// What ptxas -v says of each kernel.
#pragma once

#include <string_view>
#include <vector>

#include "kw/eval/build.h"

namespace kw::eval {

std::vector<KernelResources> ParsePtxasResources(std::string_view output);

}  // namespace kw::eval
