// Small text work that several rooms share.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace kw {

std::string_view Trim(std::string_view text);
// Split("a,,b", ',') = {"a", "", "b"}; Split("", ',') = {""}.
std::vector<std::string_view> Split(std::string_view text, char separator);
// Lines without their '\n' or "\r\n"; a last line without an end counts.
std::vector<std::string_view> Lines(std::string_view text);
std::string Join(const std::vector<std::string>& parts, std::string_view separator);
std::string ToLower(std::string_view text);
// At most max_bytes, cut at a UTF-8 boundary, with an ellipsis where cut.
std::string Shorten(std::string_view text, size_t max_bytes);
// Replaces every byte that is not part of valid UTF-8 by U+FFFD.
std::string ToValidUtf8(std::string_view bytes);

// The C++ name of a mangled one, or the name itself where it is none.
std::string Demangled(const std::string& symbol);

// The known name nearest to `name` by edit distance, or "" when none is near.
std::string NearestName(std::string_view name, const std::vector<std::string>& known);
// "unknown dtype 'float31' (did you mean 'float32'?)"; lists the known names when none is near.
std::string UnknownName(std::string_view what, std::string_view name,
                        const std::vector<std::string>& known);

}  // namespace kw
