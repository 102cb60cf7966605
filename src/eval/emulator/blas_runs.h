// Where the elements of a library call's operands lie in device memory.
#pragma once

#include <cstdint>
#include <string>

#include "kw/eval/blas.h"

namespace kw::eval::emu {

// Runs of bytes, `spacing` apart, from the lowest address on.
struct Runs {
  uint64_t first = 0, bytes = 0, count = 0, spacing = 0;
  uint64_t At(uint64_t run) const { return first + run * spacing; }
};

// Bytes from the first one of the first run to the last one of the last; the largest number where
// that is more than there are.
uint64_t Extent(const Runs& runs);
Runs RunsOf(const BlasMatrix& matrix, uint64_t address);
// Whether some byte of one is also of the other.
bool Overlap(const Runs& one, const Runs& other);
// "64 x 32 by columns with lda = 64, used transposed"
std::string Describe(const BlasMatrix& matrix);

}  // namespace kw::eval::emu
