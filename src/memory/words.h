// The words of a text, as the built-in embedder and the full-text query see them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace kw::memory {

// Runs of ASCII letters and digits and of bytes beyond ASCII, in the order of the text and in
// their own case: "__shared__ float4 tile" = {"shared", "float4", "tile"}.
std::vector<std::string_view> SplitWords(std::string_view text);

// The parts of an identifier in camel case: "blockDim" = {"block", "Dim"}; "WARP" = {"WARP"}.
std::vector<std::string_view> SplitCamelCase(std::string_view word);

// An English word (lower case) too common to tell texts apart.
bool IsStopWord(std::string_view lower_case_word);

}  // namespace kw::memory
