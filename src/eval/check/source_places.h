// Where host code called the runtime from, in lines of its source.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "kw/base/error.h"

namespace kw::eval {

// Sites (CallFailure::site) of an object built with host lines -> "kernel.cu:31", in the source or
// in a file below `folders`. What addr2line does not know is left out; without addr2line all is.
std::map<uint64_t, std::string> FindPlaces(const std::string& object_path,
                                           const std::vector<std::string>& folders,
                                           const std::vector<uint64_t>& sites);

}  // namespace kw::eval
