// What a compiler may read: the toolkit, the system's headers and libraries. A source names files
// (#include, .incbin, __has_include), and its author shall not see this machine through them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "toolchain.h"

namespace kw::eval {

// Files and folders, for Confinement::Files::read. Some may not exist.
std::vector<std::string> ReadableBy(const Toolchain& toolchain,
                                    const std::vector<std::string>& more = {});

// Where the kernel does not confine compilers: the first file that preprocessed text came from
// outside of `readable` and `scratch`, or the assembler's way to read one.
std::optional<std::string> ForeignFile(std::string_view preprocessed,
                                       const std::vector<std::string>& readable,
                                       const std::string& scratch);

// The message of a diagnostic for a file that was refused, or nothing.
std::optional<std::string> ExplainRefusedFile(std::string_view message);

// The same, of the first such line in an assembler's output, which names no line of the source.
std::optional<std::string> RefusedByAssembler(std::string_view output);

}  // namespace kw::eval
