#include "kw/base/hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstring>

namespace kw {

std::string ContentHash(std::string_view bytes) {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits(bytes.data(), bytes.size()));
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  for (unsigned char byte : canonical.digest) {
    hex += kDigits[byte >> 4];
    hex += kDigits[byte & 15];
  }
  return hex;
}

Hasher& Hasher::Add(std::string_view part) {
  Add(static_cast<int64_t>(part.size()));
  buffer_.append(part);
  return *this;
}

Hasher& Hasher::Add(int64_t number) {
  for (int shift = 0; shift < 64; shift += 8) {
    buffer_ += static_cast<char>(static_cast<uint64_t>(number) >> shift);
  }
  return *this;
}

uint64_t DeriveSeed(uint64_t seed, std::string_view purpose) {
  return XXH3_64bits_withSeed(purpose.data(), purpose.size(), seed);
}

}  // namespace kw
