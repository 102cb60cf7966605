// Content hashes and derived seeds. Both are xxHash (XXH3), little-endian, the same everywhere.
// They name content in caches and journals; they are no defence against someone who makes
// collisions on purpose.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace kw {

// 128 bits as 32 lower-case hexadecimal characters.
std::string ContentHash(std::string_view bytes);

// Hashes a sequence of parts so that ("ab","c") and ("a","bc") differ.
class Hasher {
 public:
  Hasher& Add(std::string_view part);
  Hasher& Add(int64_t number);
  std::string Hex() const { return ContentHash(buffer_); }

 private:
  std::string buffer_;  // length-prefixed parts
};

// A seed for a named purpose: DeriveSeed(run_seed, "e1/b0/softmax/s0/i1/generate").
uint64_t DeriveSeed(uint64_t seed, std::string_view purpose);

}  // namespace kw
