// Base64 (RFC 4648, with padding), for the blobs of the worker protocol.
#pragma once

#include <string>
#include <string_view>

#include "kw/base/error.h"

namespace kw::eval {

std::string EncodeBase64(std::string_view bytes);
// kParse on any character outside the alphabet, wrong padding or length.
[[nodiscard]] Result<std::string> DecodeBase64(std::string_view text);

}  // namespace kw::eval
