// Vectors as text, bit for bit, for files.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "kw/base/error.h"

namespace kw {

// Eight hexadecimal digits a component, those of its little-endian float32.
std::string VectorToText(const std::vector<float>& vector);
// kCorrupt for anything else, and for components that are not finite; `what` names the text.
[[nodiscard]] Result<std::vector<float>> VectorFromText(std::string_view text,
                                                        std::string_view what);

}  // namespace kw
